"""Comparisons of size and weight: "bigger than a breadbox", "heavier than 10 kg", "fit in a shoe box"."""

from collections.abc import Mapping, Sequence
from functools import cache

from lmrl.tasks.oracle.objects import EVERYTHING, Thing, compared, known
from lmrl.tasks.oracle.words import FRUIT, lexicon, listed, singular

HOW = ("bigger", "smaller", "longer", "shorter", "taller", "lower", "heavier", "lighter")
OPPOSITE = {"longer": "shorter", "taller": "lower", "heavier": "lighter"}


@cache
def _names() -> Mapping[tuple[str, ...], Thing]:
    names = {tuple(singular(word) for word in name.replace("'", "").split()): thing for name, thing in known().items()}
    return names | {(FRUIT,): known()["orange"]}


def _unit(kind: str, word: str) -> float | None:
    for entry in lexicon()[kind].values():
        words, _, worth = entry.partition("=")
        if word in words.split():
            return float(worth)
    return None


def _number(word: str) -> float | None:
    if word in lexicon()["numbers"]:
        return float(lexicon()["numbers"][word])
    return float(word) if word.replace(".", "", 1).isdecimal() and word.isascii() and len(word) < 9 else None


def _amount(words: Sequence[str]) -> tuple[Thing, str, int] | None:
    """`10 kg`: something of that weight or length, whether it is `heavier` or `longer`, and how many words it takes."""
    number = _number(words[0]) if words else None
    if number is None or len(words) < 2:
        return None
    for kind, how in (("units", "heavier"), ("lengths", "longer")):
        if (worth := _unit(kind, words[1])) is not None:
            return Thing(("",), (number * worth,) * 3, number * worth, number * worth), how, 2
    return None


def named(words: Sequence[str]) -> tuple[Thing, int] | None:
    """What the first words name, after articles and the like, and how many words that takes."""
    for start, word in enumerate(words):
        for size in range(min(4, len(words) - start), 0, -1):
            thing = _names().get(tuple(singular(word) for word in words[start : start + size]))
            if thing:
                return thing, start + size
        if word not in listed("between"):
            break
    return None


def measure(words: Sequence[str]) -> tuple[int, int] | None:
    """What the comparison in the first words is true of, and how many words it takes; None where there is none."""
    word = words[0]
    for how in HOW:
        if word in listed(how):
            return _than(how, words)
    if word in ("fit", "fits", "fitting") and len(words) > 2 and words[1] in ("in", "inside", "into", "within", "on"):
        return _against("fits", words, 2)
    if word in ("more", "less", "over", "under"):
        return _more(word in ("more", "over"), words)
    if word == "as" and len(words) > 3 and words[2] == "as":
        return _as(words)
    return None


def _than(how: str, words: Sequence[str]) -> tuple[int, int] | None:
    if "than" not in words[:5]:
        return None
    start = words[:5].index("than") + 1
    if amount := _amount(words[start:]):
        thing, kind, size = amount
        kind = "taller" if kind == "longer" and how in ("taller", "lower") else kind
        up = how in ("bigger", "longer", "taller", "heavier")
        return compared(kind if up else OPPOSITE[kind], thing), start + size
    return _against(how, words, start)


def _against(how: str, words: Sequence[str], start: int) -> tuple[int, int] | None:
    found = named(words[start:])
    return (compared(how, found[0]), start + found[1]) if found else None


def _more(up: bool, words: Sequence[str]) -> tuple[int, int] | None:
    """More than ten pounds."""
    start = 2 if len(words) > 1 and words[1] == "than" else 1
    amount = _amount(words[start:])
    if not amount:
        return None
    thing, how, size = amount
    return compared(how if up else OPPOSITE[how], thing), start + size


def _as(words: Sequence[str]) -> tuple[int, int] | None:
    """As big as, which is no smaller; as small as, no bigger."""
    opposite = {"big": "smaller", "large": "smaller", "tall": "lower", "long": "shorter", "heavy": "lighter",
                "small": "bigger", "short": "longer", "light": "heavier"}.get(words[1])  # fmt: skip
    found = _against(opposite, words, 3) if opposite else None
    return (EVERYTHING & ~found[0], found[1]) if found else None
