"""How the house of Text-Nav is won."""

from lmrl.tasks.house.plan import ROOMS

TO_THE_FOOD = {
    "bedroom": ["go west"],
    "bathroom": ["go west", "go north"],
    "office": ["go north"],
    "living room": [],
    "kitchen": ["go east", "go east"],
    "dining room": ["go east"],
    "garden": ["go south", "go east", "go east"],
    "backyard": ["go east", "go east", "go east"],
}
AND_ON = ["take stale food from table", "go west", "go west", "open fridge", "insert stale food into fridge"]


def walkthrough(room: str) -> list[str]:
    """The actions of a shortest way to the win."""
    return [f"{command}\n" for command in (*TO_THE_FOOD[room], *AND_ON, "close fridge")]


assert set(TO_THE_FOOD) == set(ROOMS)
