"""Studies from end to end, with a stand-in for the training; workers are processes, stopped and killed."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml
from mlflow import MlflowClient
from optuna.trial import FrozenTrial, TrialState

from lmrl.glossary import explain
from lmrl.studies import job, study, sweep
from lmrl.studies.locks import locked
from lmrl.studies.plan import read
from lmrl.studies.standings import figures_of_study, ranking
from lmrl.studies.study import Desk
from lmrl.studies.trial import outcomes_of
from tests.studies.server import postgres
from tests.studies.worker import COMMAND

ROOT = Path(__file__).parents[2]
STUDY: dict[str, Any] = {
    "study": "levels",
    "overrides": ["task=maze", "algo=ppo", "tracking=off", "evaluation.times=3", "task.max_turns=5"],
    "seeds": [0, 1],
    "trials": 4,
    "objective": {"metric": "final/return_mean", "over_seeds": "mean", "direction": "maximize"},
    "beside": ["train/entropy", "no/such"],
    "space": {"algo.gamma": "interval(0.1, 0.9)"},
}


def written(folder: Path, **changes: Any) -> Path:
    node = {**STUDY, "storage": f"sqlite:///{folder}/studies.db", "folder": str(folder / "runs"), **changes}
    file = folder / "levels.yaml"
    file.write_text("# Which level is best?\n" + yaml.safe_dump(node, sort_keys=False))
    return file


def study_of(file: Path, *changes: str) -> optuna.Study:
    return Desk(read(file, changes), begin=False).study


def trials_of(file: Path, *changes: str) -> list[FrozenTrial]:
    return study_of(file, *changes).get_trials()


def run(file: Path, *arguments: str) -> int:
    return sweep.main([str(file), *arguments], COMMAND)


def starts(folder: Path) -> Counter[str]:
    """How often each run below a study's folder has begun."""
    files = folder.glob("*/seed-*/starts")
    return Counter({str(f.parent.relative_to(folder)): len(f.read_text().splitlines()) for f in files})


def worker(file: Path, *changes: str) -> "subprocess.Popen[bytes]":
    line = [sys.executable, str(ROOT / "tests/studies/worker.py"), str(file), *changes]
    log = file.with_name(f"worker-{time.monotonic_ns()}.log").open("wb")
    return subprocess.Popen(line, stdout=log, stderr=log, env=os.environ | {"PYTHONPATH": str(ROOT)})


def until(holds: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def test_a_study_runs_every_seed_of_every_trial_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path)
    assert run(file) == 0
    trials = trials_of(file)
    assert [t.state for t in trials] == [TrialState.COMPLETE] * 4
    assert [t.values[0] for t in trials] == pytest.approx([10 * t.params["algo.gamma"] + 0.5 for t in trials])
    assert starts(tmp_path / "runs") == {f"trial-{n}/seed-{s}": 1 for n in range(4) for s in (0, 1)}
    assert [o.figures for o in outcomes_of(trials[0])] == [{"train/entropy": 1 / 3, "no/such": None}] * 2
    assert list(trials[0].intermediate_values) == [1, 2, 3, 4, 5, 6, 7, 8], "3 evaluations and an end, twice"
    first, *_, last = trials[0].intermediate_values.values()
    assert (first, last) == pytest.approx((trials[0].params["algo.gamma"], trials[0].values[0]))
    said = capsys.readouterr().out
    assert "Which level is best?" in said
    assert "4 complete, of 4" in said
    assert run(file, "--status") == 0
    assert "4 complete, of 4" in capsys.readouterr().out
    assert run(file, "trials=5") == 0
    assert len(starts(tmp_path / "runs")) == 10, "two more, and none again"


@pytest.mark.slow
def test_bad_ends_have_a_value_and_the_study_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "DOUBT", 0.1)
    names = ["well", "diverges", "collapses", "hangs", "dies", "killed"]
    arms = {end: ["algo.gamma=0.5", f"task.name={end}"] for end in names}
    file = written(tmp_path, trials=None, space=None, arms=arms, minutes=0.03, seeds=[7])
    assert run(file) == 0
    trials = {t.params["arm"]: t for t in trials_of(file)}
    assert list(trials) == names
    assert {name: t.values[0] for name, t in trials.items()} == dict.fromkeys(names, -101.0) | {"well": 12.0}
    ends = {name: outcomes_of(t)[0].end for name, t in trials.items()}
    bad = {"diverges": "diverged", "collapses": "collapsed", "hangs": "timeout", "dies": "died", "killed": "died"}
    assert ends == {"well": "finished"} | bad
    assert figures_of_study(study_of(file)) == {
        **{"trials": 6, "runs": 6, "pruned": 0, "best": 12},
        **{"diverged": 1 / 6, "collapsed": 1 / 6, "timeout": 1 / 6, "died": 1 / 3},
    }
    assert ranking(study_of(file))[0].params["arm"] == "well"


