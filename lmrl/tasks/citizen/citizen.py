"""A citizen of one of the hundred cities: answers open questions in whole sentences and never says from where.

    What food is your city known for?
    You should try raw fish in lime juice with onion and chilli.

Words are drawn by the episode's seed and the turn. A question of yes or no is answered so where that is known; where
the question is about something told in words of our own, the words are told. Whoever asks for the name, its letters or
its people is declined; whoever asks beyond this knowledge is told so, and `understood` is False.

Whoever names the city is told that it is the one; whoever names another, that it is not. The answer to one who names
several is the same for all.
"""

import random
import re
from collections.abc import Iterator, Sequence
from functools import cache

from lmrl.dialogue import Reply
from lmrl.tasks.citizen.cities import City, cities, lore
from lmrl.tasks.citizen.ear import Question, understand
from lmrl.tasks.citizen.facts import OWN, TOPICS, told
from lmrl.tasks.citizen.truths import is_in, is_of, is_so, lands, pays, speaks
from lmrl.tasks.citizen.words import WORD, bare_word, plain, plain_words

YES = ("Yes, {}.", "Yes indeed, {}.", "That is right, {}.")
NO = ("No, {} not.", "I am afraid {} not.", "No, {} not, sorry.")
_TAILS = (
    *("it is", "we are", "we do", "it does", "you can", "it has", "we have", "it was", "we were", "it did", "that is"),
    *("there is", "there are", "there was", "there were", "they are", "they do", "they were", "they have", "I do"),
)
_COMMON = frozenset(
    re.findall(
        r"\w+",
        """
        is are was were do does did has have can could the a an in on at of for to from with by and or any your our you
        we it its there here that this very much many some city country town place people famous known popular like well
        really important big most one so where what when which who how their they locals local mainly mostly also if as
        be been special ever still near nearby close good best great specific certain main major traditional typical
        about world kind kinds type types lot lots all more lived live living get got go going see seen make made us me
        my i something anything right true not no yes way ways enjoy love eat drink play played watch visit celebrate
        use uses used north south east west
        """,
    )
)
_GENERIC = re.compile(
    "food|dish|cuisine|meal|restaurant|special|building|landmark|monument|tourist|attraction|sight|sport|team|game|"
    "industr|econom|job|business|festival|event|tradition|holiday|celebrat|custom|art|music|culture|histor|weather|"
    "climate|season|transport|public|traffic|architect|interest|landscape|natur|water|product|export|import|old|new|nice|"
    "take|took|happen"
)
"""Words of a question that ask for a topic, not for one thing in it."""
_CLOCK = re.compile(" (?:difference|hours?|time|clocks?) ")
_COMPARED = re.compile(r" (?:far|distance|closer?|near(?:er)?|bigger|larger|smaller|than|flight|fly|like|border\w*) ")
_NEAR = ("landmark", "water", "terrain")
"""Topics that share their words: a river may be told of under each."""


def name_in(utterance: str) -> str | None:
    """The city that an utterance names, if it names exactly one of the world's; None for another than the hundred."""
    found = [label for label in understand(utterance).labels if not label.startswith("land:")]
    return found[0][5:] if len(found) == 1 and found[0].startswith("city:") else None


def answer(index: int, utterance: str, seed: int, turn: int) -> Reply:
    """What the citizen of `cities()[index]` says; one line without its end."""
    question, rng = understand(utterance), random.Random(seed * 64 + turn)
    text, kind = _reply(index, question, rng)
    return Reply(text, {"understood": kind != "unknown", "kind": kind})


def _reply(index: int, question: Question, rng: random.Random) -> tuple[str, str]:
    city, kind, talk = cities()[index], question.kind, lore()
    if kind == "guess":
        return _guessed(index, question, rng)
    for group in ("refused", "small"):
        if kind in talk[group]:
            return rng.choice(talk[group][kind]), kind
    if kind in ("country", "place"):
        so = is_of(city, question.labels) if kind == "country" else _within(city, question)
        return _polar(so, question, rng) or _placed(index, question, rng)
    if kind in ("detail", "unknown", "beyond"):
        return _detail(index, question, rng)
    if kind == "fame":
        topic = rng.choice(("landmark", "food", "culture"))
        return _detail(index, question, rng) if question.polar else (_open(index, topic, rng), topic)
    return _on_topic(index, question, rng)


def _guessed(index: int, question: Question, rng: random.Random) -> tuple[str, str]:
    name, text = cities()[index].name, question.text
    if question.labels == (f"city:{name}",):
        return f"{rng.choice(lore()['right'])}{name}.", "guess"
    if " london " in text and not question.polar and _CLOCK.search(text):
        return _open(index, "time_difference", rng), "time_difference"
    if _COMPARED.search(text):
        return _lost(rng)
    return rng.choice(lore()["wrong"]), "guess"


def _lost(rng: random.Random) -> tuple[str, str]:
    return rng.choice(lore()["unknown"]), "unknown"


def _within(city: City, question: Question) -> bool | None:
    inside = [is_in(city, place) for place in question.labels]
    return None if len(inside) > 1 and " or " in question.text else all(inside)


