r"""Wordle: find a hidden five-letter word in six guesses.

    Wordle:
    p a n i c
    b b y b b
    k n o l l
    b y y b b
    m o u n t
    g g g g g

A guess pays -1 and the right one 0; a word that is not on the list pays `bad_word_reward`, is answered by an empty line
and counts as a guess. Blanks in a guess do not matter; capitals do. The game is over when the word is found or the
sixth guess is made; both are terminal.

Texts, rewards and ends are those of LMRL-Gym (abdulhaim/LMRL-Gym at 911d726). Departures, with the reference's file:

- `wordle/env/game.py`: each valid guess drew a new secret among the words that still fitted. Here one is drawn at
  `reset` from the seed and kept: the same distribution, and the word is a function of the seed.
- `wordle/env/game.py`: letters are not counted (`rules="lmrl"`, our default); `rules="official"` shows a letter as
  often as the word has it. A step after the end failed by accident there; here it says so.
- `wordle/ilql`, `mc_returns`, `ppo`: a bad word paid -10 in training and -1 in evaluation. Here it is one number.
- `wordle/env/data.py:52,89`: the data sets' iterators gave generators in place of rows. `read_reference` gives games.
- The environment spaced out a guess in the history. Here the text stays as it was said.
"""

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lmrl.files import text_of
from lmrl.kinds import Share
from lmrl.scoring import Score
from lmrl.task import Step
from lmrl.trajectory import Trajectory, Turn, read_lines

