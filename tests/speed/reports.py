"""The report on a store of a thousand runs of 4 096 episodes each: ten tasks, six algorithms, seventeen seeds.

One run a player is recorded through MLflow, with the parameters of its task; the other seeds are copies in the database
with files of their own. What is measured is processor time, from the store to the three files, imports left out.
"""

import shutil
import sqlite3
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from omegaconf import OmegaConf

from lmrl.provenance import flat
from lmrl.reports.archive import stored_runs
from lmrl.reports.report import gathered, write
from lmrl.reports.rows import rows
from tests.speed.measure import Effort, Figure, by_turns
from tests.speed.setting import config
from tests.stored import ALGOS, empty, leave

TASKS = ("maze", "maze_po", "text_nav", "text_nav_po", "wordle", "chess", "endgames", "twenty_questions", "guess_city",
         "car_dealer")  # fmt: skip
EPISODES = 4096


def figures(effort: Effort, folder: Path) -> list[Figure]:
    tasks = TASKS[: effort.of(len(TASKS))]
    uri, runs = filled(folder / "thousand", tasks, max(2, effort.of(17)), effort.of(EPISODES))
    sides = {"read": partial(seconds, uri, None), "report": partial(seconds, uri, folder / "out")}
    found = by_turns(sides, min(3, effort.repetitions))
    return [
        Figure(f"reading {runs} runs and their episodes", "s", found["read"]),
        Figure(f"{runs} runs as HTML, Markdown and CSV", "s", found["report"], at_most=10.0),
    ]


def seconds(uri: str, out: Path | None) -> float:
    """Of processor time: for the files in `out`, or for reading alone."""
    begun = time.process_time()
    stored = stored_runs(uri, "lmrl")
    if out:
        write(gathered(uri, stored), out)
    else:
        assert all(row.kept for row in rows(uri, stored))
    return time.process_time() - begun


def filled(folder: Path, tasks: Sequence[str], seeds: int, episodes: int) -> tuple[str, int]:
    """A store with all players of the tasks, and the number of its runs."""
    uri, rng = empty(folder), np.random.default_rng(0)
    for task in tasks:
        for algo in ALGOS:
            params = flat(OmegaConf.to_container(config(folder, f"task={task}", f"algo={algo}"), resolve=True))
            returns = rng.normal(rng.normal(-50, 20), 20, episodes).round(1)
            run = leave(uri, returns, task=task, algo=algo, seed=1, params=params | {"seed": "1"})
            for seed in range(2, seeds + 1):
                _copy(folder, run, seed)
    return uri, len(tasks) * len(ALGOS) * seeds


def _copy(folder: Path, run: str, seed: int) -> None:
    """The same run under another seed."""
    copy = f"{run[:24]}{seed:08d}"
    place = folder / "copies" / copy
    shutil.copytree(folder / "mlartifacts" / run / "artifacts", place)
    with sqlite3.connect(folder / "mlflow.db") as base:
        for table in ("runs", "params", "latest_metrics", "tags"):
            columns = [name for _, name, *_ in base.execute(f"PRAGMA table_info({table})")]
            values = ", ".join("?" if name == "run_uuid" else name for name in columns)
            base.execute(f"INSERT INTO {table} SELECT {values} FROM {table} WHERE run_uuid = ?", (copy, run))
        base.execute("UPDATE runs SET artifact_uri = ? WHERE run_uuid = ?", (place.as_uri(), copy))
        base.execute("UPDATE params SET value = ? WHERE run_uuid = ? AND key = 'seed'", (str(seed), copy))
    base.close()
