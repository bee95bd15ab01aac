"""Whether what a question of yes or no says of a city is so: True, False, or None where that cannot be said."""

import re
from collections.abc import Callable

from lmrl.tasks.citizen.cities import City, cities
from lmrl.tasks.citizen.words import words

_AMERICAS = {"North America", "South America"}


def is_in(city: City, place: str) -> bool:
    """Whether a city lies in a part of the world by the name that `patterns` gives it."""
    region, continents = city.country.region, set(city.continents)
    latin = "South America" in continents or city.country.iso in ("MX", "CU")
    known = {
        "Latin America": latin,
        "the Americas": bool(continents & _AMERICAS),
        "the Middle East": region == "the Middle East" or city.country.iso == "EG",
        "Europe": "Europe" in continents,
        "South Africa": False,
        "Northern Europe": city.country.iso == "GB" or city.name == "Saint Petersburg",
        "the northern hemisphere": city.latitude > 0,
        "the southern hemisphere": city.latitude < 0,
        "the eastern hemisphere": city.longitude > 0,
        "the western hemisphere": city.longitude < 0,
        "the tropics": abs(city.latitude) < 23.4,
    }
    return known.get(place, place == region or place in continents)


_ISLANDS = {"AU", "CU", "GB", "ID", "JP", "PH", "SG", "TW"}
_WARM, _COLD = r"(?:hot|warm)", r"(?:cold|chilly|cool|harsh)"
_RAINY = r"rainy|wet|rains? (?:a lot|much|often|frequently)|lots? of rain|heavy rain|much rain|rain"


def _has(feature: str) -> Callable[[City], bool | None]:
    """Our table of what a city has is no table of what it lacks."""
    return lambda city: True if feature in city.has else None


def _beyond(low: float, value: float, high: float) -> bool | None:
    """True above, False below, None between."""
    return None if low < value < high else value >= high


def _when(season: str, how: str) -> str:
    return f"{how} (?:in|during) (?:the )?{season}s?|{how} {season}s?|{season}s? (?:are )?(?:very |really )?{how}"