def test_a_run_below_the_floor_is_not_lifted_by_a_bad_end(tmp_path: Path) -> None:
    file = written(tmp_path, trials=None, space=None, seeds=[7], arms={"a": ["algo.gamma=0.5", "task.name=diverges"]})
    assert run(file, "objective.floor=100") == 0
    assert trials_of(file, "objective.floor=100")[0].values == [12.0]


def test_what_no_run_would_take_stops_the_study_and_leaves_the_trial(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, overrides=[*STUDY["overrides"], "task.name=refused"])
    assert run(file) == 2
    assert capsys.readouterr().err == f"error: {tmp_path}/runs/trial-0/seed-0: hardware = gpu: no GPU here\n"
    assert [t.state for t in trials_of(file)] == [TrialState.RUNNING]
    assert run(file, "algo.clpi=1") == 2
    assert capsys.readouterr().err == "error: overrides: algo.clpi: no such key; did you mean 'algo.clip'?\n"
    assert run(file, "algo.lam=0.5") == 2
    assert "study = levels: was begun with other overrides; name another study" in capsys.readouterr().err


def test_of_studies_that_share_a_storage_one_at_a_time_may_make_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free, made = [], study.opened

    def opened(storage: str, file: Path | None) -> optuna.storages.BaseStorage:
        free.append(locked(tmp_path / "studies.db.locks/tables"))
        return made(storage, file)

    monkeypatch.setattr(study, "opened", opened)
    for name in ("one", "other"):
        Desk(read(written(tmp_path), [f"study={name}"]))
    assert free == [None, None]


@pytest.mark.slow
def test_a_poor_setting_is_pruned_and_its_other_seeds_are_spared(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        space={"algo.gamma": "choice(0.9, 0.1)"},
        sampler={"_target_": "optuna.samplers.GridSampler", "search_space": {"algo.gamma": [0.9, 0.1]}, "seed": 1},
        pruner={"_target_": "optuna.pruners.ThresholdPruner", "lower": 0.5, "n_warmup_steps": 1},
        trials=2,
        overrides=[*STUDY["overrides"], "task.max_turns=60"],
    )
    assert run(file) == 0
    states = {t.params["algo.gamma"]: (t.state, len(outcomes_of(t))) for t in trials_of(file)}
    assert states == {0.9: (TrialState.COMPLETE, 2), 0.1: (TrialState.PRUNED, 0)}
    poor = next(t for t in trials_of(file) if t.state == TrialState.PRUNED)
    assert max(poor.intermediate_values) < 4, "in the middle of its first seed"
    assert len(starts(tmp_path / "runs")) == 3


@pytest.mark.slow
def test_a_worker_that_is_stopped_loses_nothing(tmp_path: Path) -> None:
    file = written(tmp_path, overrides=[*STUDY["overrides"], "task.max_turns=40"])
    stopped = worker(file)
    until(lambda: len(starts(tmp_path / "runs")) == 4)
    time.sleep(0.5)
    stopped.send_signal(signal.SIGTERM)
    assert stopped.wait() == 130
    shutil.rmtree(tmp_path / "runs/trial-1/seed-0")  # as on a machine that has not the first one's files
    before = [t.params for t in trials_of(file)]
    assert [t.state for t in trials_of(file)] == [TrialState.COMPLETE, TrialState.RUNNING]
    assert run(file) == 0
    assert [t.state for t in trials_of(file)] == [TrialState.COMPLETE] * 4
    assert [t.params for t in trials_of(file)][:2] == before
    begun = starts(tmp_path / "runs")
    assert "trial-1/seed-0" not in begun, "its outcome is known"
    assert {name for name, count in begun.items() if count > 1} == {"trial-1/seed-1"}, "what was in the middle"


