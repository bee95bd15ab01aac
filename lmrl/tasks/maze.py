r"""Maze: walk to the goal of a double T, told where one stands (fully observed) or only which walls are near.

    The goal is at position 8, 6. Your current position is at position 5, 9. There are walls to your right, below you.
    move left

A known action pays -1, an unknown one -4 and does not move; reaching the goal pays 0 and says `Success`. After 100
actions the next is not carried out: it pays -1, and `Failure` ends the episode as a truncation.

Texts, rewards, steps and the start that a seed draws are those of LMRL-Gym (abdulhaim/LMRL-Gym at 911d726). What is not
inherited, with the reference's file and line:

- `maze/env/env.py`: an unknown action erased all that the agent had seen, the memory of moves survived a reset, and a
  failing reset left the global random state seeded. How much a policy sees is `Task.context` here.
- `maze/*/partially_observed_*.py`, line 380 in `ppo`: the texts were joined by a blank in training and by nothing in
  play. Here they are the same turns.
- `maze/mc_returns/train_mc.py:118-127` and the ILQL readers counted an episode's last reward twice; `read_reference`
  does not. The clock's `Failure` was a terminal state; here it is a truncation.
"""

import random
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from operator import index
from pathlib import Path
from typing import Any, Literal

from lmrl.kinds import Natural, Share
from lmrl.task import Step
from lmrl.trajectory import Trajectory, Turn, read_lines

Cell = tuple[int, int]
"""Row, which grows downward, and column, which grows rightward."""

GRID = (
    "1111111111111",
    "1000001000001",
    "1110111110111",
    "1110111110111",
    "1110111110111",
    "1110000000111",
    "1111110111111",
    "1111110111111",
    "1111110111111",
    "1111111111111",
)
"""1 is a wall, 0 is free."""
GOAL: Cell = (8, 6)
STARTS: tuple[Cell, ...] = tuple(
    (r, c) for r, row in enumerate(GRID) for c, mark in enumerate(row) if mark == "0" and (r, c) != GOAL
)
MOVES: dict[str, Cell] = {"move left\n": (0, -1), "move right\n": (0, 1), "move up\n": (-1, 0), "move down\n": (1, 0)}
ACTIONS = tuple(MOVES)
SIDES: dict[str, Cell] = {"to your right": (0, 1), "to your left": (0, -1), "above you": (-1, 0), "below you": (1, 0)}
MAX_MOVES = 100
SUCCESS = Step("Success\n", 0.0, done=True, info={"success": True})
FAILURE = Step("Failure\n", -1.0, done=True, truncated=True, info={"success": False})
UNKNOWN = ""
"""Stands for every unknown action in the table of moves."""


def _beside(cell: Cell, offset: Cell) -> Cell:
    """The neighbour of a cell, or the cell itself where a wall is in the way."""
    row, column = cell[0] + offset[0], cell[1] + offset[1]
    return cell if GRID[row][column] == "1" else (row, column)


def _walls(cell: Cell) -> str:
    near = [side for side, offset in SIDES.items() if _beside(cell, offset) == cell]  # at least one in this maze
    return f"There {'is a wall' if len(near) == 1 else 'are walls'} {', '.join(near)}.\n"


def _spaced(number: int) -> str:
    return " ".join(str(number))


def _pieces(cell: Cell, observed: str) -> tuple[str, ...]:
    """What the observation of a cell is joined from; each piece is worth a token of its own."""
    if observed == "partially":
        return (_walls(cell),)
    goal, (row, column) = map(_spaced, GOAL), map(_spaced, cell)
    told = f"The goal is at position {', '.join(goal)}. ", "Your current position is at position "
    return *told, f"{row}, ", f"{column}. ", _walls(cell)


