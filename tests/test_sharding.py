"""A model cut among two processes learns, plays, stops, goes on and is kept like one that each of them holds whole."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from mlflow import MlflowClient

from tests.cut import RUNS
from tests.whole import played_again


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cut")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "tests.cut", str(folder)]
    subprocess.run(torchrun, check=True, timeout=300)
    return folder


def saved(folder: Path) -> dict[str, Any]:
    ckpt: dict[str, Any] = torch.load(folder / "last.ckpt", weights_only=True)
    return ckpt


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_a_cut_model_learns_what_a_whole_one_does(runs: Path, name: str) -> None:
    cut, whole = saved(runs / f"{name}-cut"), saved(runs / f"{name}-whole")
    assert cut["global_step"] == whole["global_step"] >= 4
    for part in ("state_dict", "optimizer_states"):
        torch.testing.assert_close(cut[part], whole[part], rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_its_looks_and_its_gradients_are_those_of_a_whole_one(runs: Path, name: str) -> None:
    cut, whole = figures(runs / f"{name}-cut"), figures(runs / f"{name}-whole")
    assert {"train/grad_norm", "eval/return_mean", "final/return_mean"} <= cut.keys()
    assert cut == pytest.approx(whole, rel=1e-4)


def figures(folder: Path) -> dict[str, float]:
    """The last figure of each name."""
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return {k: v for line in lines for k, v in json.loads(line)["metrics"].items() if "seconds" not in k}


@pytest.mark.slow
def test_its_run_ends_and_its_checkpoint_plays_in_one_process(runs: Path) -> None:
    client, note = MlflowClient(f"sqlite:///{runs}/mlflow.db"), (runs / "ilql-cut" / "run_id").read_text().strip()
    assert client.get_run(note).info.status == "FINISHED"
    metrics = json.loads((runs / "ilql-cut" / "metrics.json").read_text())
    assert played_again(runs / "ilql-cut")["final/return_mean"] == metrics["final/return_mean"]


@pytest.mark.slow
def test_each_process_holds_a_part_of_every_model(runs: Path) -> None:
    held = [json.loads((runs / "ilql-cut" / f"held-{rank}.json").read_text()) for rank in (0, 1)]
    assert sum(held) == pytest.approx(1)
    assert max(held) < 0.55


@pytest.mark.slow
def test_what_one_process_meets_ends_the_run_of_both(runs: Path) -> None:
    metrics = json.loads((runs / "diverged" / "metrics.json").read_text())
    assert (metrics["diverged"], metrics["steps"]) == (1.0, 3.0)  # the last of them moved nothing
    assert all(x.isfinite().all() for x in saved(runs / "diverged")["state_dict"].values())
