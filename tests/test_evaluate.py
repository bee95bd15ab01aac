"""`lmrl-eval` at its edges; that it scores as the run did is in test_train.py."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from mlflow import MlflowClient
from omegaconf import DictConfig, OmegaConf

from lmrl import cli
from lmrl import evaluate as module
from lmrl.config import conf_dir
from lmrl.evaluate import evaluate, restore, scores_of
from lmrl.run import Run
from lmrl.scoring import Score
from lmrl.signals import Stop, Stopped
from tests.test_task import MAZE_SCORE, task
from tests.whole import config


@pytest.fixture(scope="module")
def ckpt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As an untrained run would leave it."""
    folder = tmp_path_factory.mktemp("run")
    algo = Run(config(folder, "task=maze", "algo=bc", "task.max_turns=4"), folder, Stop()).algorithm()
    saved: dict[str, Any] = {"state_dict": algo.state_dict()}
    algo.on_save_checkpoint(saved)
    torch.save(saved, folder / "last.ckpt")
    return folder / "last.ckpt"


def asked(ckpt: Path, folder: Path, *overrides: str) -> DictConfig:
    named = [f"ckpt={ckpt}", f"cache={folder}/cache", "workers=1", f"tracking.uri=sqlite:///{folder}/mlflow.db"]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return compose("evaluate", overrides=[*named, *overrides])


Command = Callable[[str], tuple[int, str]]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Type a command line; get its exit status and what it complained about."""
    monkeypatch.chdir(tmp_path)

    def typed(line: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["lmrl-eval", "tracking=off", "workers=1", *line.split()])
        return cli.evaluate(), capsys.readouterr().err

    return typed


@pytest.mark.slow
def test_sigterm_closes_an_evaluation_as_killed(tmp_path: Path, ckpt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGTERM, lambda *_: pytest.fail("nobody listened"))
    plain = module.assess

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        return plain(*args, **kwargs)

    monkeypatch.setattr(module, "assess", interrupted)
    try:
        with pytest.raises(Stopped):
            evaluate(asked(ckpt, tmp_path), tmp_path / "eval")
    finally:
        signal.signal(signal.SIGTERM, before)
    record = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db").get_run((tmp_path / "eval" / "run_id").read_text().strip())
    assert record.info.status == "KILLED"
    assert not (tmp_path / "eval" / "metrics.json").exists()


def test_a_folder_with_a_run_is_refused(tmp_path: Path, ckpt: Path) -> None:
    folder = tmp_path / "eval"
    evaluate(asked(ckpt, tmp_path, "tracking=off", "evaluation.final_episodes=2"), folder, ["policy=sample"])
    assert OmegaConf.load(folder / "overrides.yaml") == ["policy=sample"]
    with pytest.raises(ValueError, match=rf"hydra\.run\.dir = {folder}: holds a run of its own"):
        evaluate(asked(ckpt, tmp_path, "tracking=off"), folder)


def test_a_device_that_is_not_here_is_told_by_its_key(tmp_path: Path, ckpt: Path) -> None:
    with pytest.raises(ValueError, match=r"hardware\.device = gpu: no such device here; use hardware\.device=cpu"):
        evaluate(asked(ckpt, tmp_path, "hardware.device=gpu"), tmp_path / "eval")


@pytest.mark.parametrize("made", [{}, {"config": 3}])
def test_a_checkpoint_without_its_config_is_refused(tmp_path: Path, ckpt: Path, made: dict[str, Any]) -> None:
    saved = torch.load(ckpt, weights_only=True)
    del saved["lmrl"]["config"]
    torch.save(saved | {"lmrl": saved["lmrl"] | made}, tmp_path / "a.ckpt")
    with pytest.raises(ValueError, match="a.ckpt: does not hold the config of its run"):
        restore(tmp_path / "a.ckpt", {})


def test_any_key_of_the_checkpoints_task_and_algorithm_is_changed_without_a_plus(command: Command, ckpt: Path) -> None:
    line = f"ckpt={ckpt} task.max_turns=3 algo.observation_weight=0.5 evaluation.final_episodes=2 hydra.run.dir=eval"
    assert command(line)[0] == 0
    made = OmegaConf.load("eval/config.yaml")
    assert (made.task.max_turns, made.algo.observation_weight) == (3, 0.5)
    typo = command(f"ckpt={ckpt} algo.observation_wait=0.5")
    assert typo[0] == 2
    assert "algo.observation_wait: lmrl.algos.bc.BC takes no 'observation_wait'; did you mean" in typo[1]


def test_what_cannot_be_chosen_and_what_must_be_named_are_one_line(command: Command) -> None:
    assert command("") == (2, "error: ckpt = ???: it has no default; give it one by ckpt=VALUE\n")
    assert command("ckpt=a.ckpt task=wordle") == (
        2,
        "error: task: nothing to choose in this command; where it has keys, set one: task.KEY=VALUE\n",
    )


def test_beside_the_published_scale_stands_one_whose_middle_is_our_own_data() -> None:
    scores = scores_of(task(), {"return_mean": -50.0})
    assert scores == {"paper": MAZE_SCORE, "data": Score(floor=-101, mean=-50, best=-6.84)}


@pytest.mark.parametrize("mean", [-400.0, -101.0, -6.84, 0.0])
def test_data_beyond_the_scales_ends_has_none(mean: float) -> None:
    assert scores_of(task(), {"return_mean": mean}) == {"paper": MAZE_SCORE}
