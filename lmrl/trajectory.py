"""What an episode leaves behind: the one record that data files, rollouts, scores, people and pages share.

A file of episodes is JSON lines, one episode a line. `[text]` is an observation, `[text, reward]` an action, and
`[text, reward, [ids]]` an action with the tokens that were sampled for it:

    {"turns": [["Wordle:\\n"], ["p a n i c\\n", -1.0], ["b b y b b\\n"]], "done": false, "info": {"word": "robin"}}
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance, by the agent (`is_action`) or by its environment."""

    text: str
    is_action: bool
    reward: float = 0.0
    """Paid for this action; 0.0 on an observation."""
    tokens: tuple[int, ...] | None = None
    """The ids a policy sampled for this action. They are trained on as they are, never re-made from the text."""


History = tuple[Turn, ...]
"""observation, action, observation, …"""


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One episode.

    >>> episode = Trajectory((Turn("Wordle:\\n", False), Turn("p a n i c\\n", True, -1.0)), done=False)
    >>> episode.total, episode.num_actions
    (-1.0, 1)
    """

    turns: History
    done: bool
    """The environment ended it in a terminal state. False: the clock did, so nothing is known of what follows."""
    info: Mapping[str, Any] = field(default_factory=dict)
    """Seed, hidden word, outcome: for people and scores, never shown to a policy."""

    @property
    def total(self) -> float:
        """The undiscounted sum of rewards: the raw return."""
        return sum(turn.reward for turn in self.turns)

    @property
    def num_actions(self) -> int:
        """How often the agent spoke."""
        return sum(turn.is_action for turn in self.turns)


@lru_cache(maxsize=65536)  # games repeat their texts: one dictionary look-up instead of a JSON encoder's call
def _encode(turn: Turn) -> str:
    row: list[Any] = [turn.text]
    if turn.is_action:
        row.append(turn.reward)
        if turn.tokens is not None:
            row.append(turn.tokens)
    elif turn.reward:
        raise ValueError(f"an observation cannot be paid: {turn!r}")
    return json.dumps(row)


def to_line(trajectory: Trajectory) -> str:
    """The trajectory as one line of JSON, without the line's end."""
    turns = ", ".join(map(_encode, trajectory.turns))
    return f'{{"turns": [{turns}], "done": {json.dumps(trajectory.done)}, "info": {json.dumps(dict(trajectory.info))}}}'


def _turn(row: Any) -> Turn:
    match row:
        case [str(text)]:
            return Turn(text, False)
        case [str(text), int() | float() as reward]:
            return Turn(text, True, float(reward))
        case [str(text), int() | float() as reward, [*ids]]:
            return Turn(text, True, float(reward), tuple(ids))
    raise ValueError(f"a turn is [text], [text, reward] or [text, reward, ids], not {row!r}")


def from_line(line: str) -> Trajectory:
    """Read back what `to_line` wrote. Raises ValueError with the reason."""
    record = json.loads(line)
    if not isinstance(record, dict) or not isinstance(record.get("turns"), list):
        raise ValueError('an episode is {"turns": [...], "done": ..., "info": {...}}')
    turns = tuple(map(_turn, record["turns"]))
    if not any(turn.is_action for turn in turns):
        raise ValueError("an episode needs at least one action, written [text, reward]")
    return Trajectory(turns, bool(record.get("done", True)), record.get("info", {}))


def write_lines(path: Path, trajectories: Iterable[Trajectory]) -> None:
    """Write episodes as JSON lines; the file appears whole or not at all."""
    part = path.with_name(path.name + ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("w", encoding="utf-8") as out:
        out.writelines(to_line(t) + "\n" for t in trajectories)
    part.replace(path)


def read_lines(path: Path) -> Iterator[Trajectory]:
    """Read episodes from JSON lines. Raises ValueError naming the file, the line and the reason."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield from_line(line)
            except ValueError as error:
                raise ValueError(f"{path}, line {number}: {error}") from error
