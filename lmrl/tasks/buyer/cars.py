"""Cars and their buyers as both sides of Car Dealer know them: brands, types, features, list prices, personalities."""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

KNOWLEDGE = Path(__file__).parents[1] / "knowledge"


@cache
def known(name: str) -> Any:
    """A file of knowledge, read once: YAML as it stands."""
    return yaml.safe_load((KNOWLEDGE / name).read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Character:
    """How a personality deals; `cars.yaml` says what each of these is."""

    register: str
    patience: float
    firm: float
    opens: float
    candid: str
    tells: bool


_CARS: Mapping[str, Any] = known("cars.yaml")
BUDGETS: tuple[int, ...] = tuple(_CARS["budgets"])
BRANDS: tuple[str, ...] = tuple(_CARS["brands"])
"""With their articles, as the reference tells them: `a BMW`, `an Audi`."""
TYPES: tuple[str, ...] = tuple(_CARS["types"])
ADJECTIVES = ("luxury", "electric")
"""Types that are no nouns: of a car, or of another type."""
FEATURES: tuple[str, ...] = tuple(_CARS["features"])
CHARACTERS: Mapping[str, Character] = {name: Character(**row) for name, row in _CARS["personalities"].items()}
PERSONALITIES: tuple[str, ...] = tuple(CHARACTERS)
EXTRA: Mapping[str, int] = {name: row["price"] for name, row in _CARS["features"].items()}
"""Dollars that a feature adds to the list price."""


def bare(brand: str) -> str:
    """A brand without its article.

    >>> bare("an Audi")
    'Audi'
    """
    return brand.partition(" ")[2]


def _prices() -> dict[tuple[str, str], int]:
    articled = {bare(brand): brand for brand in BRANDS}
    with (KNOWLEDGE / "cars_prices.csv").open(encoding="utf-8", newline="") as file:
        return {(articled[row["brand"]], kind): int(row[kind]) for row in csv.DictReader(file) for kind in TYPES}


BASE: Mapping[tuple[str, str], int] = _prices()
"""List price in dollars by brand and type, without any of the features."""


@dataclass(frozen=True, slots=True)
class Car:
    """A car to be had: any brand builds any type here, with any of the features."""

    brand: str
    type: str
    features: frozenset[str] = frozenset()

    @property
    def listed(self) -> int:
        """Its list price in dollars, a multiple of 500.

        >>> Car("a BMW", "SUV", frozenset({"sunroof"})).listed
        63500
        """
        return BASE[self.brand, self.type] + sum(EXTRA[feature] for feature in self.features)


def _pattern(forms: Mapping[str, str]) -> re.Pattern[str]:
    """One pattern of which group `_<i>` is the i-th name."""
    arms = (rf"(?P<_{i}>{said})" for i, said in enumerate(forms.values()))
    return re.compile(rf"(?<![\w-])(?:{'|'.join(arms)})(?![\w])", re.IGNORECASE | re.ASCII)


SAID: Mapping[str, tuple[tuple[str, ...], re.Pattern[str]]] = {
    "brand": (BRANDS, _pattern(_CARS["brands"])),
    "type": (TYPES, _pattern(_CARS["types"])),
    "feature": (FEATURES, _pattern({name: row["said"] for name, row in _CARS["features"].items()})),
}


def mentions(kind: str, text: str) -> list[tuple[str, int]]:
    """Which brands, types or features a text names, and where.

    >>> mentions("brand", "A beamer, or an audi")
    [('a BMW', 2), ('an Audi', 16)]
    """
    names, pattern = SAID[kind]
    return [(names[int(str(hit.lastgroup)[1:])], hit.start()) for hit in pattern.finditer(text)]


def dollars(amount: int) -> str:
    """An amount as people write it.

    >>> dollars(45000)
    '$45,000'
    """
    return f"${amount:,}"


def on_grid(amount: float) -> int:
    """The nearest multiple of $500, which are the amounts that scripted people name; at least the first."""
    return max(1, round(amount / 500)) * 500


def a_car(brand: str, kind: str) -> str:
    """Brand and type as people say them.

    >>> a_car("a BMW", "SUV"), a_car("an Audi", "luxury")
    ('a BMW SUV', 'an Audi luxury car')
    """
    return f"{brand} {kind} car" if kind in ADJECTIVES else f"{brand} {kind}"


def a_feature(name: str) -> str:
    """A feature with its article, if it takes one.

    >>> a_feature("sunroof"), a_feature("heated seats")
    ('a sunroof', 'heated seats')
    """
    return f"a {name}" if _CARS["features"][name].get("counted") else name


def listing(names: Iterable[str]) -> str:
    """Some features in words.

    >>> listing(["sunroof", "heated seats", "Apple CarPlay"])
    'a sunroof, heated seats and Apple CarPlay'
    """
    *most, last = map(a_feature, names)
    return f"{', '.join(most)} and {last}" if most else last
