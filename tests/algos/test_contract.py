"""What every algorithm owes, for every file of `conf/algo`: they are listed, so a new one has its tests already."""

from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from lmrl.algos.base import Algorithm
from lmrl.batches import TokenBatch
from lmrl.checkpoints import read_checkpoint
from lmrl.config import conf_dir
from lmrl.data import corpus_of
from lmrl.evaluate import restore, view_of
from lmrl.policy import Mode
from lmrl.rollout import rollout
from lmrl.task import Task
from lmrl.trajectory import History
from lmrl.windows import Windows

ALGOS = sorted(path.stem for path in (conf_dir() / "algo").glob("*.yaml") if path.stem != "prompting")  # trains nothing
SMALL = [
    "task.data.episodes=6",
    "workers=1",
    "model.width=32",
    "model.layers=1",
    "init=scratch",
    "algo.optimizer.lr=3e-3",
    "algo.optimizer.weight_decay=0.01",
    "algo.schedule.warmup=0",
]


@dataclass(frozen=True)
class Case:
    """An algorithm and a batch of real data, annotated as a run would."""

    cfg: DictConfig
    task: Task
    algo: Algorithm
    batch: TokenBatch

    def step(self, optimizer: torch.optim.Optimizer) -> float:
        loss = self.algo.loss(self.batch)[0]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        self.algo.after_step()
        return loss.item()

    def plays(self, algo: Algorithm, mode: Mode) -> list[History]:
        policy = algo.eval().policy(view_of(self.task, algo.model), mode)
        return [episode.turns for episode in rollout(self.task.env, policy, self.task.episodes(6, 0), max_turns=2)]


@pytest.fixture(scope="module", params=ALGOS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    cache = tmp_path_factory.getbasetemp() / "algos-cache"  # one for all of them
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        cfg = compose("train", overrides=["task=maze", f"algo={request.param}", f"cache={cache}", *SMALL])
    torch.set_num_threads(1)
    torch.manual_seed(0)
    task: Task = instantiate(cfg.task, _convert_="all")
    algo: Algorithm = instantiate(cfg.algo, _convert_="all")(instantiate(cfg.model, _convert_="all")()).eval()
    algo.stored = {"config": OmegaConf.to_yaml(cfg, resolve=True), "identity": "contract"}
    corpus = corpus_of(task.data.dataset(), algo.model.codec, view_of(task, algo.model), cache)
    every, how = np.arange(len(corpus)), {"trail": algo.reads_observations, "ahead": algo.looks_ahead}
    for _ in range(3):  # in its first rounds an algorithm may train a part of itself alone
        notes = algo.annotate(corpus, lambda: Windows(corpus, every, **how).in_order(64))
    batch = Windows(corpus, every, dict(notes), **how).batch(every[:: len(every) // 32])
    if cfg.data.get("offline_batch"):
        batch = replace(batch, beside=Windows(corpus, every, **how).batch(every[:8]))
    return Case(cfg, task, algo.train(), batch)


@pytest.fixture
def case(made: Case) -> Case:
    return replace(made, algo=deepcopy(made.algo))


def optimizer_of(algo: Algorithm) -> torch.optim.Optimizer:
    optimizer = algo.configure_optimizers()["optimizer"]
    assert isinstance(optimizer, torch.optim.Optimizer)
    return optimizer


def test_the_loss_and_all_that_is_logged_is_finite(case: Case) -> None:
    loss, metrics = case.algo.loss(case.batch)
    assert loss.ndim == 0
    assert loss.requires_grad
    assert torch.isfinite(loss)
    for name, value in metrics.items():
        assert torch.isfinite(value), name
        assert not value.requires_grad, name


def test_what_is_trained_moves_and_what_is_frozen_stays_to_the_bit(case: Case) -> None:
    optimizer = optimizer_of(case.algo)
    for _ in range(2):  # what begins at zero hides what is behind it, and V begins where it is to go
        case.step(optimizer)
    before = {name: p.detach().clone() for name, p in case.algo.named_parameters()}
    optimizer.zero_grad()
    case.algo.loss(case.batch)[0].backward()
    optimizer.step()
    moved = {name for name, p in case.algo.named_parameters() if not torch.equal(p, before[name])}
    assert moved == {name for name, p in case.algo.named_parameters() if p.requires_grad}
    assert any(name.endswith("wte.weight") for name in moved), "no language model learns"


def test_every_trained_parameter_is_in_one_group_and_only_matrices_decay(case: Case) -> None:
    groups = optimizer_of(case.algo).param_groups
    grouped = [id(p) for group in groups for p in group["params"]]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == {id(p) for p in case.algo.parameters() if p.requires_grad}
    assert all(group["weight_decay"] == (0.01 if p.ndim >= 2 else 0) for group in groups for p in group["params"])


def test_it_overfits_one_batch(case: Case) -> None:
    optimizer = optimizer_of(case.algo)
    losses = [case.step(optimizer) for _ in range(50)]
    assert losses[0] - losses[-1] > 0.5 * abs(losses[0])


def test_a_frozen_part_never_leaves_evaluation_mode(case: Case) -> None:
    for part in case.algo.train().children():
        trained = any(p.requires_grad for p in part.parameters())
        assert part.training == trained or not list(part.parameters())


def test_another_with_the_same_state_plays_the_same(case: Case) -> None:
    other, optimizer = deepcopy(case.algo), optimizer_of(case.algo)
    for _ in range(5):
        case.step(optimizer)
    modes: tuple[Mode, ...] = ("sample", "rank")
    assert any(case.plays(case.algo, mode) != case.plays(other, mode) for mode in modes)
    other.load_state_dict(case.algo.state_dict())
    for mode in modes:
        assert case.plays(case.algo, mode) == case.plays(other, mode)


def test_a_checkpoint_holds_all_that_playing_needs(case: Case, tmp_path: Path) -> None:
    optimizer = optimizer_of(case.algo)
    for _ in range(5):
        case.step(optimizer)
    saved = {"state_dict": case.algo.state_dict()}
    case.algo.on_save_checkpoint(saved)
    torch.save(saved, tmp_path / "last.ckpt")
    assert read_checkpoint(tmp_path / "last.ckpt")["lmrl"]["identity"] == "contract"
    _, task, again = restore(tmp_path / "last.ckpt", {})
    assert task.name == "maze"
    assert type(again) is type(case.algo)
    for mode in ("sample", "rank"):
        assert case.plays(again, mode) == case.plays(case.algo, mode)
