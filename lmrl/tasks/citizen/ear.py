"""What a question asked of a citizen means: its topic, whether yes or no answers it, and the places that it names.

A question is read as words without case, accents and punctuation. Names of cities come first, then requests for what
must not be told, then countries and parts of the world, then the topic whose words and phrases (`cities_talk.yaml`)
cover most of it. Longer phrases count more than as many single words.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from lmrl.tasks.citizen.cities import atlas, lore, peoples
from lmrl.tasks.citizen.patterns import PLACES, REFUSED, SMALL, WHO_RULES
from lmrl.tasks.citizen.words import plain_words


@dataclass(frozen=True, slots=True)
class Question:
    """What was understood of an utterance."""

    kind: str
    """A topic, `guess`, `many`, `country`, `place`, a key of `refused` or `small`, `detail` or `unknown`."""
    text: str = " "
    """Its words, with a blank before, between and after."""
    polar: str = ""
    """How an answer of yes or no goes on, such as "it is"; empty where a question is open."""
    labels: tuple[str, ...] = ()
    """Cities, countries or parts of the world that it names, without repetition."""


_PLACE = re.compile("|".join(f"(?P<p{i}>(?<= )(?:{pattern})(?= ))" for i, pattern in enumerate(PLACES.values())))
_PLACE_NAMES = tuple(PLACES)

_OPEN = re.compile(
    r"^ (?:(?:and|so|ok|okay|well|please|now|also|but|then|hi|hello|hey|alright) )*"
    r"(?:(?:can|could|would|will) (?:you |i |we |u )?(?:please |kindly )?"
    r"(?:tell|describe|name|give|explain|share|list|say|talk|know|ask|elaborate)|"
    r"do you (?:know|mind|remember)|are you able to|(?:what|whats|which|where|wheres|when|why|"
    r"how|hows|who|whose|in what|in which|on which|on what|at what|to which|from what|from which|for what|with which|"
    r"tell|describe|name|give|list|explain|talk|say|share|show|i (?:want|would like|d like|wonder|am curious)|"
    r"id like|let me know|about how|roughly how|approximately how|any|is it (?:hot or|cold or)|speaking of) )"
)
_INNER = re.compile(r" (what|which|how many|how much|how big|how old|how far|whats|how is|how do|how does) ")
_AUX = {
    "is": "it is", "isnt": "it is", "are": "we are", "arent": "we are", "do": "we do", "dont": "we do",
    "does": "it does", "doesnt": "it does", "can": "you can", "could": "you can",
    "has": "it has", "hasnt": "it has", "have": "we have",
    "was": "it was", "were": "we were", "wasnt": "it was", "did": "it did", "didnt": "it did", "its": "it is",
}  # fmt: skip
_THEY = {"people", "most", "locals", "citizens", "they", "the", "winters", "summers", "many", "residents", "folks"}


def _polar(text: str) -> str:
    """How yes or no would go on after this question; empty where it is open."""
    if _OPEN.search(text) or _INNER.search(" ".join(text.split()[1:])[:60].join("  ")):
        return ""
    said = re.sub(r"^ (?:(?:and|so|ok|well|but|then|please|also|now) )+", " ", text).split()
    tail = _AUX.get(said[0], "that is") if said else ""
    second = said[1] if len(said) > 1 else ""
    if second == "there":
        return {"it is": "there is", "we are": "there are", "it was": "there was", "we were": "there were"}.get(
            tail, tail
        )
    if second in _THEY and tail.startswith("we"):
        return f"they{tail[2:]}"
    return "I do" if tail == "we do" and second == "you" and " you like " in text else tail


@cache
def _ears() -> list[tuple[str, re.Pattern[str]]]:
    return [(topic, heard_as(entry["hear"])) for topic, entry in lore()["topics"].items()]


def heard_as(entries: list[Any]) -> re.Pattern[str]:
    """A pattern of words and phrases, a star standing for any ending; the longest is found first."""
    alternatives = sorted(map(str, entries), key=len, reverse=True)
    return re.compile(
        "(?<= )(?:" + "|".join(re.escape(entry).replace(r"\*", r"\w*") for entry in alternatives) + ")(?= )"
    )


_WEAK = frozenset(
    ("big", "large", "huge", "small", "ancient", "once", "past", "try", "old", "cars", "fair")
    + ("work", "works", "game", "games", "natural", "size", "flat")
)
"""Words that are of a topic where nothing else is."""


def topic_of(text: str) -> str:
    """The topic that covers most; what a city is known for only where there is no other. Empty if there is none."""
    best, score = "", 0.0
    for topic, ear in _ears():
        found: float = sum(0.4 if match in _WEAK else (match.count(" ") + 1) ** 1.5 for match in ear.findall(text))
        if topic == "fame" and best:
            break
        if topic == "beyond" and found:
            return topic
        if found > score:
            best, score = topic, found
    return best


@lru_cache(maxsize=65536)
def understand(utterance: str) -> Question:
    """What an utterance asks; the same for all citizens."""
    said = plain_words(utterance)
    text = " " + " ".join(said).casefold() + " "
    if not said:
        return Question("unknown")
    polar = _polar(text)
    places = tuple(dict.fromkeys(_PLACE_NAMES[int(str(m.lastgroup)[1:])] for m in _PLACE.finditer(text)))
    labels = _labels(said, text)
    towns = tuple(label for label in labels if not label.startswith("land:"))
    if towns:
        return _naming(towns, text, polar)
    return _asking(Question("", text, polar, labels), places)


def _labels(said: list[str], text: str) -> tuple[str, ...]:
    """Cities and countries named, leaving out the words of parts of the world."""
    taken = [index for match in _PLACE.finditer(text) for index in _indices(text, match.start(), match.end())]
    kept = ["" if index in taken else word for index, word in enumerate(said)]
    return tuple(dict.fromkeys(label for book in (atlas(), peoples()) for _, _, label in book.spans(kept)))


def _indices(text: str, start: int, end: int) -> range:
    first = text[:start].count(" ") - 1
    return range(first, first + text[start:end].count(" ") + 1)


def _naming(towns: tuple[str, ...], text: str, polar: str) -> Question:
    if len(towns) > 1:
        return Question("many", text, polar, towns)
    return Question("guess", text, polar, towns)


_HARMLESS = {"name": ("neighbours", "language", "currency", "colony"), "people": ("neighbours", "ruler", "colony")}
"""Topics that a request only looks like: the names of neighbours may be told."""


def _asking(question: Question, places: tuple[str, ...]) -> Question:
    text, polar, lands = question.text, question.polar, question.labels
    topic = topic_of(text)
    for kind, pattern in REFUSED.items():
        if pattern.search(text) and topic not in _HARMLESS.get(kind, ()):
            return Question("ruler" if kind == "people" and WHO_RULES.search(text) else kind, text, polar)
    for kind, pattern in SMALL.items():
        if pattern.search(text) and not topic:
            return Question(kind, text, polar)
    if lands and topic in ("neighbours", "colony", "language"):
        return Question(topic, text, polar, lands)
    if lands and polar and topic in ("", "fame", "region", "continent", "capital", "history", "terrain", "population"):
        return Question("country", text, polar, lands)
    if places and " or " in text:
        return Question(topic or ("hemisphere" if "hemisphere" in text or "equator" in text else "continent"), text)
    if places and polar and topic in ("", "fame", "region", "continent", "hemisphere", "terrain", "climate", "water"):
        return Question("place", text, polar, places)
    return Question(topic or "detail", text, polar, lands)
