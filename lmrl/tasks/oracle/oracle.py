"""Answers a question about an object, by what it means.

What a question means is the set of the objects of which it is true. Words are read into frames (`reading`),
the longest sequences of them that the knowledge has a word for are looked up, and their sets are met ("a large wild
animal"), joined ("a dog or a cat") or turned round ("not"). A question with a word that nobody knows is not understood.

"Is it not an animal?" is answered as truth demands: `Yes` of a chair; "isn't it an animal?" asks for assent to "it is
an animal". What is not understood, and whatever is no question that yes or no could answer, is answered `No`, the
published default, and `understood` tells it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import and_, or_

from lmrl.dialogue import Reply
from lmrl.tasks.oracle.guess import guessed
from lmrl.tasks.oracle.objects import EVERYTHING
from lmrl.tasks.oracle.phrases import Entry, kinds_of, parts
from lmrl.tasks.oracle.reading import read
from lmrl.tasks.oracle.words import listed, sentence, words_of

MOST_NAMED = 3
"""Objects named in one question. More are not understood: halving a list of all of them is no way to play."""


def _met(parts: Sequence[Entry | str]) -> int | None:
    """The objects of which all of an alternative is true, and nothing that stands after a `not` in it."""
    masks = [part.holds for part in parts if isinstance(part, Entry)]
    cut = sum(isinstance(part, Entry) for part in parts[: parts.index("not")]) if "not" in parts else len(masks)
    held, denied = _all(masks[:cut]), _all(masks[cut:])
    return (held & ~denied if masks[cut:] else held) if masks else None


def _all(masks: Iterable[int]) -> int:
    return reduce(and_, masks, EVERYTHING)


def _split(parts: Sequence[Entry | str], at: frozenset[str]) -> list[list[Entry | str]]:
    groups: list[list[Entry | str]] = [[]]
    for part in parts:
        if isinstance(part, str) and part in at:
            groups.append([])
        else:
            groups[-1].append(part)
    return [group for group in groups if group]


def _clause(parts: Sequence[Entry | str]) -> int | None:
    """Alternatives; a `not` before the first of them denies them all."""
    denied = parts[0] == "not"
    masks = [mask for group in _split(parts[denied:], _OR) if (mask := _met(group)) is not None]
    whole = reduce(or_, masks, 0)
    return (EVERYTHING & ~whole if denied else whole) if masks else None


_OR = frozenset(("or", ","))


def _joined(parts: Sequence[Entry | str]) -> int | None:
    """All of a question. Commas list alternatives where an `or` follows, and otherwise what must hold together."""
    at = frozenset(("and", "but")) if "or" in parts else frozenset(("and", "but", ","))
    masks = [mask for mask in map(_clause, _split(parts, at)) if mask is not None]
    return _all(masks) if masks else None


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a question asks: of which objects it is true, and what kind of question it is, for statistics."""

    holds: int
    kind: str


@lru_cache(maxsize=65536)
def understand(question: str) -> Meaning | None:
    """What a question means; None where it is not understood."""
    if (index := guessed(question)) is not None:
        return Meaning(kinds_of(index), "guess")
    said = sentence(question)
    if said is None or words_of(said)[0] in listed("questions"):
        return None
    found = parts(read(said))
    if not found and set(words_of(said)) & {"thing", "object", "item", "something"}:
        return Meaning(EVERYTHING, "kinds")
    known = [part for part in found if part is not None]
    kinds = [part.kind for part in known if isinstance(part, Entry)]
    if not kinds or len(known) < len(found) or kinds.count("guess") > MOST_NAMED:
        return None
    holds = _joined(known)
    return None if holds is None else Meaning(holds, kinds[0])


def answer(index: int, question: str) -> Reply:
    """Whether it is true of object `index`: `Yes.` or `No.`, with `understood` and the kind of question."""
    meaning = understand(question)
    if meaning is None:
        return Reply("No.", {"understood": False, "kind": "not understood"})
    return Reply("Yes." if meaning.holds >> index & 1 else "No.", {"understood": True, "kind": meaning.kind})
