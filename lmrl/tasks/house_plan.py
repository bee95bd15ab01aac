r"""The plan of the house of Text-Nav, as LMRL-Gym builds it, and how one speaks to it.

Not inherited from its engine, TextWorld's Inform: it guesses what a command lacks, takes the next text for the answer
to a question of its own, obeys several commands in one line, and orders to itself such as RESTART. Here all these are
refused. So is `food` alone, since two things are called so; the engine takes the one that is nearer at hand.
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

EXITS: Mapping[str, Mapping[str, str]] = {
    "bedroom": {"south": "bathroom", "west": "living room"},
    "bathroom": {"north": "bedroom", "west": "office"},
    "office": {"east": "bathroom", "north": "living room"},
    "living room": {"east": "bedroom", "south": "office", "west": "dining room"},
    "kitchen": {"east": "dining room", "north": "garden", "west": "backyard"},
    "dining room": {"east": "living room", "west": "kitchen"},
    "garden": {"south": "kitchen"},
    "backyard": {"east": "kitchen"},
}
"""Where each way leads, the ways in the order of the alphabet."""
ROOMS = tuple(EXITS)
"""In the order in which LMRL-Gym draws the room that an episode starts in."""
FURNITURE = {"bedroom": "table", "office": "chest", "living room": "table", "kitchen": "fridge", "dining room": "table"}
CONTAINERS = ("chest", "fridge")
"""Closed at first; the tables have things on them."""
HOLDS = {
    "bedroom": ("bowl",),
    "office": ("utensils",),
    "living room": ("stale food", "fresh food"),
    "kitchen": ("fruit",),
    "dining room": ("coffee cup", "plate"),
}
"""What lies on or in each room's furniture at first."""
THINGS = tuple(thing for things in HOLDS.values() for thing in things)
EDIBLE = ("stale food", "fresh food", "fruit")
PRIZE = "stale food"
CARRIED, EATEN = "carried", "eaten"
FLOOR = {room: f"{room} floor" for room in ROOMS}

NOTHING_SAID = "I beg your pardon?\n"
NO_VERB = "That's not a verb I recognise.\n"
UNSEEN = "You can't see any such thing.\n"
NO_WAY = "You can't go that way.\n\n"
REFUSALS = (
    *(answer.strip() for answer in (NOTHING_SAID, NO_VERB, UNSEEN, NO_WAY)),
    *(
        "Which do you mean",
        "It isn't something you can",
        "That's already",
        "That's fixed",
        "That's plainly",
        "That can't",
    ),
    *("You already have", "You haven't got", "You need to take", "You can't put", "Putting things on"),
)
"""How the answers to what is not carried out begin."""


class Refused(Exception):
    """A command that is not carried out; the text is the engine's answer to it."""


def a(name: str) -> str:
    """A name with its article, by its first letter: 'an utensils', as the engine has it."""
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def listed(things: tuple[str, ...]) -> str:
    """'a plate', 'a fruit and a plate', 'a bowl, a fruit and a plate'."""
    *most, last = map(a, things)
    return f"{', '.join(most)} and {last}" if most else last


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
ASIDE = ("look", "inventory")
"""Like `examine`, never listed and never refused: they change nothing."""
JOINTS = {"take": ("from",), "put": ("on", "in", "into"), "insert": ("in", "into")}
VERBS = ("go", "open", "close", "take", "drop", "eat", "put", "insert", "examine", *ASIDE)
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
    named = _names().get(" ".join(words[words[:1] != [] and words[0] in ARTICLES :]), ())
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
    if verb in ASIDE and not rest:
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
