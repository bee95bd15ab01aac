r"""The world of Text-Nav: where things lie, which commands are admissible, what each does and is answered.

    open fridge
    You open the fridge, revealing a fruit.

Commands, messages and the order of lists, in which what was moved last comes first, are those of TextWorld's engine.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product

from lmrl.tasks.house_plan import (
    CARRIED,
    CONTAINERS,
    EATEN,
    EDIBLE,
    EXITS,
    FLOOR,
    FURNITURE,
    HOLDS,
    NO_WAY,
    PRIZE,
    ROOMS,
    THINGS,
    UNSEEN,
    Command,
    Refused,
    listed,
    understood,
)
from lmrl.tasks.house_words import RoomWords

Things = tuple[str, ...]
_Place = tuple[str, bool, Things, Things, Things]
"""All that decides what one sees and can do: the room, whether its furniture is open (a table always is), the things
that are carried, those that the furniture holds and those on the floor."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What a command does: says something and, if these are set, moves the agent, a lid or a thing."""

    message: str
    """Empty where the room is told."""
    goes: str = ""
    opens: bool | None = None
    thing: str = ""
    source: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Sight:
    """What can be done where the agent stands, and how that is told."""

    actions: tuple[str, ...]
    admissible: str
    inventory: str
    deeds: Mapping[str, Deed] = field(default_factory=dict)
    """What each action does; empty where another engine knows."""


def sight(commands: list[str], inventory: str, deeds: Mapping[str, Deed]) -> Sight:
    """Sorted commands and what is told of them."""
    actions = tuple(f"{command}\n" for command in commands)
    by_action = {action: deeds[command] for command, action in zip(commands, actions, strict=True) if deeds}
    return Sight(actions, f"Admissible commands: {', '.join(commands)}\n", inventory, by_action)


@lru_cache(maxsize=1 << 16)
def _sight(place: _Place) -> Sight:
    room, is_open, carried, held, floor = place
    deeds = {f"go {way}": Deed("", goes=there) for way, there in EXITS[room].items()}
    for thing in carried:
        deeds[f"drop {thing}"] = _moves(f"You drop the {thing} on the ground.\n\n", thing, CARRIED, FLOOR[room])
        if thing in EDIBLE:
            deeds[f"eat {thing}"] = _moves(f"You eat the {thing}. Not bad.\n\n", thing, CARRIED, EATEN)
    for thing in floor:
        said = f"You pick up the {thing} from the ground.\n\n\n"
        deeds[f"take {thing}"] = _moves(said, thing, FLOOR[room], CARRIED)
    if room in FURNITURE:
        deeds |= _at_furniture(room, is_open, carried, held)
    return sight(sorted(deeds), f"You are carrying{f': {listed(carried)}' if carried else ' nothing'}.", deeds)


def _moves(message: str, thing: str, source: str, target: str) -> Deed:
    return Deed(message, thing=thing, source=source, target=target)


def _at_furniture(room: str, is_open: bool, carried: Things, held: Things) -> dict[str, Deed]:
    piece = FURNITURE[room]
    if not is_open:
        revealing = f", revealing {listed(held)}" if held else ""
        return {f"open {piece}": Deed(f"You open the {piece}{revealing}.\n\n", opens=True)}
    deeds = {f"close {piece}": Deed(f"You close the {piece}.\n\n", opens=False)} if piece in CONTAINERS else {}
    verb, into = ("insert", "into") if piece in CONTAINERS else ("put", "on")
    for thing in carried:
        said = f"You put the {thing} {into} the {piece}.\n\n"
        deeds[f"{verb} {thing} {into} {piece}"] = _moves(said, thing, CARRIED, room)
    for thing in held:
        said = f"You take the {thing} from the {piece}.\n\n\n"
        deeds[f"take {thing} from {piece}"] = _moves(said, thing, room, CARRIED)
    return deeds


def _visible(place: _Place) -> Things:
    room, is_open, carried, held, floor = place
    piece = FURNITURE.get(room, "")
    return (*carried, *floor, piece, *(held if is_open else ()))


