"""What a run of the platform trains, built from its own configs: the algorithm, its windows, and both training loops."""

from dataclasses import dataclass
from pathlib import Path

import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from lightning.pytorch import Callback, Trainer
from omegaconf import DictConfig

from lmrl.algos.base import Algorithm
from lmrl.config import conf_dir
from lmrl.data import OfflineData
from lmrl.evaluate import view_of
from lmrl.models import LanguageModel
from lmrl.task import Task
from lmrl.tokens import TokenBatch


def config(folder: Path, *overrides: str) -> DictConfig:
    """The config of `python -m lmrl OVERRIDES`, without a tracker, its data in `folder`."""
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return compose("train", [*overrides, "tracking=off", "workers=1", f"cache={folder}"])


@dataclass(frozen=True)
class Setting:
    """One algorithm, ready to be trained on its task's episodes."""

    cfg: DictConfig
    algo: Algorithm
    data: OfflineData

    def trainer(self, steps: int, *callbacks: Callback) -> Trainer:
        """The run's own trainer, without a progress bar, for so many steps."""
        make = instantiate(self.cfg.trainer, _convert_="all")
        trainer: Trainer = make(
            max_steps=steps, logger=False, enable_progress_bar=False, barebones=False, callbacks=list(callbacks)
        )
        return trainer

    def batches(self, count: int) -> list[TokenBatch]:
        """The first batches that a run sees."""
        windows = self.data.train_windows
        return [windows.batch(chosen) for chosen in windows.epoch(self.data.batch_size, 0)[:count]]


def setting(folder: Path, *overrides: str, model: LanguageModel | None = None) -> Setting:
    """Build the algorithm and tokenise its data. `model` stands in for the config's."""
    cfg = config(folder, *overrides)
    torch.manual_seed(0)
    task: Task = instantiate(cfg.task, _convert_="all")
    algo: Algorithm = instantiate(cfg.algo, _convert_="all")(model or instantiate(cfg.model, _convert_="all")())
    data: OfflineData = instantiate(cfg.data, _convert_="all")(
        task, algo, view_of(task, algo.model), cfg.seed, Path(cfg.cache)
    )
    return Setting(cfg, algo, data)
