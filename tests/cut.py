"""What one of two processes does for `test_sharding`: runs of a cut model, each beside one that both hold whole."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from lmrl.course import Course
from lmrl.signals import Stopped
from lmrl.train import train
from tests.whole import config

PLAIN = (
    "task=maze", "debug=one_step", "init=scratch", "tracking.uri=null", "model.layers=2", "task.max_turns=3",
    "evaluation.times=1", "evaluation.final_episodes=4", "trainer.accelerator=cpu", "trainer.devices=2",
    "trainer.precision=32-true", "hardware.attention=eager", "hardware.threads=1", "trainer.log_every_n_steps=1",
    "+algo.optimizer.eps=1e-4",  # else Adam makes much of the rounding errors that are a key's bias's only gradient
)  # fmt: skip
LEASH = ("algo.kl_coef=1", "algo.kl_target=0.1", "algo.kl_horizon=30", "algo.value_warmup=0", "algo.optimizer.lr=1e-3")
RUNS = {
    "ilql": ("algo=ilql", "algo._target_=tests.uneven.Reader", "trainer.max_steps=4"),
    # of five games one process plays three, and would set its leash by them
    "ppo": ("algo=ppo", "data.episodes=5", "data.batch_size=2", "data.env_steps=45", "trainer.max_steps=-1", *LEASH),
}


def run(folder: Path, hardware: str, *overrides: str) -> dict[str, float]:
    return train(config(folder.parent, f"hardware={hardware}", *PLAIN, *overrides), folder)


def stopped_in_two(folder: Path, *overrides: str) -> None:
    """A run that the second process alone is asked to stop, which writes down how much of the model each had."""
    plain = Course.on_train_batch_end

    def stopping(self: Course, trainer: Any, algo: Any, *args: object) -> None:
        held = sum(p.to_local().numel() for p in algo.parameters()) / sum(p.numel() for p in algo.parameters())
        (folder / f"held-{trainer.global_rank}.json").write_text(json.dumps(held))
        self._stop.asked |= trainer.global_rank == 1 and trainer.global_step == 2
        plain(self, trainer, algo, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Course, "on_train_batch_end", stopping)
        with pytest.raises(Stopped):
            run(folder, "fsdp", *overrides)


def main(folder: Path) -> None:
    for name, overrides in RUNS.items():
        run(folder / f"{name}-whole", "gpus", *overrides)
        tracked = f"tracking.uri=sqlite:///{folder}/mlflow.db"
        if name == "ilql":
            stopped_in_two(folder / "ilql-cut", *overrides, tracked)
        run(folder / f"{name}-cut", "fsdp", *overrides, tracked)
    run(folder / "diverged", "fsdp", "algo=bc", "algo._target_=tests.uneven.Uneven", "trainer.max_steps=4")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