HEADER = "Wordle:\n"
GUESSES = 6
LETTERS = 5
PUBLISHED_WORDS = "d206b79145f65345"
"""The `words_digest` of LMRL-Gym's 431 words, which its published scale is for."""
OUR_WORDS = Path(__file__).parent / "words" / "common.txt"
PATTERNS = tuple(
    " ".join("byg"[code // 3**place % 3] for place in reversed(range(LETTERS))) + "\n" for code in range(3**LETTERS)
)
"""The answers to a guess. A pattern's code is its letters read as a number of base 3: b 0, y 1, g 2."""
SOLVED = 3**LETTERS - 1


def spaced(word: str) -> str:
    r"""A word as an action: 'shire' is said 's h i r e\n'."""
    return " ".join(word) + "\n"


def words_of(path: str | None) -> tuple[str, ...]:
    """The words of a file, one a line, in its order; None is our own list. Raises ValueError with the reason."""
    file = Path(path) if path else OUR_WORDS
    if not file.is_file():
        what = "a folder" if file.is_dir() else "no such file"
        raise ValueError(
            f"words = {path!r}: {what}; task.env.words names a list with one word a line, or null, our own"
        )
    words = tuple(text_of(file).split())
    for number, word in enumerate(words, 1):
        if len(word) != LETTERS or not (word.isascii() and word.isalpha() and word.islower()):
            raise ValueError(f"words = {path!r}: word {number}, {word!r}, needs five letters a to z")
    if len(set(words)) < len(words) or not words:
        fault = f"{next(w for w in words if words.count(w) > 1)!r} stands there twice" if words else "it has no words"
        raise ValueError(f"words = {path!r}: {fault}; each word is needed once")
    return words


def words_digest(path: str | None) -> str:
    """A hash of the words and their order: scores over different lists do not compare."""
    return hashlib.sha256("\n".join(words_of(path)).encode()).hexdigest()[:16]


def facts(*, words: str | None) -> dict[str, str]:
    """What a run records of its list, and a checkpoint must find again: how many words, and their hash."""
    return {"words": f"{len(words_of(words))} words, {words_digest(words)}"}


Codes = npt.NDArray[np.uint8]
Letters = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]
Fits = npt.NDArray[np.bool_]


def _letters(words: Sequence[str]) -> Letters:
    return np.frombuffer("".join(words).encode(), np.uint8).reshape(-1, LETTERS)


def _is_yellow(guess: Letters, hidden_NL: Letters, green_NL: Fits, place: int, rules: str) -> Any:
    """Which hidden words [N] show the guess's letter at `place` as present elsewhere."""
    has_NL = hidden_NL == guess[place]
    if rules == "lmrl":
        return has_NL.any(axis=1)
    spent_N = (~green_NL[:, :place] & (guess[:place] == guess[place])).sum(axis=1)
    return spent_N < (has_NL & ~green_NL).sum(axis=1)


def answers(guess: Letters, hidden_NL: Letters, rules: str) -> Codes:
    """The code of what `guess` [5] is answered for each hidden word [N, 5]."""
    green_NL = hidden_NL == guess
    code_N = np.zeros(len(hidden_NL), np.uint8)
    for place in range(LETTERS):
        yellow_N = _is_yellow(guess, hidden_NL, green_NL, place, rules)
        code_N = code_N * 3 + np.where(green_NL[:, place], 2, yellow_N).astype(np.uint8)
    return code_N


class _Book:
    """A word list and what each guess shows about each of its words, worked out when a guess is first made."""

    def __init__(self, words: tuple[str, ...], rules: str) -> None:
        self.words, self.actions, self._rules = words, tuple(map(spaced, words)), rules
        self.index = {word: i for i, word in enumerate(words)}
        self.said = {action: i for i, action in enumerate(self.actions)}
        self.letters = _letters(words)
        self._rows: list[bytes | None] = [None] * len(words)

    def find(self, action: str) -> int | None:
        return self.index.get(action.strip().replace(" ", ""))

    def row(self, guess: int) -> bytes:
        """The answer's code to a guess, by hidden word."""
        row = self._rows[guess]
        if row is None:
            row = self._rows[guess] = answers(self.letters[guess], self.letters, self._rules).tobytes()
        return row

    def table(self) -> Codes:
        """The answers' codes by guess and hidden word [N, N]."""
        rows = b"".join(map(self.row, range(len(self.words))))
        return np.frombuffer(rows, np.uint8).reshape(len(self.words), -1)

    @cached_property
    def best(self) -> float:
        """See `best_return`; a run builds its task several times, and the player takes a quarter of a second."""
        table = self.table()
        return -_missed(table, np.arange(len(table)), GUESSES) / len(table)


def _book(words: str | None, rules: str) -> _Book:
    file = Path(words).stat() if words and Path(words).is_file() else None
    return _read_book(words, rules, file and (file.st_mtime_ns, file.st_size))


@cache
def _read_book(words: str | None, rules: str, stamp: tuple[int, int] | None) -> _Book:
    """Read once, and once more when the file has changed, which its `stamp` tells."""
    if rules not in ("lmrl", "official"):
        raise ValueError(f"rules = {rules!r}: Wordle is played by 'lmrl' or 'official' rules")
    return _Book(words_of(words), rules)


def score(*, words: str | None, rules: Literal["lmrl", "official"], floor: float, mean: float, best: float) -> Score:
    """The published scale for the published list; for another, up to its own `best_return` and without a mean."""
    if words_digest(words) == PUBLISHED_WORDS and rules == "lmrl":
        return Score(floor=floor, mean=mean, best=best)
    return Score(floor=floor, mean=None, best=best_return(words, rules))


def best_return(words: str | None, rules: Literal["lmrl", "official"]) -> float:
    """Mean return, over all hidden words, of whoever guesses the fitting word whose answer tells most.

    The reference's best player, exactly and with its first choice where several words tell as much; it averaged 1000
    games, -1.935 on its list, where this is -1.942.
    """
    return _book(words, rules).best


def _missed(table: Codes, fits_N: Indices, guesses: int) -> int:
    """Guesses that do not find the word, over all words that still fit."""
    code_NN = table[np.ix_(fits_N, fits_N)]
    count_NC = np.stack([np.bincount(code_N, minlength=len(PATTERNS)) for code_N in code_NN])
    code_N = code_NN[np.argmin((count_NC * np.log(np.maximum(count_NC, 1))).sum(1).round(9))]
    rest = [fits_N[code_N == code] for code in set(code_N.tolist()) - {SOLVED}]
    return sum(len(left) + (_missed(table, left, guesses - 1) if guesses > 1 else 0) for left in rest)


_STEPS = tuple(Step(pattern, -1.0) for pattern in PATTERNS)


class Wordle:
    r"""One game after another.

    >>> game = Wordle(words=None, rules="lmrl", bad_word_reward=-1.0)
    >>> game.reset(seed=0, options={"word": "robin"})
    'Wordle:\n'
    >>> game.step("e r r o r\n").observation
    'b y y y y\n'
    """

    def __init__(self, *, words: str | None, rules: Literal["lmrl", "official"], bad_word_reward: float) -> None:
        self._book = _book(words, rules)
        self._bad = Step("\n", bad_word_reward, info={"invalid_action": True})
        self._hidden, self._guesses_left = 0, 0

    def reset(self, seed: int, options: Mapping[str, Any] | None = None) -> str:
        """Hide a word that the seed draws, or options {"word": "robin"}."""
        self._hidden = _hide(self._book, seed, options or {})
        self._guesses_left = GUESSES
        return HEADER

    def step(self, action: str) -> Step:
        """Answer a guess."""
        if not self._guesses_left:
            raise RuntimeError("Wordle has no running game: call reset before the first guess and after the last")
        self._guesses_left -= 1
        book = self._book
        guess = book.said.get(action)
        if guess is None:
            guess = book.find(action)
        if guess == self._hidden:
            return self._last(Step(PATTERNS[SOLVED]), success=True)
        step = self._bad if guess is None else _STEPS[book.row(guess)[self._hidden]]
        return step if self._guesses_left else self._last(step, success=False)

    def legal_actions(self) -> Sequence[str]:
        """Every word of the list."""
        return self._book.actions

    def _last(self, step: Step, *, success: bool) -> Step:
        self._guesses_left = 0
        info = {**step.info, "success": success, "word": self._book.words[self._hidden]}
        return Step(step.observation, step.reward, done=True, info=info)


def _hide(book: _Book, seed: int, options: Mapping[str, Any]) -> int:
    for key in options.keys() - {"word"}:
        raise ValueError(f"options.{key} = {options[key]!r}: Wordle takes only 'word'")
    if "word" not in options:
        return random.Random(seed).randrange(len(book.words))
    word = options["word"]
    if not isinstance(word, str) or word not in book.index:
        raise ValueError(f"options.word = {word!r}: not one of the {len(book.words)} words of the list")
    return book.index[word]


def phrases(*, words: str | None) -> list[str]:
    """Texts worth a token each: the header, every guess, every answer."""
    return list(dict.fromkeys([HEADER, "\n", *map(spaced, words_of(words)), *PATTERNS]))


def _one_of(fits_EN: Fits, rng: np.random.Generator) -> Indices:
    """A uniform choice per row among the words that are True in it."""
    rank_E = (rng.random(len(fits_EN)) * fits_EN.sum(axis=1)).astype(np.int32)
    chosen: Indices = (fits_EN.cumsum(axis=1, dtype=np.int32) > rank_E[:, None]).argmax(axis=1)
    return chosen


def _mixture(book: _Book, games: int, rng: np.random.Generator, smart: float) -> tuple[Indices, Indices, Indices]:
    """Hidden words [E] of E games, six guesses each [E, 6] and their answers' codes [E, 6]; play goes on past a win."""
    table, size = book.table(), len(book.words)
    hidden_E, guess_EG = rng.integers(size, size=games), rng.integers(size, size=(games, GUESSES))
    fits_EN, code_EG = np.ones((games, size), bool), np.empty_like(guess_EG)
    for turn, guess_E in enumerate(guess_EG.T):
        clever_C = np.flatnonzero(rng.random(games) < smart)
        guess_E[clever_C] = _one_of(fits_EN[clever_C], rng)
        code_EG[:, turn] = table[guess_E, hidden_E]
        fits_EN &= table[guess_E] == code_EG[:, turn, None]
    return hidden_E, guess_EG, code_EG


_HEAD = Turn(HEADER, False)
_TOLD = tuple(Turn(pattern, False) for pattern in PATTERNS)


def demonstrations(
    episodes: int, seed: int, *, words: str | None, rules: Literal["lmrl", "official"], smart: Share
) -> Iterator[Trajectory]:
    """Play the reference's mixture: with probability `smart` a word that fits all answers so far, else any word.

    Both are uniform. Games are played side by side and share their turns; a table of all pairs of words is held.
    """
    book = _book(words, rules)
    said = [Turn(action, True, -1.0) for action in book.actions]
    found = [Turn(action, True, 0.0) for action in book.actions]
    games = (column.tolist() for column in _mixture(book, episodes, np.random.default_rng(seed), smart))
    for hidden, guesses, codes in zip(*games, strict=True):
        success = SOLVED in codes
        count = codes.index(SOLVED) if success else GUESSES
        turns = [_HEAD]
        for guess, code in zip(guesses[:count], codes[:count], strict=True):
            turns += said[guess], _TOLD[code]
        turns += (found[hidden], _TOLD[SOLVED]) if success else ()
        yield Trajectory(tuple(turns), True, {"word": book.words[hidden], "success": success, "invalid_actions": 0})


def read_reference(path: Path) -> Iterator[Trajectory]:
    """Read the reference's games. Raises ValueError naming the file, the line and the reason."""
    return read_lines(path, _reference_game)


def _reference_game(row: Any) -> Trajectory:
    if not isinstance(row, dict):
        raise ValueError(f"a row is an object with sequence, reward and done, not {row!r}")
    said, paid = row["sequence"], [0.0, *row["reward"]]
    if len(said) != len(paid):
        raise ValueError(f"reward needs one number less than sequence has texts, which is {len(said)}")
    turns = tuple(Turn(text, agent == 1, reward) for (text, agent), reward in zip(said, paid, strict=True))
    bad = sum(str(turn.text).strip() == "" for turn in turns[2::2])
    return Trajectory(turns, row["done"], {"success": turns[-1] == _TOLD[SOLVED], "invalid_actions": bad})
