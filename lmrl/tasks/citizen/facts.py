"""What a citizen tells about a topic."""

from collections.abc import Callable, Mapping
from functools import cache

from lmrl.tasks.citizen.cities import City, cities
from lmrl.tasks.citizen.words import plain_words

FAITHS = {
    "Islam": "most people are Muslims",
    "Catholic": "most people are Catholics",
    "Orthodox": "most people are Orthodox Christians",
    "Christian": "there are Christians of many churches, and others",
    "Hinduism": "most people are Hindus",
    "Buddhism": "most people keep Buddhist customs",
    "mixed": "there are several faiths and none has a majority",
    "none": "most people follow none",
}
RULERS = {
    "president": "We have a president",
    "monarch": "There is a crown above our government",
    "other": "Neither a crown nor a free election decides who leads us",
}


@cache
def told(city_index: int, topic: str) -> str:
    """What is said of a topic after an opening, without the full stop; empty where there is nothing."""
    city = cities()[city_index]
    return _TELL[topic](city) if topic in _TELL else city.facts[topic]


def amount(number: int) -> str:
    """A number of people as one says it: 890 thousand, 8.5 million, 1.4 billion."""
    for unit, size in (("billion", 10**9), ("million", 10**6)):
        if number >= size:
            return f"{number / size:.0f} {unit}" if number >= 10 * size else f"{number / size:.1f} {unit}"
    return f"{round(number / 10_000) * 10} thousand"


def shift(hours: float) -> str:
    """The clock compared with London's: 5 and a half hours ahead."""
    if not hours:
        return "at the same time"
    whole, half = divmod(abs(hours), 1)
    unit = "hour" if whole == 1 and not half else "hours"
    return f"{whole:.0f}{' and a half' if half else ''} {unit} {'ahead' if hours > 0 else 'behind'}"


def languages(city: City) -> str:
    """The languages, without one whose name would tell the country's."""
    kept = [_tongue(city, language) for language in city.languages]
    return " and ".join([", ".join(kept[:-1]), kept[-1]] if len(kept) > 1 else kept)


def _tongue(city: City, language: str) -> str:
    if not city.secrets([language]):
        return language
    return city.country.tongue or ("our national language" if city.country.iso == "ID" else "the tongue of this region")


def neighbours(city: City) -> str:
    """The neighbouring countries; one named nearly as our own is not named."""
    kept = [
        "a country with nearly our name" if city.secrets(plain_words(name)) else name
        for name in city.country.neighbours
    ]
    return " and ".join([", ".join(kept[:-1]), kept[-1]] if len(kept) > 1 else kept)


def _half(city: City) -> str:
    side = "north" if city.latitude > 0 else "south"
    length = "near the line of Greenwich" if abs(city.longitude) < 5 else ("east" if city.longitude > 0 else "west")
    hot = ", in the tropics" if abs(city.latitude) < 23.4 else ""
    return f"{side} of the equator{hot} and {length + ' of Greenwich' if len(length) == 4 else length}"


def _height(city: City) -> str:
    if city.altitude < 50:
        return "hardly above the level of the sea"
    return f"at some {100 if city.altitude < 200 else round(city.altitude, -2)} metres"


def _began(city: City) -> str:
    for year, when in ((-500, "long before our era"), (500, "in ancient times"), (1500, "in the Middle Ages")):
        if city.founded < year:
            return when
    return "between 1500 and 1800" if city.founded < 1800 else "after 1800"


def _snow(city: City) -> str:
    for degrees, how in ((-1, "Snow falls every winter"), (6, "Snow falls now and then"), (12, "Snow is very rare")):
        if city.coldest <= degrees:
            return how
    return "It practically never snows"


def _rain(city: City) -> str:
    for limit, how in ((60, "It hardly ever rains"), (450, "It rains little"), (900, "It rains a fair amount")):
        if city.rain < limit:
            return how
    return "It rains a good deal" if city.rain < 1500 else "It rains a great deal"


_TELL: Mapping[str, Callable[[City], str]] = {
    "neighbours": neighbours,
    "time_difference": lambda city: shift(city.hours),
    "language": languages,
    "hemisphere": _half,
    "continent": lambda city: " and ".join(city.continents),
    "region": lambda city: city.country.region,
    "capital": lambda city: "My city is the capital" if city.capital else "My city is not the capital",
    "population": lambda city: f"{amount(city.population)} people",
    "country_population": lambda city: f"{amount(city.country.population)} people",
    "currency": lambda city: city.country.currency,
    "flag": lambda city: city.country.flag,
    "religion": lambda city: FAITHS[city.religion],
    "side": lambda city: city.country.side,
    "ruler": lambda city: RULERS[city.country.ruler],
    "colony": lambda city: city.country.colony and f"We were once ruled from {city.country.colony}",
    "founded": _began,
    "altitude": _height,
    "temperature": lambda city: f"{city.coldest} degrees in the coldest month and {city.warmest} in the warmest",
    "snow": _snow,
    "rain": _rain,
}
OWN = (
    *("landmark", "food", "climate", "history", "industry", "sport"),
    *("water", "transport", "festival", "terrain", "culture"),
)
TOPICS = (*_TELL, *OWN)
