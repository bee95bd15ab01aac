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

from lmrl.trajectory import Trajectory, Turn

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
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        with pyarrow.parquet.ParquetWriter(part, schema) as out:
            while batch := list(islice(rows, ROWS)):
                out.write_table(pyarrow.Table.from_pylist(batch, schema))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


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
    return {
        "messages": [{"role": AGENT if t.is_action else ENVIRONMENT, "content": t.text} for t in episode.turns],
        "rewards": [turn.reward for turn in episode.turns if turn.is_action],
        "done": episode.done,
        "return": episode.total,
        "seed": episode.info.get("seed"),
        "info": json.dumps(dict(episode.info)),
    }


def is_parquet(path: Path) -> bool:
    """Whether the file begins as Parquet does, whatever its name."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def read_parquet(path: Path) -> Iterator[Trajectory]:
    """Read episodes back; `return`, `seed` and `info` may be missing. Raises ValueError naming file, row and reason."""
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            wanted = [name for name in file.schema_arrow.names if name in ("messages", "rewards", "done", "info")]
            batches = file.iter_batches(ROWS, columns=wanted)
            for number, row in enumerate((row for batch in batches for row in batch.to_pylist()), 1):
                yield _numbered(path, number, row)
    except pyarrow.ArrowException as error:
        raise ValueError(f"{path}: {error}") from error


def _numbered(path: Path, number: int, row: Mapping[str, Any]) -> Trajectory:
    try:
        return _episode(row)
    except KeyError as error:
        raise ValueError(f"{path}, row {number}: there is no {error}") from error
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}, row {number}: {error}") from error


def _episode(row: Mapping[str, Any]) -> Trajectory:
    said = [(message["role"] == AGENT, message["content"]) for message in row["messages"]]
    rewards = iter(row["rewards"])
    if not len(row["rewards"]) == sum(is_action for is_action, _ in said) > 0:
        raise ValueError("rewards needs one number per assistant message, and at least one")
    turns = tuple(Turn(text, is_action, next(rewards) if is_action else 0.0) for is_action, text in said)
    return Trajectory(turns, row["done"], json.loads(row.get("info") or "{}"))
