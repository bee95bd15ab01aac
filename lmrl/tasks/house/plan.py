"""The plan of the house of Text-Nav, as LMRL-Gym builds it: rooms, ways, furniture, things."""

from collections.abc import Mapping
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


class Place(NamedTuple):
    """Where the agent stands: all that decides what it sees and can do. Things are in the order of their telling."""

    room: str
    is_open: bool
    """Of its furniture; a table always is."""
    carried: tuple[str, ...]
    held: tuple[str, ...]
    """By the furniture."""
    floor: tuple[str, ...]

    @property
    def furniture(self) -> str:
        """Empty where there is none."""
        return FURNITURE.get(self.room, "")

    @property
    def visible(self) -> tuple[str, ...]:
        """All that a command may name."""
        return (*self.carried, *self.floor, self.furniture, *(self.held if self.is_open else ()))


def a(name: str) -> str:
    """A name with its article, by its first letter: 'an utensils', as the engine has it."""
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def listed(things: tuple[str, ...]) -> str:
    """'a plate', 'a fruit and a plate', 'a bowl, a fruit and a plate'."""
    *most, last = map(a, things)
    return f"{', '.join(most)} and {last}" if most else last
