r"""Guess My City: somebody answers questions about the city that they are from; find out which it is.

    Questions:
    Which continent is your city on?
    You find us in South America.
    What food is your city known for?
    You should try raw fish in lime juice with onion and chilli.
    Is it Lima?
    Yes, you have found it, I am from Lima.

A question pays -1, the winning one 0. Whoever names the city, in any spelling and in any sentence that names no other,
has won, even if it was named only to compare with it; naming several at once never wins. The end, won or after twenty
questions, is terminal. An utterance that is empty or longer than 500 characters is not heard, and counts.

The cities, their order, rewards and ends are those of LMRL-Gym (abdulhaim/LMRL-Gym at 911d726). Departures, with the
reference's file:

- `guess_city/env/data.py:341-347`: the test of a win compared characters with words, so no game could be won. Here it
  is what the data was made by, that the question holds the name, as whole words: `Romeo` does not name Rome.
- `guess_city/env/oracle.py:42-64`: every answer was cut to Yes or No. Here open answers stay open.
- `guess_city/env/data.py:54`: the first city, Seoul, was lost. Here there are a hundred, under their names of today.
- `guess_city/env/oracle.py`: the prompt asked for the truth about an object. Here it says what the data's answers
  follow: a person of the city, one natural sentence, no name. Names that a model lets slip are taken out.
- `guess_city/env/data.py`: a line was split at the last question mark, and an answer's own question moved to the asker.
  Here it is split at the first, where the data's asker was cut.
- Other spellings lay unused (`global_cities_dict.py`). Here all win, in any case and with or without accents.
"""

import random
from collections.abc import Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from lmrl.dialogue import Ask, Dialogue, Scripted, Simulator, Talk, heard
from lmrl.kinds import Share
from lmrl.rollout import converse
from lmrl.task import Start, Step
from lmrl.tasks.citizen.cities import cities
from lmrl.tasks.citizen.citizen import answer, discreet, name_in, sentences
from lmrl.tasks.citizen.travellers import drawn, utterances
from lmrl.tasks.citizen.words import words
from lmrl.trajectory import Trajectory, Turn, checked, read_array_or_lines

HEADER = "Questions:\n"
QUESTIONS = 20
LONGEST = 500
"""Characters of a question that are heard."""
UNHEARD = "I did not hear a question."
_PROMPT = (
    "You are a person from {city} in {country}. Somebody wants to find out which city you are from and asks about it. "
    "Answer the question in one short and natural sentence, truthfully and as somebody who lives there. Never say the "
    "name of the city or of the country, unless the question itself guesses the city rightly; then confirm it.\n"
    "Question: {question}\nAnswer: "
)


class GuessCity(Dialogue):
    r"""One game after another.

    >>> game = GuessCity(simulator=Scripted())
    >>> game.reset(seed=0, options={"city": "Lima"})
    'Questions:\n'
    >>> game.step("Is it Bogota?\n").reward, game.step("Then it must be Lima!\n").reward
    (-1.0, 0.0)
    """

    def __init__(self, *, simulator: Simulator) -> None:
        self.simulator = simulator
        self._seed = self._hidden = self._left = 0

    def reset(self, seed: int, options: Mapping[str, Any] | None = None) -> str:
        """Draw a city by the seed, or take that of options {"city": "Lima"}, in any of its spellings."""
        self._hidden, self._seed, self._left = _hide(seed, options or {}), seed, QUESTIONS
        return HEADER

    def talk(self, action: str) -> Talk:
        """Answer one question."""
        if not self._left:
            raise RuntimeError(
                "Guess My City has no running game: call reset before the first question and after the end"
            )
        self._left -= 1
        said = heard(action, LONGEST + 1)
        if not said or len(said) > LONGEST:
            return self._step(UNHEARD, {"invalid_action": True}, won=False)
        won = name_in(said) == cities()[self._hidden].name
        reply = yield self._ask(said, won)
        info = {key: reply.info[key] for key in ("understood",) if key in reply.info}
        return self._step(self._read(won, reply.text), info, won=won)

    def _ask(self, said: str, won: bool) -> Ask:
        city, turn = cities()[self._hidden], QUESTIONS - self._left
        prompt = _PROMPT.format(city=city.name, country=city.country.name, question=said)
        scripted = partial(answer, self._hidden, said, self._seed, turn)
        return Ask(prompt=prompt, scripted=scripted, seed=self._seed * 64 + turn, read=partial(self._read, won))

    def _read(self, won: bool, text: str) -> str:
        """One line of a reply, without the names where the question has not found them; never empty."""
        line = heard(text, LONGEST)
        return (line if won else discreet(line, cities()[self._hidden])) or "I cannot say."

    def _step(self, text: str, info: Mapping[str, Any], *, won: bool) -> Step:
        reward, observation = 0.0 if won else -1.0, f"{text}\n"
        if self._left and not won:
            return Step(observation, reward, info=info)
        self._left = 0
        found = {**info, "success": won, "city": cities()[self._hidden].name}
        return Step(observation, reward, done=True, info=found)


