r"""Twenty Questions: find out by yes-or-no questions what the other side thinks of.

    Questions:
    Is it a fruit?
    No.
    Is it an animal?
    Yes.
    Is it a cat?
    Yes.

Each question pays -1, but for the one that wins, which pays 0: one that asks of the hidden object directly, by any of
its names, and is answered `Yes.` The game is over when it is won or twenty questions are asked; both are terminal. An
empty question, or one of more than 300 characters, is answered `No.` unheard and is an invalid action.

Objects, texts, rewards and ends are those of LMRL-Gym (abdulhaim/LMRL-Gym at 911d726). Its oracle was a language model
that it did not publish: here our own rules (`oracle`) answer, or a model, which is asked with the published prompt.
Departures, with the reference's file:

- `twenty_questions/env/oracle.py:65`, `env.py:28,90`: the text of an invalid question was compared with one that had
  lost its newline, so that even empty questions went to the model. Here they do not.
- `twenty_questions/env/env.py:82`: the batched environment failed on a name, and on options of None. Here there is one.
- `twenty_questions/env/data.py` (`is_done`): any question won that ended in the object's name and had no other noun,
  as a tagger had it: "Is it something used in basketball?", or "Does it ring?" of a ring. Here a question wins that
  asks of one object and no other (`oracle.guess`), whoever answers. The hidden word is printed no more.
- The readers split a line at its last `? `, so that an answer with one moved into the question. Here it is the first
  `? ` that a yes or a no follows.
- `twenty_questions/mc/train_mc_returns.py:72`: a syntax error; here nothing is left of it.
- A seed draws the word, and `options={"word": "Cat"}` names it; the reference's `deterministic` took the seed modulo
  158.
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from lmrl.dialogue import Ask, Dialogue, Scripted, Simulator, Talk, heard
from lmrl.kinds import Share
from lmrl.rollout import Speaker, converse
from lmrl.task import Start, Step
from lmrl.tasks.oracle.askers import ByInformation, mixed, pieces
from lmrl.tasks.oracle.guess import guessed
from lmrl.tasks.oracle.objects import objects
from lmrl.tasks.oracle.oracle import answer
from lmrl.trajectory import Trajectory, Turn, checked, read_array_or_lines

HEADER = "Questions:\n"
QUESTIONS = 20
LONGEST = 300
"""Characters of a question that is heard."""
PROMPT = """Answer the question about the object truthfully.
object: ({})
question: {}
answer (yes or no): """
YES, NO = "Yes.", "No."


def yes_or_no(reply: str) -> str:
    """What a reply is taken for: by its first letters, and `No.` where these are neither.

    >>> yes_or_no(" YES, it is"), yes_or_no("none"), yes_or_no("maybe")
    ('Yes.', 'No.', 'No.')
    """
    return YES if reply.strip().lower().startswith("yes") else NO


class TwentyQuestions(Dialogue):
    r"""One game after another.

    >>> from lmrl.dialogue import Scripted
    >>> game = TwentyQuestions(simulator=Scripted())
    >>> game.reset(seed=0, options={"word": "cat"})
    'Questions:\n'
    >>> game.step("Is it an animal?\n").observation
    'Yes.\n'
    >>> game.step("Is it a cat?\n").info["success"]
    True
    """

    def __init__(self, *, simulator: Simulator) -> None:
        self.simulator = simulator
        self._hidden, self._left = 0, 0
        self._rng = random.Random(0)

    def reset(self, seed: int, options: Mapping[str, Any] | None = None) -> str:
        """Think of an object that the seed draws, or of that of options {"word": "Cat"}, by any of its names."""
        self._rng = random.Random(seed)
        self._hidden = _hide(self._rng.randrange(len(objects())), options or {})
        self._left = QUESTIONS
        return HEADER

    def talk(self, action: str) -> Talk:
        """Answer one question."""
        if not self._left:
            raise RuntimeError("Twenty Questions has no running game: call reset before the first question")
        self._left -= 1
        question = heard(action, LONGEST)
        if not question or len(action.strip()) > LONGEST:
            return self._step(NO, {"invalid_action": True}, won=False)
        reply = yield self._ask(question)
        said = yes_or_no(reply.text)
        info = {"understood": reply.info["understood"]} if "understood" in reply.info else {}
        return self._step(said, info, won=said == YES and guessed(question) == self._hidden)

    def _ask(self, question: str) -> Ask:
        return Ask(
            prompt=PROMPT.format(", ".join(objects()[self._hidden].names), question),
            scripted=partial(answer, self._hidden, question),
            seed=self._rng.getrandbits(32),
            max_new_tokens=4,
            read=yes_or_no,
        )

    def _step(self, said: str, info: dict[str, Any], *, won: bool) -> Step:
        if won or not self._left:
            self._left = 0
            info |= {"success": won, "word": objects()[self._hidden].names[0]}
        return Step(f"{said}\n", 0.0 if won else -1.0, done=not self._left, info=info)


@cache
def _indices() -> Mapping[str, int]:
    return {name.lower(): i for i, thing in enumerate(objects()) for name in thing.names}


def _hide(drawn: int, options: Mapping[str, Any]) -> int:
    for key in options.keys() - {"word"}:
        raise ValueError(f"options.{key} = {options[key]!r}: Twenty Questions takes only 'word'")
    if "word" not in options:
        return drawn
    word = options["word"]
    index = _indices().get(word.strip().lower()) if isinstance(word, str) else None
    if index is None:
        raise ValueError(f"options.word = {word!r}: not one of the {len(objects())} objects, such as 'Cat' or 'TV'")
    return index


def phrases() -> list[str]:
    """Texts worth a token each: the header, the answers, and the two parts of what players ask."""
    return [HEADER, f"{YES}\n", f"{NO}\n", *pieces()]


def demonstrations(
    episodes: int, seed: int, *, by_chance: Share, by_category: Share, slip: Share
) -> Iterator[Trajectory]:
    """Play a mixture of players (`oracle.askers`) against the task's own rules.

    A share `by_chance` asks anything, a share `by_category` seeks the category and then tries its objects, and the rest
    asks what tells most, but with probability `slip` per question anything. Raises ValueError where shares pass 1.
    """
    if by_chance + by_category > 1:
        raise ValueError(f"by_chance + by_category = {by_chance + by_category}: shares together are at most 1")
    rng, make = random.Random(seed), partial(TwentyQuestions, simulator=Scripted())
    for _ in range(episodes):
        start = Start(rng.getrandbits(32))
        speaker = mixed(random.Random(rng.getrandbits(32)), by_chance, by_category, slip)
        yield converse(make, speaker, start, max_turns=QUESTIONS)


def mean_return(speaker: Callable[[int], Speaker]) -> float:
    """The mean return over all objects of a player, made for each by its number."""
    make = partial(TwentyQuestions, simulator=Scripted())
    starts = [Start(i, {"word": thing.names[0]}) for i, thing in enumerate(objects())]
    played = (converse(make, speaker(i), start, max_turns=QUESTIONS) for i, start in enumerate(starts))
    return sum(episode.total for episode in played) / len(starts)


def best_return() -> float:
    """That of the best honest player that we have, who asks what tells most."""
    return mean_return(lambda i: ByInformation(random.Random(i)))


def read_reference(path: Path) -> Iterator[Trajectory]:
    """Read the reference's games, one array or a game a line. Raises ValueError naming the file and the place."""
    return read_array_or_lines(path, _reference_game)


