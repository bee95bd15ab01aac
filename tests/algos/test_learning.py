"""Each algorithm learns what it is for, by the whole platform: its own data modules, Lightning, behaviour cloning first.

On Echo a player that says any of the four letters gets -2.25, and the best 0. On Fork the three ways to learn from the
same data part company.
"""

from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir

from lmrl.config import conf_dir
from lmrl.train import train
from tests import echo, fork
from tests.tabular import greedy_return, implicit_q, monte_carlo

SMALL = [
    "tracking=off",
    "workers=1",
    "model.layers=1",
    "model.width=32",
    "model.positions=32",
    "trainer.precision=32-true",
    "trainer.log_every_n_steps=1000",
    "init@_global_.init=${init}",
    "evaluation.times=0",
    "evaluation.final_episodes=256",
    "evaluation.transcripts=0",
    "algo.optimizer.lr=3e-3",
    "data.batch_size=64",
]
CLONED = ["init.trainer.max_steps=100", "init.algo.optimizer.lr=3e-3", "init.algo.schedule.warmup=10"]
VALUES = ["algo.beta=16", "algo.gamma=1", "trainer.max_steps=300"]


def learnt(folder: Path, task: str, algo: str, *overrides: str) -> float:
    """The mean return of a final evaluation that nobody tuned on."""
    (folder / "conf" / "task").mkdir(parents=True, exist_ok=True)
    for name, text in {"echo": echo.CONF, "fork": fork.CONF}.items():
        (folder / "conf" / "task" / f"{name}.yaml").write_text(text)
    found = f"hydra.searchpath=[file://{folder}/conf]"
    typed = [found, f"task={task}", f"algo={algo}", f"cache={folder}/cache", *SMALL, *overrides]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        cfg = compose("train", overrides=typed)
    return train(cfg, folder / algo)["final/return_mean"]
