"""Cuts a question's items into the phrases that the knowledge has a word for.

A phrase is a sequence of stems. It is looked up as it stands, then without what may be left out, in the frame in which
it was said and then in those next to it. Of all ways to cut, that one is taken which leaves least unknown, and of
these the one that leaves out least, in the fewest phrases.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from lmrl.tasks.oracle.objects import EVERYTHING, Attribute, attributes, objects
from lmrl.tasks.oracle.reading import SEPARATORS, Item, read

FALLBACK: Mapping[str, tuple[str, ...]] = {
    "is": ("is", "you", "at", "of", "it"),
    "of": ("of", "has", "is"),
    "has": ("has", "of", "is"),
    "at": ("at", "for", "by", "it"),
    "for": ("for", "you", "at", "by", "it"),
    "you": ("you", "for", "at", "it"),
    "it": ("it", "is", "for", "at", "has", "you"),
    "by": ("by", "at"),
}
"""The frames in which a phrase is looked for, by the frame in which it was said."""
KIND_OF = {"Sharpie": "Marker", "Meteorite": "Rock", "Boots": "Shoes", "Desk": "Table"}
"""Objects that are of the kind of another."""
MOST = 8
"""Stems in the longest phrase looked for."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a phrase means."""

    holds: int
    kind: str
    """The theme; `guess` for an object, `size` for a comparison."""


Stems = tuple[str, ...]
Part = Entry | str | None
"""A phrase, a separator, or what nobody knows."""


def _stems(items: Sequence[Item]) -> Stems:
    return tuple(item.stem for item in items)


def _wordings() -> Iterator[tuple[Attribute, list[Item]]]:
    """Each attribute as players ask for it, then in other words; then both without what may be left out."""
    known = attributes().values()
    rows = [(one, one.ask) for one in known if one.ask] + [(one, words) for one in known for words in one.words]
    read_ = [(one, [*read(words.partition(" ")[2].replace("_", "it"), words.partition(" ")[0])]) for one, words in rows]
    whole = [(one, items) for one, items in read_ if not any(item.holds is not None for item in items)]
    yield from whole
    yield from ((one, [item for item in items if item.bound]) for one, items in whole)


@cache
def phrases_known() -> Mapping[Stems, Mapping[str, Entry]]:
    """Sequences of stems, by frame; whoever comes first in `_wordings` has them."""
    found: dict[Stems, dict[str, Entry]] = {}
    for attribute, items in _wordings():
        if items:
            frames = found.setdefault(_stems(items), {})
            frames.setdefault(items[0].frame, Entry(attribute.holds, attribute.theme))
    return found


@cache
def _kinds() -> tuple[int, ...]:
    names = [thing.names[0] for thing in objects()]
    return tuple(sum(1 << j for j, kind in enumerate(names) if kind == of or KIND_OF.get(kind) == of) for of in names)


def kinds_of(index: int) -> int:
    """An object and those of its kind: what a guess at it is true of."""
    return _kinds()[index]


@cache
def names_known() -> Mapping[Stems, int]:
    """The objects, and those of their kind, by their names in the singular."""
    return {
        tuple(item.word for item in read(f"an {name}")): kinds_of(i)
        for i, thing in enumerate(objects())
        for name in thing.names
    }


def _entry(items: Sequence[Item]) -> Entry | None:
    if items[0].holds is not None:
        return Entry(items[0].holds, "size") if len(items) == 1 else None
    if items[0].frame == "is" and (mask := names_known().get(tuple(item.word for item in items))):
        return Entry(mask, "guess")
    return _known(items) or (_known([item for item in items if item.bound]) if items[0].bound else None)


def _known(items: Sequence[Item]) -> Entry | None:
    frames = phrases_known().get(_stems(items), {})
    return next((frames[frame] for frame in FALLBACK[items[0].frame] if frame in frames), None) if items else None


@dataclass(frozen=True, slots=True)
class _Cut:
    """A way to cut items."""

    parts: tuple[Part, ...] = ()
    cost: tuple[int, int, int] = (0, 0, 0)
    """Words that nobody knows, words left out, phrases."""

    def after(self, part: Part | None, cost: tuple[int, int, int], *, kept: bool) -> "_Cut":
        unknown, left_out, phrases = (one + other for one, other in zip(cost, self.cost, strict=True))
        return _Cut((part, *self.parts) if kept else self.parts, (unknown, left_out, phrases))


def parts(items: Sequence[Item]) -> tuple[Part, ...]:
    """Phrases and separators in order, and None for each word that nobody knows."""
    memory: dict[tuple[int, int, int], _Cut] = {}
    return _best(items, 0, (0, 0), memory).parts


def _best(items: Sequence[Item], start: int, last: tuple[int, int], memory: dict[tuple[int, int, int], _Cut]) -> _Cut:
    """The best cut from `start` on, where `last` is from where to where the last phrase went."""
    if start == len(items):
        return _Cut()
    key = (start, *last)
    if key not in memory:
        memory[key] = min(_cuts(items, start, last, memory), key=lambda cut: cut.cost)
    return memory[key]


def _cuts(
    items: Sequence[Item], start: int, last: tuple[int, int], memory: dict[tuple[int, int, int], _Cut]
) -> Iterator[_Cut]:
    item = items[start]
    if item.stem in SEPARATORS:
        yield _best(items, start + 1, last, memory).after(item.stem, (0, 0, 0), kept=True)
        return
    shared = items[last[0] : last[1] - 1][:1] if start and items[start - 1].stem in SEPARATORS else items[:0]
    for size in range(min(MOST, len(items) - start), 0, -1):
        if entry := _phrase(items, start, size) or (
            _entry([*shared, *items[start : start + size]]) if shared else None
        ):
            yield _best(items, start + size, (start, start + size), memory).after(entry, (0, 0, 1), kept=True)
    yield _best(items, start + 1, last, memory).after(None, (item.bound, 1, 0), kept=item.bound)


def _phrase(items: Sequence[Item], start: int, size: int) -> Entry | None:
    """What some items mean. A word that may be left out means something alone only where nothing else is said."""
    found = items[start : start + size]
    if size == 1 and not found[0].bound and any(item.bound for item in _between(items, start)):
        return None
    entry = _entry(found)
    return Entry(EVERYTHING, entry.kind) if entry and _describes(items[start:], size) else entry


def _between(items: Sequence[Item], at: int) -> Sequence[Item]:
    """The items around one, from separator to separator."""
    cuts = [-1, *(i for i, item in enumerate(items) if item.stem in SEPARATORS), len(items)]
    return items[max(cut for cut in cuts if cut < at) + 1 : min(cut for cut in cuts if cut > at)]


def _describes(items: Sequence[Item], size: int) -> bool:
    """Whether the first words tell of a part what it is like, and nothing of the whole: "black" in "black stripes"."""
    follows = [item for item in items[size : size + 1] if item.bound and item.stem not in SEPARATORS]
    frames = phrases_known().get(_stems(items[:size]), {})
    return bool(follows) and items[0].frame == follows[0].frame == "has" and "is" in frames
