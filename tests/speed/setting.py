"""What a run of the platform trains, built from its own configs, and two ways to take its steps."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from lightning.pytorch import Callback, LightningModule, Trainer
from omegaconf import DictConfig
from torch.optim import Optimizer

from lmrl.algos.base import Algorithm
from lmrl.batches import TokenBatch
from lmrl.config import conf_dir
from lmrl.data import corpus_of
from lmrl.evaluate import view_of
from lmrl.models import LanguageModel
from lmrl.task import Task
from lmrl.windows import POOL, Windows

POOLED = 16
"""Different batches; a longer run sees them again."""


def config(folder: Path, *overrides: str) -> DictConfig:
    """The config of `python -m lmrl OVERRIDES`, its data in `folder`."""
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return compose("train", [*overrides, "tracking=off", "workers=1", f"cache={folder}"])


@dataclass
class Setting:
    """An algorithm and the batches that a run would give it."""

    cfg: DictConfig
    algo: Algorithm
    loads: Sequence[Callable[[], TokenBatch]]
    """Each puts one batch together."""
    optimizer: Optimizer

    @cached_property
    def batches(self) -> list[TokenBatch]:
        """All of them, ready."""
        return [load() for load in self.loads]

    def bare(self, steps: int) -> float:
        """Seconds of processor time of so many losses, gradients and steps of the optimiser, and nothing else."""
        begun = time.process_time()
        for batch in islice(cycle(self.batches), steps):
            with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):  # as Lightning's bf16-mixed
                loss, _ = self.algo.loss(batch)
            loss.backward()
            self.optimizer.step()
            self.optimizer.zero_grad()
            self.algo.after_step()
        return time.process_time() - begun

    def lightning(self, steps: int) -> float:
        """Seconds of processor time of so many steps of the run's own trainer, batches and all, from the third on."""
        clock, loads = Clock(), islice(cycle(self.loads), steps + 2)
        make = instantiate(self.cfg.trainer, _convert_="all")
        trainer: Trainer = make(max_steps=steps + 2, logger=False, enable_progress_bar=False, callbacks=[clock])
        trainer.fit(self.algo, (load() for load in loads))
        return clock.ticks[-1] - clock.ticks[1]


class Clock(Callback):
    """Notes the processor time after each step."""

    def __init__(self) -> None:
        self.ticks: list[float] = []

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        self.ticks.append(time.process_time())


def setting(folder: Path, *overrides: str, episodes: int = 2000) -> Setting:
    """What `python -m lmrl OVERRIDES` would train, from scratch, on so many episodes."""
    cfg = config(folder, *overrides, "init=scratch", f"task.data.episodes={episodes}")
    torch.manual_seed(0)
    task: Task = instantiate(cfg.task, _convert_="all")
    model: LanguageModel = instantiate(cfg.model, _convert_="all")()
    algo: Algorithm = instantiate(cfg.algo, _convert_="all")(model)
    corpus = corpus_of(task.data.dataset(), model.codec, view_of(task, model), folder)
    windows = Windows(corpus, np.arange(len(corpus)), trail=algo.reads_observations, ahead=algo.looks_ahead)
    loads = [partial(windows.batch, numbers) for numbers in windows.epoch(cfg.data.batch_size, 0, pool=POOL)[:POOLED]]
    return made(cfg, algo, loads)


def made(cfg: DictConfig, algo: Algorithm, loads: Sequence[Callable[[], TokenBatch]]) -> Setting:
    """The setting with the algorithm's own optimiser, ready to train."""
    algo.train()
    return Setting(cfg, algo, loads, algo.configure_optimizers()["optimizer"])
