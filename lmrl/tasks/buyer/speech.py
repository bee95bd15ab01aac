"""How the buyers of Car Dealer talk: wordings by personality, drawn by the seed, and the tag that closes a dialogue."""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from string import Formatter

from lmrl.tasks.buyer.cars import BRANDS, BUDGETS, CHARACTERS, FEATURES, TYPES, a_car, a_feature, dollars, known

Wordings = Mapping[str, Sequence[str]]
OPENERS: Wordings = known("cars_buyer.yaml")["openers"]
LINES: Mapping[str, Wordings] = known("cars_buyer.yaml")["lines"]
_FIELD = re.compile(r"\{\w+\}")


def worded(wordings: Sequence[str], rng: random.Random, fields: Mapping[str, str]) -> str:
    """One of some wordings, its fields filled in."""
    chosen = wordings[int(rng.random() * len(wordings))]
    return chosen.format_map(fields) if "{" in chosen else chosen


def speak(personality: str, moves: Sequence[str], rng: random.Random, fields: Mapping[str, str]) -> str:
    """A line that makes some moves, perhaps with an opener."""
    character = CHARACTERS[personality]
    sentences = [worded(LINES[move][character.register], rng, fields) for move in moves]
    if rng.random() < character.opens and "leave" not in moves:
        sentences.insert(0, worded(OPENERS[personality], rng, fields))
    return " ".join(sentences)


def pieces(wording: str) -> list[str]:
    """The texts between the fields of a wording."""
    return [text for text, *_ in Formatter().parse(wording) if text]


MOST_TOLD = 130_000
"""Dollars; the grid of amounts that are one token each ends here."""


def names() -> Iterator[str]:
    """What fills fields: prices on a grid of $500, cars, features in lists."""
    yield from (dollars(amount) for amount in range(500, MOST_TOLD + 1, 500))
    for brand in BRANDS:
        yield from (a_car(brand, kind) for kind in TYPES)
    for feature in map(a_feature, FEATURES):
        yield from (feature, f", {feature}", f" and {feature}")


def ended(texts: Sequence[str]) -> Iterator[str]:
    """Pieces of wordings as they stand in a line: the last of each closed by a blank or the line's end as well."""
    for text in texts:
        *inner, last = pieces(text) or [""]
        yield from inner
        if text.endswith(last) and last:
            yield from (last, f"{last} ", f"{last}\n")


def phrases() -> list[str]:
    """Texts of the buyers worth a token each."""
    wordings = [text for part in (*LINES.values(), OPENERS) for texts in part.values() for text in texts]
    return list(dict.fromkeys([*names(), *ended(wordings)]))


assert set(OPENERS) == set(CHARACTERS)
assert max(BUDGETS) < MOST_TOLD