@cache
def _spellings() -> dict[tuple[str, ...], int]:
    return {words(name): i for i, city in reversed([*enumerate(cities())]) for name in city.names}


def _hide(seed: int, options: Mapping[str, Any]) -> int:
    for key in options.keys() - {"city"}:
        raise ValueError(f"options.{key} = {options[key]!r}: Guess My City takes only 'city'")
    if "city" not in options:
        return random.Random(seed).randrange(len(cities()))
    name = options["city"]
    index = _spellings().get(words(name)) if isinstance(name, str) else None
    if index is None:
        raise ValueError(f"options.city = {name!r}: not one of the {len(cities())} cities, such as 'Lima' or 'Seoul'")
    return index


def demonstrations(episodes: int, seed: int, *, wander: Share, seek: Share, wit: Share) -> Iterator[Trajectory]:
    """Play a mixture that returns what the published data does, mostly by guesses at the end.

    A share `wander` asks anything and guesses anything; a share `seek` asks what tells most and guesses when it is
    sure. The others ask one topic after another, understand each answer with a probability up to `wit` that is drawn
    for each player, and keep their guess for the last question.
    """
    rng = random.Random(seed)
    env = GuessCity(simulator=Scripted())
    for _ in range(episodes):
        speaker = drawn(random.Random(rng.getrandbits(32)), wander=wander, seek=seek, wit=wit)
        yield converse(lambda: env, speaker, Start(rng.getrandbits(32)), max_turns=QUESTIONS)


def phrases() -> list[str]:
    """Texts worth a token each: the header, what players ask, and openings and facts of answers."""
    return [text for text in dict.fromkeys([HEADER, f"{UNHEARD}\n", *utterances(), *sentences()]) if text]


def read_reference(path: Path) -> Iterator[Trajectory]:
    """Read the reference's games: an array or lines of {"lines", "correct", "word"}, or as its generator wrote them.

    Raises ValueError naming the file, the place and the reason.
    """
    return read_array_or_lines(path, _reference_game)


def _reference_game(row: Any) -> Trajectory:
    if not isinstance(row, dict):
        raise ValueError(f"a row is an object with lines, correct and word, not {row!r}")
    raw = "conversation" in row
    lines, correct, word = row["conversation" if raw else "lines"], row["done" if raw else "correct"], row["word"]
    if not isinstance(lines, list) or not 0 < len(lines) <= QUESTIONS:
        raise ValueError(f"lines: from one to {QUESTIONS} questions with their answers are needed")
    if not isinstance(correct, bool):
        raise ValueError(f"correct = {correct!r}: true or false is needed")
    turns = [Turn(HEADER, False)]
    for number, line in enumerate(lines, 1):
        question, told = _halves(line, number)
        turns += Turn(question, True, 0.0 if correct and number == len(lines) else -1.0), Turn(told, False)
    info = {"success": correct, "city": _city(word), "invalid_actions": 0}
    return checked(Trajectory(tuple(turns), correct or len(lines) == QUESTIONS, info))


def _halves(line: Any, number: int) -> tuple[str, str]:
    """Question and answer of a line, each with the line's end."""
    if not isinstance(line, str) or "?" not in line:
        raise ValueError(f"line {number}: {line!r} has no question mark after a question")
    question, _, told = line.partition("?")
    return " ".join(question.split()) + "?\n", " ".join(told.split()) + "\n"


def _city(word: Any) -> str:
    """The name, as we write it, of `lima,peru` or ["lima", …]."""
    name = word[0] if isinstance(word, list) and word else word
    if not isinstance(name, str):
        raise ValueError(f"word = {word!r}: a city is needed, such as 'lima,peru'")
    index = _spellings().get(words(name.split(",")[0]))
    return cities()[index].name if index is not None else name