_FLAGS: list[tuple[str, str, Callable[[City], bool | None]]] = [
    ("water", r"island (?:nation|country|state)", lambda c: c.country.iso in _ISLANDS),
    ("water", r"inland sea", lambda c: None),
    ("water", r"sea|seas|ocean|coast\w*|seaside|shores?", lambda c: None if "near_sea" in c.has else "sea" in c.has),
    ("water", r"landlocked|inland", lambda c: None if "near_sea" in c.has else "sea" not in c.has),
    ("water", r"rivers?", _has("river")),
    ("water", r"lakes?", _has("lake")),
    ("water", r"ports?|harbou?rs?", _has("port")),
    ("water", r"beach(?:es)?", _has("beach")),
    ("water", r"straits?", _has("strait")),
    ("water", r"peninsula", _has("peninsula")),
    ("water", r"deserts?", _has("desert")),
    ("water", r"volcano\w*|volcanic", _has("volcano")),
    ("water", r"islands?", lambda c: "island" in c.has),
    ("water", r"mountain\w*|hills?|hilly", lambda c: _beyond(0, ("mountain" in c.has) - ("flat" in c.has) + 0.5, 1)),
    ("water", r"flat", lambda c: _beyond(0, ("flat" in c.has) - ("mountain" in c.has) + 0.5, 1)),
    ("water", r"high (?:up|above)|highlands?|(?:high )?altitude", lambda c: c.altitude >= 500),
    ("transport", r"metro|subway|underground", lambda c: "metro" in c.has),
    ("sport", r"olympics?|olympic games", lambda c: "olympics" in c.has),
    ("capital", r"capital", lambda c: c.capital),
    ("climate", r"snow\w*", lambda c: _beyond(-12, -c.coldest, -1)),
    ("climate", r"freez\w*|frost\w*|below zero|icy", lambda c: _beyond(-8, -c.coldest, 0)),
    ("climate", _when("winter", _WARM), lambda c: _beyond(10, c.coldest, 16)),
    ("climate", _when("winter", _COLD), lambda c: _beyond(-13, -c.coldest, -7)),
    ("climate", _when("summer", _WARM), lambda c: _beyond(20, c.warmest, 24)),
    ("climate", _when("summer", _COLD), lambda c: _beyond(-23, -c.warmest, -19)),
    ("climate", r"tropical", lambda c: c.coldest >= 18 and c.rain >= 600 and abs(c.latitude) < 23.5),
    ("climate", r"humid|muggy|sticky", lambda c: True if c.rain >= 900 and c.warmest >= 24 else None),
    ("climate", _RAINY, lambda c: _beyond(450, c.rain, 1000)),
    ("climate", r"dry|arid", lambda c: _beyond(-800, -c.rain, -450)),
    (
        "climate",
        r"(?:four|4|distinct|different) (?:distinct )?seasons",
        lambda c: _beyond(8, c.warmest - c.coldest, 14),
    ),
    ("climate", r"mild|temperate", lambda c: True if c.coldest >= 5 and c.warmest <= 25 else None),
    ("climate", r"cold|chilly", lambda c: _beyond(-12, -c.coldest, -1)),
    ("climate", r"hot", lambda c: _beyond(16, (c.coldest + c.warmest) / 2, 22)),
    ("climate", r"warm", lambda c: _beyond(13, (c.coldest + c.warmest) / 2, 18)),
    ("population", r"(?:largest|biggest|most populous)", lambda c: _beyond(4e6, c.population, 8e6)),
    (
        "population",
        r"big|large|huge|crowded|populous|mega ?city|metropolis|dense\w*",
        lambda c: _beyond(1e6, c.population, 3e6),
    ),
    ("population", r"small|tiny|little", lambda c: _beyond(-2e6, -c.population, -5e5)),
    ("founded", r"old|ancient|oldest|historic\w*|centuries", lambda c: _beyond(-1800, -c.founded, -1500)),
    ("founded", r"medieval", lambda c: 500 <= c.founded < 1500),
    ("founded", r"new|modern|young|recent\w*", lambda c: _beyond(1500, c.founded, 1850)),
    ("ruler", r"king|queen|monarch\w*|royal family|emperor|kingdom", lambda c: c.country.ruler == "monarch"),
    ("ruler", r"president|republic", lambda c: c.country.ruler == "president"),
    ("side", r"left", lambda c: c.country.side == "left"),
    ("side", r"right", lambda c: c.country.side == "right"),
    ("time_difference", r"ahead", lambda c: c.hours > 0),
    ("time_difference", r"behind", lambda c: c.hours < 0),
    ("colony", r"coloni\w*|colony|colonies|ruled|independen\w*|occupied|formerly", lambda c: bool(c.country.colony)),
    ("religion", r"muslims?|islam\w*|mosques?", lambda c: _faith(c, "Islam")),
    ("religion", r"catholic\w*", lambda c: _faith(c, "Catholic")),
    ("religion", r"orthodox", lambda c: _faith(c, "Orthodox")),
    ("religion", r"christian\w*", lambda c: _faith(c, "Catholic", "Orthodox", "Christian")),
    ("religion", r"hindu\w*", lambda c: _faith(c, "Hinduism")),
    ("religion", r"buddhis\w*", lambda c: _faith(c, "Buddhism")),
    ("religion", r"secular|atheis\w*", lambda c: _faith(c, "none")),
]


def _faith(city: City, *faiths: str) -> bool | None:
    return None if city.religion == "mixed" else city.religion in faiths


_KIN = {
    "terrain": "water", "altitude": "water", "snow": "climate", "rain": "climate", "temperature": "climate",
    "hemisphere": "climate",
}  # fmt: skip
_TESTS = [(topic, re.compile(f"(?<= )(?:{pattern})(?= )"), holds) for topic, pattern, holds in _FLAGS]
_NUMBER = re.compile(r" (\d+)((?: \d{3})*)(?: (\d{1,2}))? ?(k|thousand|m|million|millions|bn|billion)? ")
_TODAY = 2025
_COUNTS = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9}
_COUNTS |= {"ten": 10, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30}
_LESS = re.compile(" (less|fewer|under|below|smaller|younger) ")
_MORE = re.compile(" (more|over|above|larger|bigger|older|exceeds?|at least|greater) ")
_UNITS = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "millions": 1e6, "bn": 1e9, "billion": 1e9}