@cache
def _table(observed: str) -> dict[Cell, dict[str, tuple[Step, Cell]]]:
    """What each action answers in each cell and where it leads. Built once, so that a step is two look-ups."""
    said = {cell: "".join(_pieces(cell, observed)) for cell in STARTS}
    table = {}
    for cell in STARTS:
        ends = {action: _beside(cell, offset) for action, offset in MOVES.items()}
        moves = {action: (SUCCESS if end == GOAL else Step(said[end], -1.0), end) for action, end in ends.items()}
        table[cell] = moves | {UNKNOWN: (Step(said[cell], -4.0, info={"invalid_action": True}), cell)}
    return table


def _check_observed(observed: str) -> None:
    if observed not in ("fully", "partially"):
        raise ValueError(f"observed = {observed!r}: a maze is observed 'fully' or 'partially'")


class Maze:
    r"""The double-T maze.

    >>> maze = Maze(observed="fully")
    >>> maze.reset(seed=0, options={"start": [7, 6]})[30:]
    'Your current position is at position 7, 6. There are walls to your right, to your left.\n'
    >>> maze.step("move down\n")
    Step(observation='Success\n', reward=0.0, done=True, truncated=False, info={'success': True})
    """

    def __init__(self, *, observed: Literal["fully", "partially"]) -> None:
        _check_observed(observed)
        self._observed, self._table = observed, _table(observed)
        self._cell = GOAL
        self._moves_left = -1  # -1: no episode is running

    def reset(self, seed: int, options: Mapping[str, Any] | None = None) -> str:
        """Start in a cell that the seed draws, or at options {"start": [row, column]}."""
        self._cell = _start(seed, options or {})
        self._moves_left = MAX_MOVES
        return "".join(_pieces(self._cell, self._observed))

    def step(self, action: str) -> Step:
        """Move, and say what is seen from there."""
        if self._moves_left <= 0:
            return self._out_of_time()
        moves = self._table[self._cell]
        step, self._cell = moves.get(action) or moves[UNKNOWN]
        self._moves_left = -1 if step.done else self._moves_left - 1
        return step

    def legal_actions(self) -> Sequence[str]:
        """The four moves, wherever one stands."""
        return ACTIONS

    def _out_of_time(self) -> Step:
        if self._moves_left < 0:
            raise RuntimeError("the maze has no running episode: call reset before the first step and after the last")
        self._moves_left = -1
        return FAILURE


def _start(seed: int, options: Mapping[str, Any]) -> Cell:
    for key in options.keys() - {"start"}:
        raise ValueError(f"options.{key} = {options[key]!r}: a maze takes only 'start', as [row, column]")
    if "start" not in options:
        rng = random.Random(seed)
        rng.choice((GOAL,))  # the reference draws the goal first: the same seed gives the same start
        return rng.choice(STARTS)
    start = options["start"]
    try:
        cell = tuple(map(index, start))  # whatever holds whole numbers: a list, a tuple, an array
    except TypeError:
        cell = ()
    if cell not in STARTS:
        raise ValueError(f"options.start = {start!r}: needs [row, column] of a free cell other than the goal {[*GOAL]}")
    return STARTS[STARTS.index(cell)]


def starts() -> list[dict[str, list[int]]]:
    """The options of the published protocol: every cell but the goal, once."""
    return [{"start": [*cell]} for cell in STARTS]


def phrases(*, observed: Literal["fully", "partially"]) -> list[str]:
    """Texts worth a token each: 5 tokens per observation (1 where only walls are told), 1 per action."""
    _check_observed(observed)
    pieces = (piece for cell in STARTS for piece in _pieces(cell, observed))
    return list(dict.fromkeys([*pieces, *ACTIONS, SUCCESS.observation, FAILURE.observation]))


@cache
def distances() -> Mapping[Cell, int]:
    """Moves from each cell to the goal along the shortest way, by breadth-first search."""
    found, queue = {GOAL: 0}, deque([GOAL])
    while queue:
        cell = queue.popleft()
        for offset in MOVES.values():
            if (near := _beside(cell, offset)) not in found:
                found[near] = found[cell] + 1
                queue.append(near)
    return found


