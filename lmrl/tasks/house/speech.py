r"""How one speaks to the house of Text-Nav, and what it answers to commands that move nothing.

Not inherited from the engine, TextWorld's Inform: it guesses what a command lacks, takes the next text for the answer
to a question of its own, obeys several commands in one line, and orders to itself such as RESTART. Here all these are
refused. So is `food` alone, since two things are called so; the engine takes the one that is nearer at hand.
"""

from functools import cache
from typing import NamedTuple

from lmrl.tasks.house.plan import CONTAINERS, EDIBLE, FURNITURE, THINGS, Place, listed

NOTHING_SAID = "I beg your pardon?\n"
NO_VERB = "That's not a verb I recognise.\n"
UNSEEN = "You can't see any such thing.\n"
NO_WAY = "You can't go that way.\n\n"


class Refused(Exception):
    """A command that is not carried out; the text is the engine's answer to it."""


class Command(NamedTuple):
    """What a text asks for; `text` is how the admissible commands spell it."""

    verb: str
    thing: str = ""
    place: str = ""

    @property
    def text(self) -> str:
        joint = {"take": "from", "put": "on", "insert": "into"}[self.verb] if self.place else ""
        return " ".join(filter(None, (self.verb, self.thing, joint, self.place)))


WAYS = ("east", "north", "south", "west")
ALONE = ("look", "inventory")
"""Said of no thing."""
LOOKING = ("examine", *ALONE)
"""What changes nothing: never listed, and refused only where what is to be examined is not in sight."""
JOINTS = {"take": ("from",), "put": ("on", "in", "into"), "insert": ("in", "into")}
VERBS = ("go", "open", "close", "take", "drop", "eat", "put", "insert", *LOOKING)
SHORT = {"get": "take", "x": "examine", "l": "look", "i": "inventory"} | {way[0]: way for way in WAYS}
ARTICLES = ("a", "an", "the")


@cache
def _names() -> dict[str, tuple[str, ...]]:
    """Things by each word and by the whole of their names."""
    whole = (*THINGS, *dict.fromkeys(FURNITURE.values()))
    calls = {call for name in whole for call in (name, *name.split())}
    return {call: tuple(name for name in whole if call in (name, *name.split())) for call in calls}


def _named(words: list[str]) -> str:
    """The one thing that some words name. Raises Refused."""
    bare = words[1:] if words and words[0] in ARTICLES else words
    named = _names().get(" ".join(bare), ())
    if len(named) > 1:
        raise Refused(f"Which do you mean, {' or '.join(f'the {name}' for name in named)}?\n")
    if not named:
        raise Refused(UNSEEN)
    return named[0]


def understood(said: str) -> Command:
    """Read one command: capitals, blanks, articles and a short but clear name do not matter. Raises Refused.

    >>> understood("  Take the STALE from table\\n").text
    'take stale food from table'
    """
    words = [SHORT.get(word, word) for word in said.strip().lower().split(" ") if word]
    if not words:
        raise Refused(NOTHING_SAID)
    verb, *rest = words if words[0] not in WAYS else ["go", *words]
    if verb not in VERBS:
        raise Refused(NO_VERB)
    if verb in ALONE and not rest:
        return Command(verb)
    if verb == "go":
        return _going(rest)
    return _handling(verb, rest)


def _going(rest: list[str]) -> Command:
    if len(rest) != 1 or rest[0] not in WAYS:
        raise Refused(UNSEEN)
    return Command("go", rest[0])


def _handling(verb: str, rest: list[str]) -> Command:
    joint = next((word for word in rest if word in JOINTS.get(verb, ())), "")
    if not joint and verb in ("put", "insert"):
        raise Refused(UNSEEN)
    if not joint:
        return Command(verb, _named(rest))
    cut = rest.index(joint)
    verb = "insert" if joint.startswith("in") else verb
    return Command(verb, _named(rest[:cut]), _named(rest[cut + 1 :]))


def unmoved(command: Command, place: Place) -> str:
    """The answer to what only looks; empty where the room is told. Raises Refused with the answer to all else."""
    verb, thing, second = command
    if verb in ALONE:
        return f"{inventory(place.carried)}\n\n\n" if verb == "inventory" else ""
    if verb == "go":
        raise Refused(NO_WAY)
    if thing not in place.visible or (second and second not in place.visible):
        raise Refused(UNSEEN)
    if verb == "examine":
        return f"{_looks(thing, place)}\n\n\n"
    raise Refused(_stays(verb, thing) if verb in ("open", "close") else _keeps(command, place))


def inventory(carried: tuple[str, ...]) -> str:
    """What one carries, in a sentence."""
    return f"You are carrying: {listed(carried)}." if carried else "You are carrying nothing."


def _looks(thing: str, place: Place) -> str:
    if thing != place.furniture:
        return f"You see nothing special about the {thing}."
    if not place.is_open:
        return f"The {thing} is closed."
    return f"{'In' if thing in CONTAINERS else 'On'} the {thing}: {listed(place.held) if place.held else 'nothing'}."


def _stays(verb: str, thing: str) -> str:
    """Why a lid is not opened or closed."""
    if thing in CONTAINERS:
        return f"That's already {'open' if verb == 'open' else 'closed'}.\n\n"
    return f"It isn't something you can {verb}.\n\n"


def _keeps(command: Command, place: Place) -> str:
    """Why a thing in sight does not change its place."""
    verb, thing, second = command
    fixed = thing == place.furniture
    if verb == "take":
        return UNSEEN if second else "That's fixed in place.\n\n\n" if fixed else "You already have that.\n\n\n"
    if verb == "drop":
        here = fixed or thing in place.floor
        return f"The {thing} is already here.\n\n" if here else "You haven't got that.\n\n"
    if verb == "eat" and thing not in EDIBLE:
        return "That's plainly inedible.\n\n"
    if thing not in place.carried:
        return f"The {thing} is fixed in place.\n\n" if fixed else f"You need to take the {thing} first.\n\n"
    return _fits_not(verb == "insert", thing, second)


def _fits_not(inside: bool, thing: str, place: str) -> str:
    if thing == place:
        return f"You can't put something {'inside' if inside else 'on top of'} itself.\n\n"
    if not inside:
        return f"Putting things on the {place} would achieve nothing.\n\n"
    return f"The {place} is closed.\n\n" if place in CONTAINERS else "That can't contain things.\n\n"
