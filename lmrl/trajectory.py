"""What an episode leaves behind: the one record that data files, rollouts, scores, people and pages share.

A file of episodes is JSON lines, one episode a line. `[text]` is an observation, `[text, reward]` an action, and
`[text, reward, [ids]]` an action with the tokens that were sampled for it:

    {"turns": [["Wordle:\\n"], ["p a n i c\\n", -1.0], ["b b y b b\\n"]], "done": false, "info": {"word": "robin"}}
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from lmrl.files import whole

Row = TypeVar("Row")
Made = TypeVar("Made")


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
    """Seed, hidden word, outcome: for people and scores, never shown to a policy. Without `success` it is none."""

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
        case [text]:
            return Turn(text, False)
        case [text, reward]:
            return Turn(text, True, reward)
        case [text, reward, [*ids]]:
            return Turn(text, True, reward, tuple(ids))
    raise ValueError(f"a turn is [text], [text, reward] or [text, reward, ids], not {row!r}")


def _episode(record: Any) -> Trajectory:
    if not isinstance(record, dict) or not isinstance(record.get("turns"), list):
        raise ValueError('an episode is {"turns": [...], "done": ..., "info": {...}}')
    return Trajectory(tuple(map(_turn, record["turns"])), record.get("done"), record.get("info", {}))  # type: ignore[arg-type]


def checked(episode: Trajectory) -> Trajectory:
    """The same episode, if it keeps what all rely on who read episodes. Raises ValueError with the turn and the reason.

    Turns are observation, action, observation, …, with at least one action. Texts are not empty, but for a last
    observation. Rewards are finite and for actions alone; ids are whole numbers from 0; `done` is true or false; where
    info has them, `success` is true or false and `invalid_actions` a count.

    Nothing is mended: how two observations in a row, or a system's text before the first, would be said in play is
    known to the author of the data alone, and a policy must meet in play what it learnt from.
    """
    turns, info = episode.turns, episode.info
    for number, turn in enumerate(turns, 1):
        try:
            _check_turn(turn, number % 2 == 0, number == len(turns))
        except ValueError as error:
            raise ValueError(f"turn {number}: {error}") from error
    if len(turns) < 2:
        raise ValueError("an episode needs at least one action, after an observation")
    if not isinstance(episode.done, bool):
        raise ValueError(f"done = {episode.done!r}: true or false is needed")
    if not isinstance(info, Mapping):
        raise ValueError(f"info = {info!r}: an object is needed")
    if not isinstance(info.get("success", False), bool):
        raise ValueError(f"info.success = {info['success']!r}: true or false is needed")
    if not _is_count(info.get("invalid_actions", 0)):
        raise ValueError(f"info.invalid_actions = {info['invalid_actions']!r}: a whole number from 0 is needed")
    return episode


_NUMBER = (int, float)
_LARGEST = 3.4e38
"""A reward that single precision holds, in which it is learnt from."""


def _check_turn(turn: Turn, acts: bool, last: bool) -> None:
    text = turn.text
    if turn.is_action is not acts:
        kinds = ("an action", "an observation") if turn.is_action else ("an observation", "an action")
        raise ValueError(f"{kinds[0]} where {kinds[1]} is due; turns are observation, action, observation, …")
    if not isinstance(text, str):
        raise ValueError(f"text {text!r}: a string is needed")
    if not text and (acts or not last):
        raise ValueError("the text is empty; only a last observation may be")  # a reward stands on a token
    if not text.isascii():
        text.encode()  # raises for half of a character, which JSON can spell and no tokenizer reads
    if acts:
        _check_paid(turn)
    elif turn.reward != 0:
        raise ValueError(f"reward {turn.reward!r}: an observation cannot be paid")


def _check_paid(action: Turn) -> None:
    reward, ids = action.reward, action.tokens
    if isinstance(reward, bool) or not isinstance(reward, _NUMBER) or not -_LARGEST <= reward <= _LARGEST:
        raise ValueError(f"reward {reward!r}: a finite number of single precision is needed")
    if ids is not None and not all(map(_is_count, ids)):
        raise ValueError(f"ids {[*ids]}: whole numbers from 0 are needed")


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0  # a bool is an int too


def from_line(line: str) -> Trajectory:
    """Read back what `to_line` wrote. Raises ValueError with the reason."""
    return checked(_episode(json.loads(line)))


def write_lines(path: Path, trajectories: Iterable[Trajectory]) -> None:
    """Write episodes as JSON lines; the file appears whole or not at all."""
    with whole(path) as part, part.open("w", encoding="utf-8") as out:
        out.writelines(to_line(t) + "\n" for t in trajectories)


def read_lines(path: Path, episode: Callable[[Any], Trajectory] = _episode) -> Iterator[Trajectory]:
    """Read episodes from JSON lines, ours or what `episode` understands; blank lines do not matter.

    Raises ValueError naming the file, the line and the reason: of what is no episode, and of what `checked` refuses.
    """
    return read_records(path, lambda record: checked(episode(record)))


def read_records(path: Path, make: Callable[[Any], Made]) -> Iterator[Made]:
    """What `make` makes of each line's JSON. Raises ValueError naming the file, the line and the reason."""
    with path.open("rb") as file:
        lines = ((number, line) for number, line in enumerate(file, 1) if not line.isspace())
        yield from numbered(f"{path}, line", lines, lambda line: make(_decoded(line)))


def _decoded(line: bytes) -> Any:
    try:
        return json.loads(line.decode())
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start + 1} is not UTF-8; needs JSON lines as plain text, or Parquet") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at column {error.colno}") from error


def read_array_or_lines(path: Path, make: Callable[[Any], Made]) -> Iterator[Made]:
    """What `make` makes of each episode of one JSON array, or of each line's JSON.

    Raises ValueError naming the file, the place and the reason.
    """

    def of_record(record: Any) -> list[Made]:
        return list(numbered("episode", enumerate(record, 1), make)) if isinstance(record, list) else [make(record)]

    for made in read_records(path, of_record):
        yield from made


def numbered(place: str, rows: Iterable[tuple[int, Row]], make: Callable[[Row], Made]) -> Iterator[Made]:
    """What `make` makes of each row. Raises ValueError that begins with `place` and the row's number."""
    for number, row in rows:
        try:
            yield make(row)
        except KeyError as error:
            raise ValueError(f"{place} {number}: it has no {error}") from error
        except TypeError as error:
            raise ValueError(f"{place} {number}: not made as an episode ({error})") from error
        except ValueError as error:
            raise ValueError(f"{place} {number}: {error}") from error
