"""Whether a question asks of one object directly, and of which: what decides a win, whoever answers.

"Is it a type of cat?" and "I think it is a cat, right?" do; "Does it ring?", "Is it used in basketball?", "Is it a big
cat?" and "Is it a dog or a cat?" do not. Only whole phrases of `guess` in words.yaml may stand around the name.
"""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

from lmrl.tasks.oracle.objects import objects
from lmrl.tasks.oracle.words import lexicon, sentence, singular, words_of

Words = tuple[str, ...]


@cache
def _phrases(kind: str) -> tuple[Words, ...]:
    """Longest first; a comma counts for nothing."""
    rows = {tuple(row.split()) for row in lexicon()["guess"][kind].split(";")} | {(",",)}
    return tuple(sorted(rows, key=lambda row: (-len(row), row)))


@cache
def _names() -> Mapping[Words, int]:
    return {_singular(name.lower().split()): i for i, thing in enumerate(objects()) for name in thing.names}


def _singular(words: Sequence[str]) -> Words:
    return tuple(map(singular, words))


def _after(words: Words, kind: str) -> list[Words]:
    """What is left after the first words, for each phrase of a kind that they may be, and all of it."""
    return [words[len(row) :] for row in _phrases(kind) if words[: len(row)] == row] + [words]


def _without(words: Words, kind: str) -> Words:
    """The words without any phrases of a kind that they begin with."""
    while words != (words := _after(words, kind)[0]):
        pass
    return words


@lru_cache(maxsize=65536)
def guessed(question: str) -> int | None:
    """The index of the object that is asked of, alone and directly; None where none is, or more are.

    >>> guessed("Is it a type of cat?"), guessed("Is it a dog or a cat?"), guessed("Does it ring?")
    (10, None, None)
    """
    said = sentence(question)
    words = _without(words_of(said), "open") if said else ()
    for asked in _after(words, "ask"):
        if (index := _named(asked)) is not None:
            return index
    return None


def _named(words: Words) -> int | None:
    """The object that is all that fillers and what may end a guess leave; a bare `orange` is a colour."""
    rest = _without(words, "fill")
    for size in range(min(4, len(rest)), 0, -1):
        index = _names().get(_singular(rest[:size]))
        if index is not None and not _without(rest[size:], "end"):
            bare = rest[:size] == ("orange",) and words[-len(rest) - 1 : -len(rest)] not in (("an",), ("the",))
            return None if bare else index
    return None
