"""How the rooms of Text-Nav are told: in each episode one wording per room, put together of several for each slot.

The slots, and the plain sentences with their frequencies, are those of TextWorld's grammar of houses as LMRL-Gym plays
it. In place of its many rare jokes stand a few sentences of our own.
"""

import random
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import accumulate, product
from typing import Generic, NamedTuple, TypeVar

from lmrl.tasks.house.plan import CONTAINERS, EXITS, FURNITURE, ROOMS, a, listed

Choice = TypeVar("Choice")
Weighted = Mapping[str, int]

PLACES: Weighted = {
    "You find yourself in {a}.": 15,
    "You are in {a}.": 15,
    "You arrive in {a}.": 15,
    "You've entered {a}.": 12,
    "You've just walked into {a}.": 4,
    "You've just sauntered into {a}.": 4,
    "You've just shown up in {a}.": 3,
    "Well, here we are in the {room}.": 6,
    "You're now in the {room}.": 5,
    "This must be the {room}.": 11,
    "So this is what they call {a}.": 10,
}
ADJECTIVES = ("typical", "normal", "usual", "ordinary", "standard")
KINDS: Weighted = {"": 50} | {
    f" {a(adjective).capitalize()} {noun}.": 5 for adjective in ADJECTIVES for noun in ("kind of place", "one")
}
MOODS: Weighted = {
    "": 60,
    " The room is well lit.": 14,
    " You begin looking for stuff.": 13,
    " Let's see what's in here.": 13,
}
LEADS: Weighted = {
    "You see {}.": 18,
    "You make out {}.": 17,
    "You can see {}.": 18,
    "You can make out {}.": 17,
    "Here is {}, as one might expect.": 10,
    "Somebody has left {} here.": 10,
    "Your eyes fall on {}.": 10,
}
ASIDES: Weighted = {"": 80} | {f" The table is {adjective}.": 4 for adjective in ADJECTIVES}
UPON = tuple(
    f" {text}"
    for verb in ("see", "make out", "can see", "can make out")
    for text in (f"On the table you {verb} {{}}.", f"You {verb} {{}} on the table.")
)
BARE = (" There is nothing on it.", " What a pity that it is empty.", " It is bare.")
HOLLOW = (" There is nothing in it.", " What a pity that it is empty.", " It has been cleared out.")
WAYS_OUT = ("There are unblocked exits to the {}.", "There are unguarded exits to the {}.")
WAY_OUT = tuple(
    text
    for free in ("unblocked", "unguarded")
    for text in (
        f"There is an {free} exit to the {{}}.",
        f"There is an exit to the {{}}, and it is {free}.",
        f"You need an {free} exit? You should try going {{}}.",
        f"The only way on is {{}}; it is {free}.",
    )
)


class FurnitureWords(NamedTuple):
    """Of the one piece of furniture that a room may have."""

    closed: str
    """A table's is empty: it never is."""
    named: str
    upon: str
    """Takes the list of what the piece holds."""
    bare: str

    def tell(self, is_open: bool, held: tuple[str, ...]) -> str:
        """The piece and what it holds, or that it is closed."""
        if not is_open:
            return self.closed
        return self.named + (self.upon.format(listed(held)) if held else self.bare)


class RoomWords(NamedTuple):
    """Of one room in one episode."""

    opening: str
    """The paragraph that tells where one is; where that is not told, what stands in its place."""
    furniture: FurnitureWords | None
    exits: str

    def tell(self, is_open: bool, held: tuple[str, ...], floor: tuple[str, ...]) -> str:
        """The room as it is now: its furniture, what that holds if it is open, and what lies on the floor."""
        seen = f"{self.furniture.tell(is_open, held)}\n\n" if self.furniture else ""
        lying = f"\n\nThere is {listed(floor)} on the floor." if floor else ""
        return f"{self.opening}{seen}{self.exits}{lying}"


class _Slot(NamedTuple, Generic[Choice]):
    """What may be said, and the running sums of the weights."""

    choices: tuple[Choice, ...]
    sums: tuple[int, ...]

    def draw(self, rng: random.Random) -> Choice:
        return rng.choices(self.choices, cum_weights=self.sums)[0]


def _slot(pairs: Iterable[tuple[Choice, int]]) -> _Slot[Choice]:
    choices, weights = zip(*pairs, strict=True)
    return _Slot(choices, tuple(accumulate(weights)))


@cache
def _places(room: str) -> _Slot[str]:
    said = product(PLACES.items(), KINDS.items(), MOODS.items())
    return _slot((p.format(a=a(room), room=room) + k + m + "\n\n", w * x * y) for (p, w), (k, x), (m, y) in said)


@cache
def _furniture(piece: str) -> _Slot[FurnitureWords]:
    if piece in CONTAINERS:
        upon = f" The {piece} contains {{}}."
        leads = [(lead.format(f"a closed {piece}"), lead.format(f"an open {piece}"), w) for lead, w in LEADS.items()]
        said = product(leads, HOLLOW)
        return _slot((FurnitureWords(closed, named, upon, bare), w) for (closed, named, w), bare in said)
    tables = product(LEADS.items(), ASIDES.items(), UPON, BARE)
    return _slot(
        (FurnitureWords("", lead.format(a(piece)) + aside, upon, bare), w * x)
        for (lead, w), (aside, x), upon, bare in tables
    )


@cache
def _exits(room: str) -> _Slot[str]:
    *most, last = EXITS[room]
    said = WAYS_OUT if most else WAY_OUT
    ways = f"{', '.join(most)} and {last}" if most else last
    return _slot((text.format(ways), 1) for text in said)


def draw(rng: random.Random, *, located: bool) -> dict[str, RoomWords]:
    """The words of every room. The same generator draws the same words, whether or not it is told where one is."""
    words = {}
    for room in ROOMS:
        place, exits = _places(room).draw(rng), _exits(room).draw(rng)
        furniture = _furniture(FURNITURE[room]).draw(rng) if room in FURNITURE else None
        opening = place if located else " " if furniture else "\n\n"
        words[room] = RoomWords(opening, furniture, exits)
    return words


def phrases(*, located: bool) -> Iterator[str]:
    """The sentences, and what stands around a list within one; worth a token each."""
    for room in ROOMS:
        if located:
            yield from (place.format(a=a(room), room=room) for place in PLACES)
        yield from (f"{end}{text}" for text in _exits(room).choices for end in ("", "\n\n"))
    if located:
        yield from filter(None, (*KINDS, *MOODS))
    for piece in dict.fromkeys(FURNITURE.values()):
        for words in _furniture(piece).choices:
            yield from filter(None, (words.closed, words.bare, *words.upon.split("{}")))
    names = [f"{kind} {piece}" for piece in CONTAINERS for kind in ("a closed", "an open")]
    yield from (f"{end}{lead.format(name)}" for lead in LEADS for name in (*names, "a table") for end in ("", " "))
    yield from (*filter(None, ASIDES), "\n\nThere is ", " on the floor.")