@cache
def _way() -> Mapping[Cell, str]:
    """The first move of the shortest way from each cell; it is unique in this maze."""
    far = distances()
    return {cell: min(MOVES, key=lambda action: far[_beside(cell, MOVES[action])]) for cell in STARTS}


def _play(maze: Maze, rng: random.Random, *, skill: float, border: int) -> Trajectory:
    seed = rng.getrandbits(32)
    cell, far, way = _start(seed, {}), distances(), _way()
    turns = [Turn(maze.reset(seed), False)]
    info: dict[str, Any] = {"seed": seed, "start": [*cell], "success": False, "invalid_actions": 0}
    while True:
        knows = far[cell] > border and rng.random() < skill
        action = way[cell] if knows else ACTIONS[int(4 * rng.random())]
        step = maze.step(action)
        turns += Turn(action, True, step.reward), Turn(step.observation, False)
        if step.done:
            return Trajectory(tuple(turns), not step.truncated, {**info, **step.info})
        cell = _beside(cell, MOVES[action])


def _gives_it_away(episode: Trajectory, border: int) -> bool:
    """Whether this is a shortest way from a far start: then the data would hold the answer and need no stitching."""
    distance = distances()[tuple(episode.info["start"])]
    return distance > border and episode.num_actions == distance


def demonstrations(
    episodes: int, seed: int, *, observed: Literal["fully", "partially"], guides: Share, skill: Share, border: Natural
) -> list[Trajectory]:
    """Play a mixture from which the shortest way can be stitched together, but not copied.

    Everybody wanders, each move uniform. A share `guides` of the players also knows the way while it is farther than
    `border` moves from the goal, and takes it there with probability `skill` per move; nobody knows the end of it. A
    far start that reaches the goal the shortest way by luck is played again.
    """
    rng, maze = random.Random(seed), Maze(observed=observed)
    played: list[Trajectory] = []
    while len(played) < episodes:
        episode = _play(maze, rng, skill=skill if rng.random() < guides else 0.0, border=border)
        if not _gives_it_away(episode, border):
            played.append(episode)
    return played


def read_reference(path: Path) -> Iterator[Trajectory]:
    """Read the reference's maze data: fully observed (a list of transitions) or partially (lists of texts and rewards).

    Raises ValueError naming the file, the line and the reason.
    """
    return read_lines(path, _reference_episode)


def _reference_episode(row: Any) -> Trajectory:
    if isinstance(row, list):
        said = [pair for step in row for pair in ((step["state"], 0.0), (step["action"], step["reward"]))]
        done = row[-1]["done"] if row else False
    elif isinstance(row, dict):
        texts, paid, ends = row["text_history"], row["rewards"], row["dones"]
        if not len(texts) == len(paid) == len(ends) or len(texts) % 2:
            raise ValueError("text_history, rewards and dones need one even length: observation, action, …")
        said = list(zip(texts, paid, strict=True))
        done = ends[-1] if ends else False
    else:
        raise ValueError(f"a row is a list of transitions or an object with text_history, not {row!r}")
    if done not in (False, True):  # 0 and 1 will do
        raise ValueError(f"done = {done!r}: true or false is needed")
    return _from_said(said, bool(done))


def _from_said(said: list[tuple[str, float]], done: bool) -> Trajectory:
    """The rows hold what was seen before each action; what was said last follows from the last reward."""
    turns = [Turn(text, bool(place % 2), reward) for place, (text, reward) in enumerate(said)]
    unknown = sum(turn.text not in MOVES for turn in turns[1::2])
    success = done and turns[-1].reward == SUCCESS.reward
    if done:
        turns.append(Turn((SUCCESS if success else FAILURE).observation, False))
    return Trajectory(tuple(turns), success, {"success": success, "invalid_actions": unknown})
