"""Reads a question into items: stems, each in the frame in which it was said.

A frame is what kind of thing is being asked: `is` (a noun or an adjective), `of` a material, `has` a part, `at` a place
or a time, `for` a use, what `it` does, what `you` do to it, and `by` whom. Sequences of words open it (`frames` in
words.yaml): "is it used for" opens `for`, "would you find it in" opens `at`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from lmrl.tasks.oracle.sizes import measure
from lmrl.tasks.oracle.words import FRUIT, lexicon, listed, singular, stem, words_of

SEPARATORS = frozenset(("and", "or", ",", "but", "not"))


@dataclass(frozen=True, slots=True)
class Item:
    """One word that means something."""

    frame: str
    word: str
    """In the singular, by which objects are named."""
    stem: str
    bound: bool = True
    """Whether the rest would mean something else without it; False for the `up` of "pick it up"."""
    holds: int | None = None
    """What a comparison is true of, which is an item whole."""


@cache
def _openings() -> Mapping[tuple[str, ...], str]:
    rows = ((frame, row.split()) for frame, rows in lexicon()["frames"].items() for row in rows.split(";"))
    return {tuple(word for word in row if word not in listed("hedges")): frame for frame, row in rows}


@cache
def _longest() -> int:
    return max(map(len, _openings()))


def _opening(words: Sequence[str]) -> tuple[str, int]:
    """The frame that the first words open, and how many they are; none is ('', 0)."""
    for size in range(min(_longest(), len(words)), 0, -1):
        if frame := _openings().get(tuple(words[:size])):
            return frame, size
    return "", 0


def _who(words: Sequence[str]) -> int:
    """How many of the first words say who does something, as in "do most children"; 0 where none do."""
    if words[0] not in listed("auxiliary"):
        return 0
    for size, word in enumerate(words[1:5], 2):
        single = word == "one" and words[size : size + 1] == ("person",)
        if (word in listed("anybody") or word in listed("persons")) and not single:
            return size
        if not single and word not in listed("some"):
            return 0
    return 0


def _stranded(words: Sequence[str]) -> bool:
    """Whether nothing follows a preposition that it could belong to: "sit on it", "turn it on and off"."""
    rest = [word for word in words if word not in ("it", "them", "this", "that")]
    return not rest or rest[0] in SEPARATORS or rest[0] in listed("places") or rest[0] in ("to", "for", "by", "with")


@lru_cache(maxsize=4096)
def read(text: str, frame: str = "is") -> tuple[Item, ...]:
    """A text's items, among them separators; what carries no meaning is gone."""
    words = _fruit([word for word in words_of(text) if word not in listed("hedges")])
    return tuple(_items(tuple(words), frame))


def _fruit(words: list[str]) -> list[str]:
    """The words, with the fruit in "an orange" told from the colour."""
    ends = (*words[1:], ",")
    return [
        FRUIT if word in ("orange", "oranges") and before in ("an", "the") and after in SEPARATORS else word
        for before, word, after in zip(("", *words), words, ends, strict=False)
    ]


def _items(words: tuple[str, ...], frame: str) -> Iterator[Item]:
    while words:
        kept, frame, size = _next(words, frame)
        yield from kept
        words = words[size:]


def _next(words: tuple[str, ...], frame: str) -> tuple[list[Item], str, int]:
    """The items of the first few words, the frame after them, and how many words they are."""
    if size := _who(words):
        word = words[size - 1]
        return ([] if word in listed("anybody") else [_item("by", word)]), "you", size
    if found := measure(words):
        return [Item(frame, "", "", holds=found[0])], frame, found[1]
    opened, size = _opening(words)
    if opened and not (size == 1 and words[0] in listed("particles") and _stranded(words[1:])):
        return [], frame if opened == "same" else opened, size
    return _word(words, frame)


def _word(words: tuple[str, ...], frame: str) -> tuple[list[Item], str, int]:
    word = words[0]
    if word == "without":
        return [_item(frame, "not")], "has", 1
    if word in SEPARATORS:
        return [_item(frame, word)], frame, 1
    if word in listed("particles") and _stranded(words[1:]):
        return [Item(frame, word, word, bound=False)], frame, 1
    if word in listed("places"):
        return [], "at", 1
    if word in listed("drop") or singular(word) in listed("drop"):
        return [], frame, 1
    return [_item(frame, word)], frame, 1


def _item(frame: str, word: str) -> Item:
    if word in SEPARATORS:
        return Item(frame, word, word)
    return Item(frame, singular(word), stem(word), bound=not {word, singular(word), stem(word)} & listed("weak"))
