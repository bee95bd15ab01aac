"""Episodes as Parquet, for other trainers: one row an episode, in the chat form that most of them read.

`messages` is a list of {role, content}, the environment as "user" and the agent as "assistant"; `rewards` has one
number per assistant message. Beside them stand `done`, `return`, `seed` (where the episode has one) and `info`, as
JSON. Sampled token ids are not kept.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lmrl.files import whole
from lmrl.trajectory import Trajectory, Turn, checked, numbered

if TYPE_CHECKING:
    import pyarrow

AGENT, ENVIRONMENT = "assistant", "user"
ROWS = 1000
"""Episodes in memory at a time."""


def export_parquet(episodes: Iterable[Trajectory], path: Path) -> None:
    """Write episodes as Parquet; the file appears whole or not at all."""
    import pyarrow
    import pyarrow.parquet

    schema, rows = _schema(), map(_row, episodes)
    with whole(path) as part, pyarrow.parquet.ParquetWriter(part, schema) as out:
        while batch := list(islice(rows, ROWS)):
            out.write_table(pyarrow.Table.from_pylist(batch, schema))


def _schema() -> "pyarrow.Schema":
    import pyarrow as pa

    message = pa.struct([("role", pa.string()), ("content", pa.string())])
    return pa.schema(
        [
            ("messages", pa.list_(message)),
            ("rewards", pa.list_(pa.float64())),
            ("done", pa.bool_()),
            ("return", pa.float64()),
            ("seed", pa.int64()),
            ("info", pa.string()),
        ]
    )


def _row(episode: Trajectory) -> dict[str, Any]:
    seed = episode.info.get("seed")
    return {
        "messages": [{"role": AGENT if t.is_action else ENVIRONMENT, "content": t.text} for t in episode.turns],
        "rewards": [turn.reward for turn in episode.turns if turn.is_action],
        "done": episode.done,
        "return": episode.total,
        "seed": seed if isinstance(seed, int) else None,
        "info": json.dumps(dict(episode.info)),
    }


def is_parquet(path: Path) -> bool:
    """Whether the file begins as Parquet does, whatever its name."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def read_parquet(path: Path) -> Iterator[Trajectory]:
    """Read episodes back; `return`, `seed` and `info` may be missing.

    Raises ValueError naming the file, the row and the reason: of what is no episode, and of what `checked` refuses.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            wanted = [name for name in file.schema_arrow.names if name in ("messages", "rewards", "done", "info")]
            batches = file.iter_batches(ROWS, columns=wanted)
            rows = enumerate((row for batch in batches for row in batch.to_pylist()), 1)
            yield from numbered(f"{path}, row", rows, lambda row: checked(_episode(row)))
    except pyarrow.ArrowException as error:
        raise ValueError(f"{path}: {error}") from error


def _episode(row: Mapping[str, Any]) -> Trajectory:
    agents = [_is_agent(number, message) for number, message in enumerate(row["messages"], 1)]
    rewards = iter(row["rewards"])
    if len(row["rewards"]) != sum(agents):
        raise ValueError(
            f"rewards has {len(row['rewards'])} numbers: one per assistant message is needed, {sum(agents)}"
        )
    turns = (
        Turn(message["content"], agent, next(rewards) if agent else 0.0)
        for agent, message in zip(agents, row["messages"], strict=True)
    )
    return Trajectory(tuple(turns), row["done"], _info(row.get("info")))


def _info(text: Any) -> Any:
    try:
        return json.loads(text or "{}")
    except (ValueError, TypeError) as error:
        raise ValueError(f"info = {text!r}: an object as JSON is needed") from error


def _is_agent(number: int, message: Mapping[str, Any]) -> bool:
    if message["role"] not in (AGENT, ENVIRONMENT):
        raise ValueError(
            f"message {number} has the role {message['role']!r}: needs 'user' or 'assistant'; "
            "join what another says to a user's text, as it would be said in play"
        )
    return bool(message["role"] == AGENT)
