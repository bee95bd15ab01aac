"""The house of Text-Nav in the real TextWorld, whose Inform game is compiled once and kept in the cache.

Each game is worded as it was compiled, whatever the seed, and TextWorld words its exits and a few jokes otherwise than
LMRL-Gym's fork of it. What is not told when partially observed is cut from the text: the fork leaves it out of its
grammar. An episode begins where it is to by a walk from the bedroom that nobody sees.
"""

import random
import re
import weakref
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lmrl.files import whole
from lmrl.tasks.house.house import sight
from lmrl.tasks.house.plan import CONTAINERS, EDIBLE, EXITS, FURNITURE, HOLDS, PRIZE, ROOMS
from lmrl.tasks.house.speech import LOOKING, UNSEEN, Refused, understood

GAME_VERSION = 1
"""Raised when `_compile` would make another game."""
WORDING = 7
"""TextWorld's seed for the words."""
OPPOSITE = {"north": "south", "south": "north", "east": "west", "west": "east"}
_TITLE = re.compile(r"-=.*=-\n")
_PLACE = re.compile(r"-=.*=-\n.*\n\n(\n\n)?")
"""The title and the paragraph that names the room; in an empty room a second blank line follows."""


def _compile(path: Path) -> None:
    """Write a game at `path`, a file of type z8, and its description beside it."""
    from textworld import GameMaker, GameOptions
    from textworld.generator import compile_game
    from textworld.generator.game import Event, Quest

    options = GameOptions()
    options.seeds, options.path = WORDING, str(path)
    maker = GameMaker(options)
    rooms = {name: maker.new_room(name) for name in ROOMS}
    for name, exits in EXITS.items():
        for way, there in exits.items():
            if name < there:  # a connection leads both ways
                maker.connect(getattr(rooms[name], way), getattr(rooms[there], OPPOSITE[way]))
    made = _furnish(maker, rooms)
    maker.set_player(rooms[ROOMS[0]])
    stale, fridge = made[PRIZE], made["fridge"]
    win = Event(conditions={maker.new_fact("in", stale, fridge), maker.new_fact("closed", fridge)})
    maker.quests = [Quest(win_events=[win], fail_events=[Event(conditions={maker.new_fact("eaten", stale)})])]
    compile_game(maker.build(), options)


def _furnish(maker: Any, rooms: dict[str, Any]) -> dict[str, Any]:
    """Furniture and things by name; of the tables the last."""
    made = {}
    for room, piece in FURNITURE.items():
        made[piece] = maker.new(type="c" if piece in CONTAINERS else "s", name=piece)
        if piece in CONTAINERS:
            made[piece].add_property("closed")
        rooms[room].add(made[piece])
        for thing in HOLDS[room]:
            made[thing] = maker.new(type="f" if thing in EDIBLE else "o", name=thing)
            made[piece].add(made[thing])
    return made


def _game(folder: Path) -> Path:
    """The compiled game. Raises ValueError where TextWorld is not installed or the cache cannot be written."""
    if find_spec("textworld") is None:
        raise ValueError("engine = 'textworld' needs a package that is not installed: pip install 'lmrl[textworld]'")
    kept = folder / f"text_nav-textworld-{version('textworld')}-{GAME_VERSION}"
    try:
        if not kept.is_dir():
            with whole(kept) as part:
                _compile(part / "house.z8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise ValueError(f"cache = {folder}: cannot keep a game there ({reason}); name another folder") from error
    return kept / "house.z8"


@cache
def _walks() -> dict[str, tuple[str, ...]]:
    """The ways from the bedroom to each room, by breadth-first search."""
    walks: dict[str, tuple[str, ...]] = {ROOMS[0]: ()}
    for here in (queue := [ROOMS[0]]):
        for way, there in EXITS[here].items():
            if there not in walks:
                walks[there] = (*walks[here], way)
                queue.append(there)
    return walks


class RealHouse:
    """One game after another in one interpreter, which ends with this object or with the process."""

    def __init__(self, cache: Path, *, located: bool) -> None:
        game = _game(cache)
        import textworld

        asked = textworld.EnvInfos(feedback=True, admissible_commands=True, inventory=True, won=True, lost=True)
        self._engine = textworld.start(str(game), asked)
        weakref.finalize(self, self._engine.close)
        self._state: Any = self._engine.reset()
        self._located, self._told = located, ""
        self.sight = sight({}, "")

    def begin(self, room: str, rng: random.Random) -> "RealHouse":
        """Start again, in a room; chance has no part in it."""
        self._engine.reset()
        for way in _walks()[room]:
            self._engine.step(f"go {way}")
        self._told = self._say("look").rstrip("\n")
        return self

    def obey(self, said: str) -> str:
        """Carry out a command and tell what comes of it. Raises Refused."""
        command = understood(said)
        spelt = (f"{command.text}\n", f"{command.text} from ")
        admissible = any(action.startswith(spelt) for action in self.sight.actions)
        told = self._say(command.text)
        looks = command.verb in LOOKING and told != UNSEEN
        if not admissible and not looks:
            raise Refused(told)
        return told

    def describe(self) -> str:
        """The room that the game began in, as it was told then."""
        return self._told

    @property
    def won(self) -> bool:
        """The stale food is in the fridge, and that is closed."""
        return bool(self._state.won)

    @property
    def lost(self) -> bool:
        """The stale food has been eaten."""
        return bool(self._state.lost)

    def _say(self, command: str) -> str:
        """Hand a command on; the answer without prompt, title, score and, if that is not told, place."""
        self._state, *_ = self._engine.step(command)
        listed = [c for c in self._state.admissible_commands if not any(word in c for word in LOOKING)]
        self.sight = sight(dict.fromkeys(listed), self._state.inventory.strip())
        told = str(self._state.feedback).removeprefix("\n").partition("\n>")[0]
        if self.won or self.lost:
            return told.partition("\n\n\n")[0] + "\n\n"
        return _TITLE.sub("", told) if self._located else _PLACE.sub(lambda found: found[1] or " ", told)
