r"""Text-Nav: find stale food in a house of eight rooms, put it into the fridge and close that, told all of it or less.

    You take the stale food from the table.

    You are carrying: a stale food.

    Admissible commands: drop stale food, eat stale food, go east, go south, go west, put stale food on table
    go west

Closing the fridge on the stale food pays 1 and wins; eating the stale food loses. All else pays 0, and after `horizon`
commands the clock ends the episode: a truncation. What cannot be done is answered, costs a command and is no more. Told
whole (`observed="fully"`), a room's description begins with its name, and every answer ends with what one carries.

World, texts and ends are those of LMRL-Gym (abdulhaim/LMRL-Gym at 911d726). Departures, with the reference's file:

- `text_nav/env/make_game.py:136-138`: the sentence that tells the objective was lost when the game was compiled; what
  was shown names only the fridge. Here it is told (`objective="ours"`); `"reference"` shows what was shown there.
- `text_nav/env/env.py:59-69`: `reset` took no seed, `step` failed on a name, and no clock ended an episode. Each reset
  compiled a game, worded by a global generator. Here a seed draws room and words, and the rarest of these are our own.
- The last text ends with the score. The prompt to restart and what was said after it, the blanks that centred a line
  and the turns that a hidden `inventory` took are gone.
- `text_nav/dataset/collect_data.py:26`: all episodes shared one stream of chance, and who had once had the food went on
  as if it were still there. Both are mended in `demonstrations`; hints that do not apply are passed over.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from lmrl.kinds import Count, Share
from lmrl.task import Step
from lmrl.tasks.house.house import House, Sight, every_deed
from lmrl.tasks.house.plan import CARRIED, EXITS, PRIZE, ROOMS, THINGS, a
from lmrl.tasks.house.speech import LOOKING, NO_VERB, NO_WAY, NOTHING_SAID, UNSEEN, Refused
from lmrl.tasks.house.words import draw
from lmrl.tasks.house.words import phrases as sentences
from lmrl.trajectory import Trajectory, Turn, checked, read_array_or_lines

OBJECTIVES: Mapping[str, str] = {
    "ours": "Somewhere in this house lies stale food. "
    "Put it into the fridge in the kitchen and close the fridge to win. Whoever eats it has lost.",
    "reference": "You are now playing a profound round of TextWorld! "
    "Your task for today is to close the fridge in the kitchen.",
}
_END = "*** {} ***\n\nYou scored {} out of a possible 1, in "
WON = "Your score has just gone up by one point.\n\n\n" + _END.format("The End", 1)
LOST = _END.format("You lost!", 0)


class World(Protocol):
    """A running game, whichever engine plays it."""

    sight: Sight

    @property
    def won(self) -> bool: ...

    @property
    def lost(self) -> bool: ...

    def obey(self, said: str) -> str:
        """Carry out a command and tell what comes of it. Raises Refused with the answer to what cannot be done."""

    def describe(self) -> str:
        """The room, as it is told on arrival."""


class TextNav:
    r"""One episode after another.

    >>> game = TextNav(observed="partially", objective="ours", engine="own", horizon=15, cache="outputs/cache")
    >>> game.reset(seed=0, options={"room": "living room"})[-55:]
    'take fresh food from table, take stale food from table\n'
    >>> game.step("eat stale food\n").observation[:41]
    'You need to take the stale food first.\n\n\n'
    """

    def __init__(
        self,
        *,
        observed: Literal["fully", "partially"],
        objective: Literal["ours", "reference"],
        engine: Literal["own", "textworld"],
        horizon: Count,
        cache: str,
    ) -> None:
        """`cache`: the folder in which the game of `engine="textworld"` is kept."""
        _check(observed, objective)
        self._located, self._intro = observed == "fully", _intro(objective)
        self._horizon, self._turns = horizon, horizon
        self._begin = _beginning(engine, cache, located=self._located)
        self._room = ROOMS[0]
        self.world: World = House(self._room, {})

    def reset(self, seed: int, options: Mapping[str, Any] | None = None) -> str:
        """Wake in a room that the seed draws, or in that of options {"room": "office"}."""
        rng = random.Random(seed)
        self._room = _room(rng.choice(ROOMS), options or {})
        self.world = self._begin(self._room, rng)
        self._turns = 0
        return f"{self._intro}{self.world.describe()}\n\n{self.world.sight.admissible}"

    def step(self, action: str) -> Step:
        """Carry out one command."""
        if self._turns == self._horizon:
            raise RuntimeError("Text-Nav has no running game: call reset before the first command and after the end")
        self._turns += 1
        world = self.world
        info: dict[str, Any] = {}
        try:
            told = world.obey(action)
        except Refused as answer:
            told, info = str(answer), {"invalid_action": True}
        if world.won or world.lost:
            return self._end(told)
        carried = f"{world.sight.inventory}\n\n" if self._located else ""
        observation = f"{told}\n{carried}{world.sight.admissible}"
        if self._turns < self._horizon:
            return Step(observation, info=info)
        return Step(observation, done=True, truncated=True, info=info | {"success": False, "room": self._room})

    def legal_actions(self) -> Sequence[str]:
        """What is admissible now; `look`, `inventory` and `examine` are understood besides."""
        return self.world.sight.actions

    def _end(self, told: str) -> Step:
        won = self.world.won
        observation = f"{told}\n{WON if won else LOST}{self._turns} turns.\n"
        self._turns = self._horizon
        return Step(observation, float(won), done=True, info={"success": won, "room": self._room})


def _check(observed: str, objective: str) -> None:
    if observed not in ("fully", "partially"):
        raise ValueError(f"observed = {observed!r}: Text-Nav is observed 'fully' or 'partially'")
    if objective not in OBJECTIVES:
        raise ValueError(f"objective = {objective!r}: there are {', '.join(map(repr, OBJECTIVES))}")


def _intro(objective: str) -> str:
    return f"\n\n\n{OBJECTIVES[objective]}\n\n"


def _beginning(engine: str, cache: str, *, located: bool) -> Callable[[str, random.Random], World]:
    """What begins a game in a room. Raises ValueError for an engine that there is not."""
    if engine == "own":
        return lambda room, rng: House(room, draw(rng, located=located))
    if engine != "textworld":
        raise ValueError(f"engine = {engine!r}: Text-Nav is played by the engine 'own' or by 'textworld'")
    from lmrl.tasks.house.textworld import RealHouse

    return RealHouse(Path(cache), located=located).begin


def _room(drawn: str, options: Mapping[str, Any]) -> str:
    for key in options.keys() - {"room"}:
        raise ValueError(f"options.{key} = {options[key]!r}: Text-Nav takes only 'room'")
    room = options.get("room", drawn)
    if not isinstance(room, str) or room not in ROOMS:
        raise ValueError(f"options.room = {room!r}: the rooms are {', '.join(ROOMS)}")
    return room


_ADMISSIBLE = "Admissible commands: "
_BETWEEN = (
    *(_ADMISSIBLE, f"\n\n{_ADMISSIBLE}", f".\n\n{_ADMISSIBLE}", f"You are carrying nothing.\n\n{_ADMISSIBLE}"),
    *("You are carrying: ", " turns.\n", "\n", "\n\n", "\n\n\n\n", ".\n\n\n"),
)


def phrases(*, observed: Literal["fully", "partially"], objective: Literal["ours", "reference"]) -> list[str]:
    """Texts worth a token each: sentences, messages, commands alone and in a list, in which all ways out are one."""
    _check(observed, objective)
    deeds, located = list(every_deed()), observed == "fully"
    ways = [", ".join(f"go {way}" for way in exits) for exits in EXITS.values()]
    known = [_intro(objective), *_BETWEEN, WON, LOST]
    known += [f"{command}{end}" for command in (*(command for command, _ in deeds), *ways) for end in ("\n", ", ")]
    known += ["".join(deed.message.partition("revealing ")[:2]) for _, deed in deeds if "revealing" in deed.message]
    known += [f"{deed.message}\n" for _, deed in deeds if "revealing" not in deed.message]
    known += [f"{answer}\n" for answer in (NOTHING_SAID, NO_VERB, UNSEEN, NO_WAY)]
    known += [f"{joint}{a(thing)}" for thing in THINGS for joint in ("", ", ", " and ")]
    return list(dict.fromkeys([*known, *sentences(located=located)]))


_OUTSKIRTS = ("office", "bathroom", "garden", "backyard")
"""The rooms in which some players know what to do; the others know it in the other rooms."""
_SEEKING = {
    "bedroom": ("go west",),
    "office": ("go north",),
    "bathroom": ("go north",),
    "living room": ("take stale food from table", "go west"),
    "kitchen": ("go east",),
    "dining room": ("go east",),
    "garden": ("go south",),
    "backyard": ("go east",),
}
_BRINGING = _SEEKING | {
    "living room": ("go west",),
    "kitchen": ("open fridge", "insert stale food into fridge", "close fridge"),
    "dining room": ("go west",),
}
"""What they know there before they carry the stale food, and then."""


class _Player:
    """Wanders, and in rooms that it knows may follow what it knows to the end."""

    def __init__(self, rng: random.Random, *, outskirts: float, follow: float) -> None:
        outside = rng.random() < outskirts
        self._known = tuple(room for room in ROOMS if (room in _OUTSKIRTS) is outside)
        self._follow, self._rng = follow, rng
        self._hints: list[str] = []

    def act(self, house: House) -> str:
        if not self._hints and house.room in self._known and self._rng.random() < self._follow:
            self._hints = [*(_BRINGING if PRIZE in house.lies[CARRIED] else _SEEKING)[house.room]]
        while self._hints:
            if (action := f"{self._hints.pop(0)}\n") in house.sight.deeds:
                return action
        return self._rng.choice(house.sight.actions)


def _play(game: TextNav, player: _Player, seed: int) -> Trajectory:
    turns = [Turn(game.reset(seed), False)]
    while True:
        assert isinstance(game.world, House)
        action = player.act(game.world)
        step = game.step(action)
        turns += Turn(action, True, step.reward), Turn(step.observation, False)
        if step.done:
            return Trajectory(tuple(turns), not step.truncated, {"seed": seed, **step.info, "invalid_actions": 0})


def demonstrations(
    episodes: int,
    seed: int,
    *,
    observed: Literal["fully", "partially"],
    objective: Literal["ours", "reference"],
    horizon: Count,
    outskirts: Share,
    follow: Share,
) -> Iterator[Trajectory]:
    """Play a mixture from which the way from every room can be stitched together, and which nobody knows as a whole.

    A share `outskirts` of the players knows office, bathroom, garden and backyard, the others the other four rooms. In
    a room that it knows a player begins with probability `follow` per command to do what helps there; else it says any
    admissible command.
    """
    rng = random.Random(seed)
    game = TextNav(observed=observed, objective=objective, engine="own", horizon=horizon, cache="")
    for _ in range(episodes):
        yield _play(game, _Player(rng, outskirts=outskirts, follow=follow), rng.getrandbits(32))


def read_reference(path: Path) -> Iterator[Trajectory]:
    """Read the reference's episodes, JSON lines or one array of all. Raises ValueError naming the file and the place.

    Every last command is marked as an end there; one that neither won nor lost is read as the clock's. Texts stay
    stripped, as they are there, of the blank lines around those of play. A command that was not listed is invalid.
    """
    return read_array_or_lines(path, _reference_episode)


def _reference_episode(row: Any) -> Trajectory:
    if not isinstance(row, dict):
        raise ValueError(f"a row is an object with text_history, rewards and dones, not {row!r}")
    texts, paid, dones = row["text_history"], row["rewards"], row["dones"]
    if not len(texts) - 1 == 2 * len(paid) == 2 * len(dones):
        raise ValueError("text_history needs a text more than twice the rewards, and dones their length")
    rewards = [pay for reward in paid for pay in (reward, 0.0)]
    turns = [
        Turn(text + "\n", i % 2 == 1, pay) for i, (text, pay) in enumerate(zip(texts, [0.0, *rewards], strict=True))
    ]
    success, bad = paid[-1:] == [1], sum(not _listed(*turn) for turn in zip(texts[::2], texts[1::2], strict=False))
    done = success or "*** You lost! ***" in turns[-1].text
    return checked(Trajectory(tuple(turns), done, {"success": success, "invalid_actions": bad}))


def _listed(told: str, command: str) -> bool:
    """Whether it stood in the list, or only looks, which is never listed."""
    return command in told.rpartition(_ADMISSIBLE)[2].split(", ") or command.startswith(LOOKING)