_LINE = re.compile(r"(?s)(.*?\?) +((?:yes|no)\b.*)", re.IGNORECASE)


def _reference_game(row: Any) -> Trajectory:
    if not isinstance(row, dict):
        raise ValueError(f"a row is an object with lines, correct and word, not {row!r}")
    lines, correct, word = row["lines"], row["correct"], row["word"]
    if not isinstance(correct, bool):
        raise ValueError(f"correct = {correct!r}: true or false is needed")
    turns = [Turn(HEADER, False)]
    for number, line in enumerate(lines, 1):
        question, said = _split(line)
        paid = 0.0 if correct and number == len(lines) else -1.0
        turns += Turn(question + "\n", True, paid), Turn(said + "\n", False)
    done = correct or len(lines) >= QUESTIONS
    return checked(Trajectory(tuple(turns), done, {"success": correct, "word": _first(word), "invalid_actions": 0}))


def _first(word: Any) -> str:
    names = [word] if isinstance(word, str) else word
    if not isinstance(names, list) or not names or not isinstance(names[0], str):
        raise ValueError(f"word = {word!r}: a list of names is needed")
    return names[0]


def _split(line: Any) -> tuple[str, str]:
    match = _LINE.fullmatch(line.strip()) if isinstance(line, str) else None
    if not match:
        raise ValueError(f"line {line!r}: a question, '? ' and an answer yes or no are needed")
    return match[1], yes_or_no(match[2])
