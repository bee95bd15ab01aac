"""Scripted players of Guess My City, from those who wander to those who ask what tells most.

They know the citizens' facts and read answers back: an opening of the topic that they asked about, then the fact. None
asks about a topic twice.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import log2
from typing import Any

import yaml

from lmrl.tasks.citizen.cities import KNOWLEDGE, cities, lore
from lmrl.tasks.citizen.citizen import answer
from lmrl.tasks.citizen.facts import OWN, TOPICS, told

TURNS = 20


@dataclass(frozen=True, slots=True)
class Query:
    """What may be asked, in several wordings, and what it would tell."""

    wordings: tuple[str, ...]
    """With the line's end."""
    topic: str
    """Empty for a question of yes or no."""
    outcomes: tuple[str, ...]
    """By city: the fact after the opening, or whether it is yes."""


@cache
def _asked() -> dict[str, Any]:
    text = (KNOWLEDGE / "cities_asked.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


@cache
def queries() -> tuple[Query, ...]:
    """Every topic, then all questions of yes or no."""
    asked: dict[str, list[str]] = _asked()["open"]
    topics = [Query(tuple(f"{q}\n" for q in asked[topic]), topic, _facts(topic)) for topic in TOPICS]
    return (*topics, *_yes_no())


def _facts(topic: str) -> tuple[str, ...]:
    return tuple(told(index, topic) for index in range(len(cities())))


def _yes_no() -> Iterator[Query]:
    groups: list[dict[str, list[str]]] = _asked()["yes_no"]
    for group in groups:
        if group["of"] == [""]:
            yield from (_query((f"{form}\n",)) for form in group["ask"])
        else:
            yield from (_query(tuple(f"{form.format(of)}\n" for form in group["ask"])) for of in group["of"])


def _query(wordings: tuple[str, ...]) -> Query:
    said = [answer(index, wordings[0], 0, 0).text for index in range(len(cities()))]
    return Query(wordings, "", tuple(map(verdict, said)))


def verdict(said: str) -> str:
    """What a citizen's short answer says: yes, no, or nothing."""
    return (
        "yes" if said.startswith(("Yes", "That is right")) else "no" if said.startswith(("No,", "I am afraid")) else ""
    )


def outcome(query: Query, said: str) -> str | None:
    """What an answer told, as the query's outcomes put it; None where it cannot be read."""
    if not query.topic:
        return verdict(said)
    line = said.removesuffix("\n").removesuffix(".")
    if f"{line}." in lore()["none"].get(query.topic, ()):
        return ""
    openings: list[str] = lore()["topics"][query.topic]["say"]
    return next((line.removeprefix(start) for start in openings if line.startswith(start)), None)


def utterances() -> Iterator[str]:
    """Every question, and the two parts of a guess."""
    for query in queries():
        yield from query.wordings
    guesses: list[str] = _asked()["guesses"]
    yield from guesses
    yield from (f"{name}?\n" for city in cities() for name in city.names)


class Traveller:
    """Asks, strikes out cities by the answers that it understands, and guesses when its time has come."""

    def __init__(
        self,
        rng: random.Random,
        *,
        wit: float,
        choice: int,
        sure: bool,
        dull: bool = False,
        among: Sequence[Query] = (),
    ) -> None:
        """`wit`: probability of understanding an answer; `choice`: out of so many questions, what tells most is asked.

        `sure`: it guesses as soon as one city is left; else at the last question. `dull`: and now and then before.
        """
        self._rng, self._wit, self._choice, self._sure, self._dull = rng, wit, choice, sure, dull
        self._left = list(range(len(cities())))
        self._queries = [*(among or queries())]
        self._asked: Query | None = None
        self._turn = 0
        self._guessed: int | None = None

    def say(self, told: str) -> str:
        """See `Speaker`."""
        self._learn(told)
        self._turn += 1
        if self._turn >= TURNS or (self._sure and len(self._left) <= 1) or self._is_rash() or not self._queries:
            return self._guess()
        self._asked = self._next()
        self._queries.remove(self._asked)
        return self._rng.choice(self._asked.wordings)

    def _is_rash(self) -> bool:
        return self._dull and self._rng.random() < 0.1

    def _guess(self) -> str:
        self._asked = None
        self._guessed = self._rng.choice(self._left or range(len(cities())))
        starts: list[str] = _asked()["guesses"]
        start = self._rng.choice(starts)
        names = cities()[self._guessed].names
        return f"{start}{names[0] if self._rng.random() < 0.9 else self._rng.choice(names)}?\n"

    def _learn(self, told: str) -> None:
        if self._guessed is not None:
            self._left, self._guessed = [i for i in self._left if i != self._guessed], None
        if self._asked is None or self._rng.random() >= self._wit:
            return
        seen = outcome(self._asked, told)
        kept = [i for i in self._left if self._asked.outcomes[i] == seen]
        self._left = kept or self._left

    def _next(self) -> Query:
        if self._choice == 1:
            return self._rng.choice(self._queries)
        some = self._rng.sample(self._queries, min(self._choice, len(self._queries)))
        return max(some, key=self._tells)

    def _tells(self, query: Query) -> float:
        """Bits that an answer is expected to tell, of the cities left."""
        counts = Counter(query.outcomes[i] for i in self._left)
        return -sum(n * log2(n / len(self._left)) for n in counts.values())


@cache
def _coarse() -> tuple[Query, ...]:
    """What many cities share: all but the facts in words of our own."""
    return tuple(query for query in queries() if query.topic not in (*OWN, "temperature", "population"))


@cache
def _open() -> tuple[Query, ...]:
    return tuple(query for query in queries() if query.topic)


def drawn(rng: random.Random, *, wander: float, seek: float, wit: float) -> Traveller:
    """A player of a mixture; see `guess_city.demonstrations`."""
    draw = rng.random()
    if draw < wander:
        return Traveller(rng, wit=0.0, choice=1, sure=False, dull=True)
    if draw < wander + seek:
        return Traveller(rng, wit=1.0, choice=3, sure=True, among=_coarse())
    return Traveller(rng, wit=rng.random() * wit, choice=1, sure=False, among=_open())


def seeker(rng: random.Random) -> Traveller:
    """The best player known: asks what tells most of all that can be asked, and guesses as soon as it is sure."""
    return Traveller(rng, wit=1.0, choice=len(queries()), sure=True)