def _placed(index: int, question: Question, rng: random.Random) -> tuple[str, str]:
    """Where yes or no will not do: two parts of the world were named, or a country about which people disagree."""
    if question.kind == "country":
        return str(lore()["disputed"]), "country"
    topic = "hemisphere" if any("hemisphere" in place for place in question.labels) else "continent"
    return _open(index, topic, rng), topic


def _polar(so: bool | None, question: Question, rng: random.Random) -> tuple[str, str] | None:
    if so is None:
        return None
    return rng.choice(YES if so else NO).format(question.polar or "that is"), question.kind


def _open(index: int, topic: str, rng: random.Random) -> str:
    talk, fact = lore(), told(index, topic)
    if not fact:
        return str(rng.choice(talk["none"][topic]))
    return f"{rng.choice(talk['topics'][topic]['say'])}{fact}."


def _on_topic(index: int, question: Question, rng: random.Random) -> tuple[str, str]:
    topic = question.kind
    if not question.polar:
        return _open(index, topic, rng), topic
    so = _truth(cities()[index], topic, question)
    if so == "some":
        return rng.choice(lore()["some"]), topic
    if isinstance(so, bool):
        return _polar(so, question, rng) or _lost(rng)
    return _detail(index, question, rng) if topic in OWN else (_open(index, topic, rng), topic)


def _truth(city: City, topic: str, question: Question) -> bool | str | None:
    named = lands(question.labels)
    if topic == "language":
        return speaks(city, question.text)
    if topic == "currency":
        return pays(city, question.text)
    if topic == "neighbours" and named:
        return bool(named & set(city.country.borders))
    if topic == "colony" and named:
        return _EMPIRES.get(city.country.colony, "") in named
    return is_so(city, topic, question.text)


_EMPIRES = {
    **{"Britain": "GB", "the Netherlands": "NL", "Spain": "ES", "Portugal": "PT", "France": "FR"},
    **{"Belgium": "BE", "Japan": "JP", "Russia": "RU"},
}


def _detail(index: int, question: Question, rng: random.Random) -> tuple[str, str]:
    """Look for the question's own words among what is told of this city."""
    topic, talk = question.kind, lore()
    asked = [word for word in question.text.split() if word not in _COMMON and len(word) > 2]
    own = [word for word in asked if not _GENERIC.match(word)]
    near = (topic, *_NEAR) if topic in _NEAR else (topic,)
    for other in near if topic in OWN else OWN:
        if any(_stem(word) in _stems(index, other) for word in own):
            return f"{rng.choice(talk['sure'])}{_open(index, other, rng)}", other
    if topic not in OWN:
        return _lost(rng)
    return f"{rng.choice(talk['hedge'] if own else talk['sure'])}{_open(index, topic, rng)}", topic


def _stem(word: str) -> str:
    return word[:-2] if word.endswith("es") and len(word) > 5 else word.rstrip("s")


@cache
def _stems(index: int, topic: str) -> frozenset[str]:
    return frozenset(_stem(word.casefold()) for word in plain_words(told(index, topic)) if len(word) > 2) - _COMMON


def discreet(text: str, city: City) -> str:
    """What somebody else, such as a language model, said for the citizen, without the names of city and country."""
    bare = plain(text)
    if len(bare) != len(text):
        text = bare
    marks = list(WORD.finditer(bare))
    said = [bare_word(mark.group()) for mark in marks]
    for start, end, label in reversed(city.secrets(said)):
        start -= start > 0 and label.startswith("my") and said[start - 1].casefold() == "the"
        tail = "'s" if marks[end - 1].group().casefold().endswith("'s") else ""
        text = text[: marks[start].start()] + label + tail + text[marks[end - 1].end() :]
    return _SPELT_OUT.sub(lambda found: _unspelt(found.group(), city), text)


_SPELT_OUT = re.compile(r"(?<!\w)[^\W_]([ .*_-]+)[^\W_](?:\1[^\W_])+(?!\w)")


def _unspelt(letters: str, city: City) -> str:
    """L-i-m-a is a name too."""
    found = city.secrets(["".join(plain_words(letters)).replace(" ", "")])
    return found[0][2] if found else letters


def sentences() -> Iterator[str]:
    """Openings, facts with the full stop and the line's end, and whole sentences: what answers are made of."""
    talk = lore()
    for topic in talk["topics"].values():
        yield from topic["say"]
    yield from (*talk["hedge"], *talk["sure"], *talk["right"])
    yield from (f"{city.name}.\n" for city in cities())
    yield from (f"{told(index, topic)}.\n" for index in range(len(cities())) for topic in TOPICS if told(index, topic))
    whole: list[Sequence[str]] = [*talk["refused"].values(), *talk["small"].values(), *talk["none"].values()]
    whole += [talk["unknown"], talk["some"], talk["wrong"], [talk["disputed"]]]
    yield from (f"{sentence}\n" for group in whole for sentence in group)
    yield from (f"{form.format(tail)}\n" for tail in _TAILS for form in (*YES, *NO))
