"""Studies and grids of real trainings, each the smallest there is, and the dashboard on what they leave."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from mlflow import MlflowClient
from optuna.trial import TrialState

from lmrl.studies import sweep
from lmrl.studies.plan import read
from lmrl.studies.study import Desk
from tests.test_readme import COMMANDS

ROOT = Path(__file__).parents[2]
CHANGES = ("study=small", "trials=2", "seeds=[0,1]", "evaluation.times=1", "debug=one_step", "model.width=16")
CHANGES += ("data.env_steps=40", "data.episodes=4")


@pytest.mark.slow
def test_the_readmes_studies_run_and_stand_below_their_trials_in_mlflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for file, *options in (command.split()[1:] for command in COMMANDS if command.startswith("lmrl-sweep")):
        fresh = ["--seeds", "2"] if "--retrain" in options else []
        assert sweep.main([str(ROOT / file), *CHANGES, *options, *fresh]) == 0
    made = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("metrics.json")}
    assert sweep.main([str(ROOT / file), *CHANGES, *options, *fresh]) == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("metrics.json")} == made, "what is done stays"
    assert len(made) == 8, "five runs, and a clone for each seed"
    study = Desk(read(ROOT / "sweeps/ppo_stability.yaml", CHANGES), begin=False).study
    assert [t.state for t in study.get_trials()] == [TrialState.COMPLETE] * 2
    ends = [[2, 4]] * 2  # of two seeds; a run of one step has no look between its first, before training, and its end
    assert [list(t.intermediate_values) for t in study.get_trials()] == ends
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    experiment = client.get_experiment_by_name("small")
    assert experiment
    runs = client.search_runs([experiment.experiment_id])
    trials = {r.info.run_id: r for r in runs if r.data.tags.get("kind") == "trial"}
    below = Counter((r.data.tags.get("mlflow.parentRunId"), r.data.tags["algo"]) for r in runs if "algo" in r.data.tags)
    assert len(trials) == 2
    (again,) = [r.info.run_id for r in runs if r.data.tags.get("kind") == "retrain"]
    assert below == {**dict.fromkeys([(trial, "ppo") for trial in trials], 2), (again, "ppo"): 1, (None, "bc"): 3}


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_a_launcher_runs_a_grid_and_tells_of_the_job_that_failed(tmp_path: Path, launcher: str) -> None:
    line = [sys.executable, "-m", "lmrl", "-m", "task=maze", "algo=bc", "debug=one_step", "model.width=16"]
    line += [f"hydra/launcher={launcher}", "hydra.sweep.dir=grid", "tracking=off", "trainer.accelerator=cpu,gpu"]
    line += ["hydra.sweep.subdir=${trainer.accelerator}"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True)
    assert json.loads((tmp_path / "grid/cpu/metrics.json").read_text())["steps"] == 1
    assert "trainer.accelerator = gpu: no GPU here; use hardware=cpu" in done.stderr
    assert done.returncode == 2


@pytest.mark.slow
@pytest.mark.parametrize("storage", ["sqlite:///{folder}/studies.db", "{folder}/journal"])
def test_the_dashboard_opens_the_storage_of_studies(tmp_path: Path, storage: str) -> None:
    place = storage.format(folder=tmp_path)
    kind = place if place.startswith("sqlite") else f"journal:///{place}"
    Desk(read(ROOT / "sweeps" / "ppo_stability.yaml", [f"storage={kind}", "study=seen"]))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    plain = ["make", "-n", "--no-print-directory", "dashboard", f"STORAGE={place}"]  # as from a shell, under make too
    *_, command = subprocess.run(plain, cwd=ROOT, capture_output=True, text=True).stdout.splitlines()
    assert command == f".venv/bin/optuna-dashboard {place}"
    program = [str(Path(sys.executable).with_name("optuna-dashboard")), place, "--port", str(port)]
    with subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            assert answer(f"http://127.0.0.1:{port}/api/studies")["study_summaries"][0]["study_name"] == "seen"
        finally:
            server.send_signal(signal.SIGTERM)


def answer(address: str) -> dict[str, list[dict[str, str]]]:
    for _ in range(300):
        with suppress(OSError), urllib.request.urlopen(address) as reply:
            said: dict[str, list[dict[str, str]]] = json.load(reply)
            return said
        time.sleep(0.1)
    raise AssertionError(f"nobody answers at {address}")