def _without_effect(command: Command, place: _Place) -> Deed:
    """The answer to what is no admissible command but no mistake either. Raises Refused with the answer to the rest."""
    room, is_open, _, held, _ = place
    verb, thing, second = command
    if verb == "look":
        return Deed("")
    if verb == "inventory":
        return Deed(f"{_sight(place).inventory}\n\n\n")
    seen = _visible(place)
    if verb == "go":
        raise Refused(NO_WAY)
    if thing not in seen or (second and second not in seen):
        raise Refused(UNSEEN)
    if verb != "examine":
        raise Refused(_why_not(command, place))
    if thing != FURNITURE.get(room):
        return Deed(f"You see nothing special about the {thing}.\n\n\n")
    if not is_open:
        return Deed(f"The {thing} is closed.\n\n\n")
    return Deed(f"{'In' if thing in CONTAINERS else 'On'} the {thing}: {listed(held) if held else 'nothing'}.\n\n\n")


def _why_not(command: Command, place: _Place) -> str:
    """What the engine answers to a command about things in sight that it does not carry out."""
    verb, thing, second = command
    room, _, carried, _, floor = place
    fixed = thing == FURNITURE.get(room)
    if verb in ("open", "close"):
        lid = "That's already open" if verb == "open" else "That's already closed"
        return f"{lid if thing in CONTAINERS else f'''It isn't something you can {verb}'''}.\n\n"
    if verb == "take":
        return UNSEEN if second else f"{'''That's fixed in place''' if fixed else 'You already have that'}.\n\n\n"
    if verb == "drop":
        return f"The {thing} is already here.\n\n" if fixed or thing in floor else "You haven't got that.\n\n"
    if verb == "eat" and thing not in EDIBLE:
        return "That's plainly inedible.\n\n"
    if thing not in carried:
        return f"The {thing} is fixed in place.\n\n" if fixed else f"You need to take the {thing} first.\n\n"
    if thing == second:
        return f"You can't put something {'inside' if verb == 'insert' else 'on top of'} itself.\n\n"
    if verb == "put":
        return f"Putting things on the {second} would achieve nothing.\n\n"
    return f"The {second} is closed.\n\n" if second in CONTAINERS else "That can't contain things.\n\n"


def every_deed() -> Iterator[tuple[str, Deed]]:
    """All that may ever be admissible, some of it several times; what is revealed is nothing or everything."""
    lots = ((THINGS, (), ()), ((), THINGS, ()), ((), (), THINGS))
    for room, is_open, things in product(ROOMS, (True, False), lots):
        yield from ((action.strip(), deed) for action, deed in _sight((room, is_open, *things)).deeds.items())


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
        self._open = frozenset(room for room, piece in FURNITURE.items() if piece not in CONTAINERS)
        self.lies: dict[str, Things] = dict.fromkeys([CARRIED, EATEN, *ROOMS, *FLOOR.values()], ()) | HOLDS
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
        elif deed.opens is not None:
            self._open = self._open ^ {self.room}
        self.sight = _sight(self._place())
        return deed.message or f"{chr(10) if deed.goes else ''}{self.describe()}\n\n\n"

    def describe(self) -> str:
        """The room, as it is told on arrival."""
        room, is_open, _, held, floor = self._place()
        return self._words[room].tell(is_open, held, floor)

    @property
    def won(self) -> bool:
        """The stale food is in the fridge, and that is closed."""
        return PRIZE in self.lies["kitchen"] and "kitchen" not in self._open

    @property
    def lost(self) -> bool:
        """The stale food has been eaten."""
        return PRIZE in self.lies[EATEN]

    def _place(self) -> _Place:
        room, lies = self.room, self.lies
        return room, room in self._open, lies[CARRIED], lies[room], lies[FLOOR[room]]

    def _find(self, command: Command) -> Deed:
        deeds, place = self.sight.deeds, self._place()
        whole = Command("take", command.thing, FURNITURE.get(self.room, "")) if command.verb == "take" else command
        spelt = (command, whole) if not command.place else (command,)
        found = next((deeds[f"{c.text}\n"] for c in spelt if f"{c.text}\n" in deeds), None)
        return found or _without_effect(command, place)
