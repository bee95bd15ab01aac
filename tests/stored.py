"""Runs in a store as a training leaves them, without the training."""

import shutil
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from lmrl.episodes import EPISODES, Played, write_columns
from lmrl.reports.archive import StoredRun
from lmrl.reports.rows import Row
from lmrl.scoring import Score

MAZE = Score(floor=-101, mean=-83, best=-6.84)
ALGOS = {
    "bc": "lmrl.algos.bc.BC",
    "filtered_bc": "lmrl.algos.filtered_bc.FilteredBC",
    "online_filtered_bc": "lmrl.algos.filtered_bc.FilteredBC",
    "mc_returns": "lmrl.algos.mc_returns.MCReturns",
    "ilql": "lmrl.algos.ilql.ILQL",
    "ppo": "lmrl.algos.ppo.PPO",
}


@cache
def _empty() -> Path:
    """MLflow takes seconds to make its tables."""
    path = Path(mkdtemp()) / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


def empty(folder: Path) -> str:
    """The address of an empty store in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(_empty(), folder / "mlflow.db")
    return f"sqlite:///{folder}/mlflow.db"


def leave(
    uri: str,
    returns: Any,
    *,
    task: str = "maze",
    algo: str = "bc",
    seed: int = 1,
    scores: Mapping[str, Score] | None = None,
    kept: bool = True,
    status: str = "FINISHED",
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> str:
    """Leave a run whose last evaluation returned these; its id."""
    client = MlflowClient(uri)
    found = client.get_experiment_by_name("lmrl")
    folder = Path(uri.removeprefix("sqlite:///")).parent
    experiment = found.experiment_id if found else client.create_experiment("lmrl", (folder / "mlartifacts").as_uri())
    run = client.create_run(experiment, run_name=f"{task}-{algo}-s{seed}").info.run_id
    given = {**_params(task, algo, seed), **(params or {})}
    told = {"kind": "training", "task": task, "algo": algo, "seed": str(seed), **(tags or {})}
    values = np.asarray(returns, np.float64)
    client.log_batch(
        run,
        metrics=[Metric(name, value, 0, 0) for name, value in _metrics(values).items()],
        params=[Param(*item) for item in list(given.items())[:100]],
        tags=[RunTag(*item) for item in told.items()],
    )
    if len(given) > 100:
        client.log_batch(run, params=[Param(*item) for item in list(given.items())[100:]])
    if kept:
        path = folder / run / EPISODES
        write_columns(path, {"return": values}, {"paper": MAZE} if scores is None else scores)
        client.log_artifact(run, str(path))
    client.set_terminated(run, status)
    time.sleep(0.002)  # of two runs, one is the newer
    return run


def row(task: str = "maze", algo: str = "bc", *returns: Any, score: Score = MAZE, policy: str = "sample") -> Row:
    """As `lmrl.reports.rows.rows` would find it, a run for each array of returns, without a store."""
    runs = [
        StoredRun(
            str(seed), "", seed, "", {**_params(task, algo, seed), "policy": policy}, _metrics(np.asarray(found)), {}
        )
        for seed, found in enumerate(returns, 1)
    ]
    played = [Played(np.asarray(found), {"paper": score}) for found in returns]
    return Row(task, (), algo, "tiny", policy, "setting", runs, played, {})


def _params(task: str, algo: str, seed: int) -> dict[str, str]:
    data = "lmrl.data.OnlineData" if algo in ("online_filtered_bc", "ppo") else "lmrl.data.OfflineData"
    observed = "partially" if task.endswith("_po") else "fully"
    return {
        "task.name": task,
        "task.max_turns": "101",
        "task.env.observed": observed,
        "algo._target_": ALGOS[algo],
        "data._target_": data,
        "model._target_": "lmrl.models.tiny",
        "policy": "sample",
        "seed": str(seed),
    }


def _metrics(returns: np.ndarray[Any, Any]) -> dict[str, float]:
    half = 1.96 * returns.std() / len(returns) ** 0.5
    mean = float(returns.mean())
    ends = {"final/return_mean_low": mean - half, "final/return_mean_high": mean + half}
    return {
        **ends,
        "final/return_mean": mean,
        "final/episodes": len(returns),
        "final/success": 0.5,
        "final/invalid": 0.01,
        "train_seconds": 90.0,
        "data/return_mean": -82.4,
    }
