r"""The world of Text-Nav: where things lie, which commands are admissible, what each does and is answered.

    open fridge
    You open the fridge, revealing a fruit.

Commands, messages and the order of lists, in which what was moved last comes first, are those of TextWorld's engine.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from lmrl.tasks.house.plan import (
    CARRIED,
    CONTAINERS,
    EATEN,
    EDIBLE,
    EXITS,
    FLOOR,
    FURNITURE,
    HOLDS,
    PRIZE,
    ROOMS,
    THINGS,
    Place,
    listed,
)
from lmrl.tasks.house.speech import Command, inventory, understood, unmoved
from lmrl.tasks.house.words import RoomWords

_OPEN = frozenset(room for room, piece in FURNITURE.items() if piece not in CONTAINERS)
"""Where things lie on a table, which has no lid."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What a command does: says something and, if these are set, moves the agent, a lid or a thing."""

    message: str
    """Empty where the room is told."""
    goes: str = ""
    turns_lid: bool = False
    thing: str = ""
    source: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Sight:
    """What can be done where the agent stands, and how that is told."""

    actions: tuple[str, ...]
    admissible: str
    inventory: str
    deeds: Mapping[str, Deed]
    """What each action does; empty where another engine knows."""


def sight(deeds: Mapping[str, Deed | None], inventory: str) -> Sight:
    """What is told of the commands that `deeds` has; None: another engine knows what they do."""
    commands = sorted(deeds)
    known = {f"{command}\n": deed for command in commands if (deed := deeds[command])}
    return Sight(
        tuple(f"{command}\n" for command in commands), f"Admissible commands: {', '.join(commands)}\n", inventory, known
    )


@lru_cache(maxsize=1 << 13)  # chance meets some three thousand places
def _sight(place: Place) -> Sight:
    room = place.room
    deeds = {f"go {way}": Deed("", goes=there) for way, there in EXITS[room].items()}
    for thing in place.carried:
        deeds[f"drop {thing}"] = _move(f"You drop the {thing} on the ground.\n\n", thing, CARRIED, FLOOR[room])
        if thing in EDIBLE:
            deeds[f"eat {thing}"] = _move(f"You eat the {thing}. Not bad.\n\n", thing, CARRIED, EATEN)
    for thing in place.floor:
        said = f"You pick up the {thing} from the ground.\n\n\n"
        deeds[f"take {thing}"] = _move(said, thing, FLOOR[room], CARRIED)
    return sight(deeds | _at(place.furniture, place), inventory(place.carried))


def _move(message: str, thing: str, source: str, target: str) -> Deed:
    return Deed(message, thing=thing, source=source, target=target)


def _at(piece: str, place: Place) -> dict[str, Deed]:
    """What can be done with a piece of furniture; nothing where there is none."""
    if not place.is_open:
        revealing = f", revealing {listed(place.held)}" if place.held else ""
        return {f"open {piece}": Deed(f"You open the {piece}{revealing}.\n\n", turns_lid=True)} if piece else {}
    lid = piece in CONTAINERS
    deeds = {f"close {piece}": Deed(f"You close the {piece}.\n\n", turns_lid=True)} if lid else {}
    verb, into = ("insert", "into") if lid else ("put", "on")
    for thing in place.carried:
        said = f"You put the {thing} {into} the {piece}.\n\n"
        deeds[f"{verb} {thing} {into} {piece}"] = _move(said, thing, CARRIED, place.room)
    for thing in place.held:
        said = f"You take the {thing} from the {piece}.\n\n\n"
        deeds[f"take {thing} from {piece}"] = _move(said, thing, place.room, CARRIED)
    return deeds


def every_deed() -> Iterator[tuple[str, Deed]]:
    """All that may ever be admissible, some of it several times; what is revealed is nothing or everything."""
    lots = ((THINGS, (), ()), ((), THINGS, ()), ((), (), THINGS))
    for room, lid, things in product(ROOMS, (True, False), lots):
        deeds = _sight(Place(room, room in _OPEN or (lid and room in FURNITURE), *things)).deeds
        yield from ((action.strip(), deed) for action, deed in deeds.items())


_LIES: Mapping[str, tuple[str, ...]] = dict.fromkeys([CARRIED, EATEN, *ROOMS, *FLOOR.values()], ()) | HOLDS


class House:
    """One state of the house after another.

    >>> house = House("kitchen", {})
    >>> house.obey("open fridge")
    'You open the fridge, revealing a fruit.\\n\\n'
    >>> house.sight.actions[:2]
    ('close fridge\\n', 'go east\\n')
    """

    def __init__(self, room: str, words: Mapping[str, RoomWords]) -> None:
        """`words` tell the rooms."""
        self.room = room
        self._words = words
        self._open = _OPEN
        self.lies = dict(_LIES)
        """Things by place, newest first: carried, eaten, on a `FLOOR` or, by the room, on or in its furniture."""
        self.sight = _sight(self._place())

    def obey(self, said: str) -> str:
        """Carry out a command and tell what comes of it. Raises Refused."""
        deed = self.sight.deeds.get(said) or self._find(understood(said))
        if deed.thing:
            self.lies[deed.source] = tuple(thing for thing in self.lies[deed.source] if thing != deed.thing)
            self.lies[deed.target] = (deed.thing, *self.lies[deed.target])
        elif deed.goes:
            self.room = deed.goes
        elif deed.turns_lid:
            self._open = self._open ^ {self.room}
        self.sight = _sight(self._place())
        arrival = "\n" if deed.goes else ""
        return deed.message or f"{arrival}{self.describe()}\n\n\n"

    def describe(self) -> str:
        """The room, as it is told on arrival."""
        place = self._place()
        return self._words[self.room].tell(place.is_open, place.held, place.floor)

    @property
    def won(self) -> bool:
        """The stale food is in the fridge, and that is closed."""
        return PRIZE in self.lies["kitchen"] and "kitchen" not in self._open

    @property
    def lost(self) -> bool:
        """The stale food has been eaten."""
        return PRIZE in self.lies[EATEN]

    def _place(self) -> Place:
        room, lies = self.room, self.lies
        return Place(room, room in self._open, lies[CARRIED], lies[room], lies[FLOOR[room]])

    def _find(self, command: Command) -> Deed:
        """What a command does that is not spelt as in the list; who takes a thing need not say from where."""
        deeds, text, place = self.sight.deeds, command.text, self._place()
        found = deeds.get(f"{text}\n") or deeds.get(f"{text} from {place.furniture}\n")
        return found or Deed(unmoved(command, place))
