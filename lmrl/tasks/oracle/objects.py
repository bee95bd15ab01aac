"""What Twenty Questions knows: its 158 objects, what is true of each, and the sizes of some common things besides.

The knowledge lies in `knowledge/`: `objects.csv` and `things.csv` (centimetres and kilograms, typical ones), and
`objects_*.yaml`, one attribute a line:

    cookware: {ask: is cookware, holds: "Cooking pot, Pan", words: at stove; for boil; for fry}

`ask` is how players ask for it, after a word for the frame (`reading`); without it nobody asks, and the oracle
only understands. `holds` names all it is true of, and `but` the exceptions: objects, whole categories, attributes above
it, `everything`, `nothing`, or measures such as `heavier than 10 kg`, `bigger than a chair`, `fits in a pocket`.
`words` are other ways to ask for it.

A set of objects is a whole number, whose bit i says whether object i is in it: sets are met, joined and counted fast.

Where nature is not clear, the table decides: fruits and vegetables are what a cook calls so, and are not alive once
they are food; a scooter has a motor; an office supply is what is used in an office, not what the list of objects has
under that heading; whatever can have any colour has none of its own.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

KNOWLEDGE = Path(__file__).parents[1] / "knowledge"
THEMES = ("kinds", "looks", "parts", "places", "uses")
"""The files of attributes, in the order in which they may use each other's."""


@dataclass(frozen=True, slots=True)
class Thing:
    """Something with a size."""

    names: tuple[str, ...]
    """The first is what it is called; any will do."""
    sides: tuple[float, float, float]
    """In cm, the longest first."""
    height: float
    """In cm, of what stands."""
    weight: float
    """In kg."""
    category: str = ""
    said: str = ""
    """As one asks for it: `a pair of pants`."""
    folds: bool = False

    @property
    def bulk(self) -> float:
        """The largest face, in square cm, by which people call something big; of clothes a third, as they lie."""
        return self.sides[0] * self.sides[1] * (0.3 if self.folds and self.category == "Clothes" else 1.0)


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something that is true of some objects."""

    name: str
    theme: str
    ask: str
    """A frame and what is asked in it, `at a kitchen`; empty where no player asks."""
    words: tuple[str, ...]
    """Other ways, in the same form."""
    holds: int
    """The set of objects."""


def _things(file: str) -> tuple[Thing, ...]:
    with (KNOWLEDGE / file).open(encoding="utf-8", newline="") as rows:
        return tuple(map(_thing, csv.DictReader(rows)))


def _thing(row: Mapping[str, str]) -> Thing:
    first, second, third = sorted((float(row[side]) for side in ("length", "width", "height")), reverse=True)
    return Thing(
        tuple(row["names"].split(";")),
        (first, second, third),
        float(row["height"]),
        float(row["weight"]),
        category=row.get("category", ""),
        said=row.get("said", ""),
        folds=row.get("folds") == "yes",
    )


@cache
def objects() -> tuple[Thing, ...]:
    """The 158 objects, in the benchmark's order."""
    return _things("objects.csv")


@cache
def known() -> Mapping[str, Thing]:
    """All that sizes can be compared with, by each of its names in small letters."""
    return {name.lower(): thing for thing in (*_things("things.csv"), *objects()) for name in thing.names}


EVERYTHING = (1 << 158) - 1


def those(true_of: Callable[[Thing], bool]) -> int:
    """The set of the objects of which something is true."""
    return sum(1 << i for i, thing in enumerate(objects()) if true_of(thing))


def members(mask: int) -> list[str]:
    """The names of a set's objects."""
    return [thing.names[0] for i, thing in enumerate(objects()) if mask >> i & 1]


def compared(how: str, other: Thing) -> int:
    """The objects that are `bigger`, `longer`, `taller` or `heavier` than something, or the opposite.

    Bigger by the largest face, longer by the longest side, taller by the height; nothing is bigger than its like.
    `fits`: that go into it, folded if they can be.
    """
    return those(lambda thing: _COMPARE[how](thing, other))