@pytest.fixture(params=["sqlite", "journal", "postgres"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "postgres":
        with postgres() as url:
            yield url
    else:
        yield f"{request.param}:///{tmp_path}/here/studies"


@pytest.mark.slow
def test_of_four_workers_one_is_killed_and_no_trial_is_lost_or_made_twice(tmp_path: Path, storage: str) -> None:
    file = written(tmp_path, storage=storage, trials=8, overrides=[*STUDY["overrides"], "task.max_turns=30"])
    workers = [worker(file) for _ in range(4)]
    until(lambda: len(starts(tmp_path / "runs")) >= 4)
    working = re.compile(r"trial \d+: algo")
    victim = next(
        w for w, log in zip(workers, sorted(tmp_path.glob("*.log")), strict=True) if working.search(log.read_text())
    )
    victim.kill()
    assert sorted(w.wait() for w in workers) == [-9, 0, 0, 0]
    trials = trials_of(file)
    assert [(t.number, t.state) for t in trials] == [(n, TrialState.COMPLETE) for n in range(8)]
    assert [t.values[0] for t in trials] == pytest.approx([10 * t.params["algo.gamma"] + 0.5 for t in trials])
    assert len({t.params["algo.gamma"] for t in trials}) == 8, "workers that begin alike draw alike"
    begun = starts(tmp_path / "runs")
    assert len(begun) == 16
    assert sum(begun.values()) <= 17, "only the killed worker's run has begun twice"


@pytest.mark.slow
def test_a_study_is_an_experiment_with_a_run_per_trial_and_a_summary(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    file = written(tmp_path, trials=2, overrides=["task=maze", "algo=ppo", f"tracking.uri={uri}", "evaluation.times=1"])
    assert run(file) == 0
    assert run(file, "--retrain", "best", "--seeds", "5,6") == 0
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("levels")
    assert experiment
    runs = {r.info.run_name: r for r in client.search_runs([experiment.experiment_id])}
    assert runs.keys() >= {"trial-0", "trial-1", "summary"}
    trial = trials_of(file)[1]
    assert runs["trial-1"].data.params == {"algo.gamma": str(trial.params["algo.gamma"])}
    assert runs["trial-1"].data.metrics["study/value"] == pytest.approx(trial.values[0])
    assert runs["trial-1"].data.metrics["study/seeds"] == 2
    assert runs["trial-1"].data.tags["state"] == "complete"
    assert {r.info.status for r in runs.values()} == {"FINISHED"}
    for name in {name for r in runs.values() for name in r.data.metrics}:
        explain(name)  # KeyError: the name has no sentence
    assert runs["summary"].data.metrics["study/best"] == max(t.values[0] for t in trials_of(file))
    best = ranking(study_of(file))[0]
    given = yaml.safe_load((tmp_path / f"runs/trial-{best.number}/seed-1/overrides.yaml").read_text())
    below = runs[f"trial-{best.number}"].info.run_id
    assert {"tracking.experiment=levels", f"tracking.parent={below}", "seed=1"} <= set(given)
    assert runs[f"retrain-{best.number}"].data.metrics["study/gap"] == pytest.approx(5.0)


def test_a_setting_is_trained_again_with_fresh_seeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, trials=1)
    assert run(file, "--retrain", "best") == 2
    assert "error: storage = " in capsys.readouterr().err
    assert run(file) == 0
    capsys.readouterr()
    promised = trials_of(file)[0].values[0]
    for _ in range(2):
        assert run(file, "--retrain", "best") == 0
        said = capsys.readouterr().out.splitlines()[-1]
        assert said.startswith(f"promised {promised:.4g}, mean {promised:.4g}; 2 fresh seeds: {promised + 2:.4g}, mean")
        assert said.endswith("gap of the means 2 [-1.042, 5.042]")
    assert starts(tmp_path / "runs") == {
        **{f"trial-0/seed-{s}": 1 for s in (0, 1)},
        **{f"retrain-0/seed-{s}": 1 for s in (2, 3)},
    }
    for wrong, error in {
        "7": "error: --retrain 7: no such trial is complete; write best, or one of 0\n",
        "0 --seeds 1,9": "error: --seeds 1,9: the study has used [1]; fresh ones tell something new\n",
        "0 --seeds 5,5": "error: seeds = 5,5: at least one, none twice, none below 0\n",
        "0 --seeds -5": "error: seeds = -5: at least one, none twice, none below 0\n",
    }.items():
        assert run(file, "--retrain", *wrong.split()) == 2
        assert capsys.readouterr().err == error


@pytest.mark.parametrize(
    ("storage", "error"),
    [
        ("mysql://host/x", "write sqlite:///FILE, journal:///FILE or postgresql://USER@HOST/NAME"),
        pytest.param(
            "postgresql://me:secret@/x?host=/no/such/folder", "No such file or directory", marks=pytest.mark.slow
        ),  # needs a driver that the fast tests are not given
    ],
)
def test_a_storage_that_is_not_there_is_told_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], storage: str, error: str
) -> None:
    assert run(written(tmp_path, storage=storage)) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: storage = ")
    assert error in said
    assert said.count("\n") == 1
    assert "secret" not in said


def test_a_journal_that_a_kill_has_torn_is_read(tmp_path: Path) -> None:
    file = written(tmp_path, storage=f"journal:///{tmp_path}/journal", trials=1, seeds=[0])
    assert run(file) == 0
    with (tmp_path / "journal").open("a") as journal:
        journal.write('{"op_code": 4, "wor')
    assert run(file, "trials=2") == 0
    assert len(trials_of(file)) == 2
    assert all(json.loads(line) for line in (tmp_path / "journal").read_text().splitlines())