def is_so(city: City, topic: str, text: str) -> bool | None:
    """Whether what a question of yes or no says about a topic is so; None where it cannot be said, or is two things."""
    measured = {"population": city.population, "country_population": city.country.population}
    measured["founded"] = _TODAY - city.founded
    if topic in measured and (compared := _compare(measured[topic], text)) is not None:
        return compared
    found, rest = [], text
    for kind, pattern, holds in _TESTS:
        if kind == _KIN.get(topic, topic) and pattern.search(rest):
            found.append(holds(city))
            rest = pattern.sub("", rest)
    if not found or None in found or (len(found) > 1 and " or " in text):
        return None
    return all(found)


def _compare(number_of: int, text: str) -> bool | None:
    for word, digit in _COUNTS.items():
        text = text.replace(f" {word} million ", f" {digit} million ")
    number = _NUMBER.search(text)
    if number is None:
        return None
    whole, thousands, tenth, unit = number.groups()
    size = float(f"{whole}{thousands.replace(' ', '')}.{tenth or 0}") * _UNITS.get(unit or "", 1)
    if _LESS.search(text):
        return number_of < size
    return number_of > size if _MORE.search(text) else None


_SPOKEN = re.findall(
    r"\w+",
    """
    Korean Portuguese Marathi Hindi English Indonesian Urdu Sindhi Punjabi Russian Turkish Spanish Mandarin Wu
    Japanese Thai Cantonese Arabic Persian Kurdish Bengali Telugu Tamil Kannada Gujarati Javanese Sundanese
    Vietnamese German French Lingala Italian Ukrainian Burmese Amharic Hungarian Romanian Uzbek Tagalog Malay
    Batak Hokkien Dioula Oromo Dutch Swedish Greek Polish Hebrew Swahili Chinese Farsi Filipino Bahasa Bangla
    Catalan Czech Danish Finnish Norwegian
    """,
)
_SAME = {"Chinese": "Mandarin", "Farsi": "Persian", "Filipino": "Tagalog", "Bahasa": "Indonesian", "Bangla": "Bengali"}
_CODES = {
    "English": "en", "French": "fr", "Spanish": "es", "German": "de", "Italian": "it", "Dutch": "nl", "Hindi": "hi",
    "Urdu": "ur", "Punjabi": "pa", "Tamil": "ta", "Telugu": "te", "Bengali": "bn", "Javanese": "jv", "Kurdish": "ku",
    "Russian": "ru", "Cantonese": "yue", "Swahili": "sw", "Hungarian": "hu", "Polish": "pl", "Catalan": "ca",
}  # fmt: skip
_SPEECH = re.compile("(?<= )(?:" + "|".join(_SPOKEN).casefold() + ")(?= )")


def speaks(city: City, text: str) -> bool | str | None:
    """Whether a language named is spoken; "some" if only elsewhere in the country; None if none is named."""
    named = [found.capitalize() for found in _SPEECH.findall(text)]
    if not named:
        return None
    named = [_SAME.get(name, name) for name in named] + ["Cantonese"] * ("Chinese" in named)
    if set(named) & set(city.languages):
        return True
    return "some" if {_CODES.get(name) for name in named} & city.country.languages else False


def pays(city: City, text: str) -> bool | None:
    """Whether a currency named in a question is the country's; None if none is named."""
    coins = {word for other in cities() for word in words(other.country.currency)} - {"soberano"}
    named = {word.removesuffix("s") for word in text.split()} & {coin.removesuffix("s") for coin in coins}
    return bool(named & {word.removesuffix("s") for word in words(city.country.currency)}) if named else None


def lands(labels: tuple[str, ...]) -> set[str]:
    """Codes of the countries among labels; Korea alone stands for both."""
    return {code for label in labels if label.startswith("land:") for code in label[5:].split("/")}


def is_of(city: City, labels: tuple[str, ...]) -> bool | None:
    """Whether a city is in a country named; None where that is disputed."""
    named, code = lands(labels), city.country.iso
    if code == "TW" and "CN" in named:
        return None
    return code in named or (code == "HK" and "CN" in named)
