"""What each episode of a last evaluation came to: `episodes.parquet`, one row an episode, for whoever compares runs.

Columns: `seed`, `return`, `success`, `invalid_actions`, `actions`. Rows stand in the order of the protocol, so that a
row is the same episode in every run of a task. The scales on which the task scores a return are in the schema's
metadata, under `scores`, as JSON.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmrl.files import whole
from lmrl.scoring import Score
from lmrl.trajectory import Trajectory

EPISODES = "episodes.parquet"


@dataclass(frozen=True, slots=True)
class Played:
    """The last evaluation of a run, a value an episode."""

    returns: NDArray[np.float64]
    """Raw."""
    scores: Mapping[str, Score]
    """The scales that the run logged scores on."""


def write_played(path: Path, trajectories: Sequence[Trajectory], scores: Mapping[str, Score]) -> None:
    """Write the columns of episodes whose `info` holds seed, success and invalid actions; the file appears whole."""
    columns = {
        "seed": [t.info["seed"] for t in trajectories],
        "return": [float(t.total) for t in trajectories],
        "success": [bool(t.info["success"]) for t in trajectories],
        "invalid_actions": [t.info["invalid_actions"] for t in trajectories],
        "actions": [t.num_actions for t in trajectories],
    }
    write_columns(path, columns, scores)


def write_columns(path: Path, columns: Mapping[str, Any], scores: Mapping[str, Score]) -> None:
    """Write columns that are there already."""
    import pyarrow
    from pyarrow.parquet import write_table

    scales = json.dumps({name: asdict(score) for name, score in scores.items()})
    with whole(path) as part:
        write_table(pyarrow.table(dict(columns), metadata={"scores": scales}), part)


def read_played(path: Path) -> Played:
    """Read back what is compared. Raises ValueError naming the file if it is none of ours."""
    from pyarrow import ArrowException
    from pyarrow.parquet import read_table

    try:
        table = read_table(path, columns=["return"], use_threads=False)
        scales = json.loads(table.schema.metadata[b"scores"])
        scores = {name: Score(**constants) for name, constants in scales.items()}
        return Played(table["return"].to_numpy(), scores)
    except (ArrowException, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: not the episodes of a run ({error})") from error