def _fits(thing: Thing, box: Thing) -> bool:
    if thing.folds:
        return _volume(thing) < _volume(box)
    return all(side <= room for side, room in zip(thing.sides, box.sides, strict=True))


def _volume(thing: Thing) -> float:
    return thing.sides[0] * thing.sides[1] * thing.sides[2]


_COMPARE: Mapping[str, Callable[[Thing, Thing], bool]] = {
    "bigger": lambda thing, other: thing.bulk > other.bulk,
    "smaller": lambda thing, other: thing.bulk < other.bulk,
    "longer": lambda thing, other: thing.sides[0] > other.sides[0],
    "shorter": lambda thing, other: thing.sides[0] < other.sides[0],
    "taller": lambda thing, other: thing.height > other.height,
    "lower": lambda thing, other: thing.height < other.height,
    "heavier": lambda thing, other: thing.weight > other.weight,
    "lighter": lambda thing, other: thing.weight < other.weight,
    "fits": _fits,
}

_MEASURES: Mapping[str, Callable[[str], int]] = {
    "everything": lambda _: EVERYTHING,
    "nothing": lambda _: 0,
    "what folds": lambda _: those(lambda thing: thing.folds),
    "heavier than ": lambda kg: those(lambda thing: thing.weight > float(kg.removesuffix(" kg"))),
    "lighter than ": lambda kg: those(lambda thing: thing.weight < float(kg.removesuffix(" kg"))),
    "bigger than ": lambda name: compared("bigger", _common(name)),
    "smaller than ": lambda name: compared("smaller", _common(name)),
    "fits in ": lambda name: compared("fits", _common(name)),
}


def _common(name: str) -> Thing:
    return known()[name.lower().removeprefix("a ")]


def _part(text: str, above: Mapping[str, int]) -> int:
    """The set that one part of an entry names. Raises ValueError."""
    for measure, found in _MEASURES.items():
        if text.startswith(measure):
            return found(text.removeprefix(measure))
    mask = above.get(text, 0) | those(lambda thing: text in (thing.category, thing.names[0]))
    if not mask and text not in above:
        raise ValueError(f"{text!r} is no object, no category and no attribute above")
    return mask


def _union(text: str, above: Mapping[str, int]) -> int:
    mask = 0
    for part in filter(None, map(str.strip, text.split(","))):
        mask |= _part(part, above)
    return mask


@cache
def attributes() -> Mapping[str, Attribute]:
    """All that is known, by name. Raises ValueError naming file and attribute where an entry makes no sense."""
    found: dict[str, Attribute] = {}
    for theme in THEMES:
        for name, entry in _entries(theme):
            try:
                found[name] = _attribute(name, theme, entry, found)
            except (ValueError, KeyError) as error:
                raise ValueError(f"objects_{theme}.yaml, {name}: {error}") from error
    return found


def _entries(theme: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    loaded: Any = yaml.safe_load((KNOWLEDGE / f"objects_{theme}.yaml").read_text(encoding="utf-8"))
    yield from loaded.items()


def _attribute(name: str, theme: str, entry: Mapping[str, str], found: Mapping[str, Attribute]) -> Attribute:
    if name in found or not entry.keys() <= {"ask", "holds", "but", "words"}:
        raise ValueError("an attribute stands there once, with holds and perhaps ask, but, words")
    above = {name: attribute.holds for name, attribute in found.items()}
    holds = _union(entry["holds"], above) & ~_union(entry.get("but", ""), above)
    words = tuple(filter(None, map(str.strip, entry.get("words", "").split(";"))))
    return Attribute(name, theme, entry.get("ask", ""), words, holds)


def asked() -> Sequence[Attribute]:
    """Those that players ask for."""
    return [attribute for attribute in attributes().values() if attribute.ask]
