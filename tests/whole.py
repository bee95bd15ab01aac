"""Runs as a user would start them, small enough for a test."""

from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from lmrl.config import conf_dir
from lmrl.evaluate import evaluate
from tests.stored import empty

SMALL = (
    "workers=1",
    "task.data.episodes=60",
    "evaluation.episodes=5",
    "evaluation.final_episodes=10",
    "evaluation.times=2",
    "evaluation.transcripts=2",
    "trainer.log_every_n_steps=5",
    "task.max_turns=10",  # who has learnt nothing babbles to the end
)
OFFLINE = ("trainer.max_steps=20",)
ONLINE = ("data.env_steps=1500", "data.episodes=8", "task.max_turns=20")


def config(folder: Path, *overrides: str, width: int | None = 16) -> DictConfig:
    """The composed config of `python -m lmrl …`, with everything it writes below the folder.

    width: of the tiny model; None for other models.
    """
    narrow = () if width is None else (f"model.width={width}",)
    store = f"sqlite:///{folder}/mlflow.db" if (folder / "mlflow.db").exists() else empty(folder)
    places = (f"tracking.uri={store}", f"cache={folder}/cache")
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return compose("train", overrides=[*SMALL, *narrow, *places, *overrides])


def played_again(run: Path, *overrides: str) -> dict[str, float]:
    """What `lmrl-eval` finds of a run's checkpoint."""
    named = [f"ckpt={run}/last.ckpt", f"cache={run.parent}/cache", "workers=1", "tracking=off", *overrides]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return evaluate(compose("evaluate", overrides=named), run.with_name("eval"))
