"""Which windows are trained on, in which order and by whom: offline of like lengths, online of mixed ones."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hydra.utils import instantiate
from numpy.typing import NDArray

from lmrl.corpus import TERMINAL
from lmrl.data import OfflineData, starts_of_round
from lmrl.evaluate import view_of
from lmrl.tokenizing import tokenize
from lmrl.view import View
from lmrl.windows import POOL, Stream, Windows
from tests.parts import episode, make_model
from tests.whole import ONLINE, config

SIZE = 8


def windows(turns: Sequence[int] = range(1, 11)) -> Windows:
    """320 episodes of so many turns, again and again."""
    games = [episode(*[-1.0] * turns[i % len(turns)]) for i in range(320)]
    corpus = tokenize(games, make_model().codec, View(None, 64, 8))
    return Windows(corpus, np.arange(len(corpus)), {"window": corpus.actions().window_N}, trail=True)


def built(folder: Path, *overrides: str) -> Any:
    """The data of a run on the maze, with its task and algorithm."""
    cfg = config(folder, "task=maze", *overrides)
    task, model = instantiate(cfg.task, _convert_="all"), instantiate(cfg.model, _convert_="all")()
    algo = instantiate(cfg.algo, _convert_="all")(model)
    return instantiate(cfg.data, _convert_="all")(task, algo, view_of(task, model), 0, folder)


def stream(data: Windows, *, size: int = SIZE, seed: int = 0, rank: int = 0, world: int = 1) -> list[list[int]]:
    """The windows of two epochs' batches, as their notes tell."""
    batches = Stream(data, size, seed, lambda: 0, rank, world)
    return [batches[i].notes["window"].unique().tolist() for i in range(2 * (len(data) // (size * world)))]


def spread(data: Windows, batches: list[NDArray[np.int64]]) -> float:
    """How far lengths differ within a batch, as a share of how far they differ in all."""
    return float(np.mean([data.corpus.lengths[b].std() for b in batches]) / data.corpus.lengths.std())


@pytest.mark.parametrize("pool", [1, POOL])
def test_an_epoch_has_every_window_once_whatever_is_sorted(pool: int) -> None:
    batches = windows().epoch(SIZE, 0, pool=pool)
    assert sorted(np.concatenate(batches)) == list(range(320))


@pytest.mark.parametrize("pool", [1, POOL])
def test_what_fills_no_batch_is_of_any_length_and_comes_in_another_epoch(pool: int) -> None:
    data = windows()
    seen = np.bincount(np.concatenate([b for e in range(40) for b in data.epoch(250, 0, e, pool=pool)]), minlength=320)
    assert len(data.epoch(250, 0, pool=pool)) == 1
    assert seen.sum() == 40 * 250
    length = data.corpus.lengths
    assert seen[length == length.max()].mean() == pytest.approx(40 * 250 / 320, rel=0.1), "all are as likely"


def test_offline_batches_are_of_like_lengths_and_in_no_order_of_length() -> None:
    data = windows()
    batches = data.epoch(SIZE, 0, pool=POOL)
    assert spread(data, batches) < 0.2
    means = [data.corpus.lengths[b].mean() for b in batches]
    assert abs(np.corrcoef(means, range(len(means)))[0, 1]) < 0.5


@pytest.mark.parametrize("turns", [(20, 22), (*[15, 16] * 32, 24)])
def test_what_is_almost_equally_long_is_not_put_together_by_its_length_for_a_rare_one_either(turns: tuple[int]) -> None:
    data = windows(turns)
    assert spread(data, data.epoch(SIZE, 0, pool=POOL)) > 0.5


def test_a_filter_and_the_held_out_episodes_may_leave_nothing(tmp_path: Path) -> None:
    data = built(tmp_path, "algo=filtered_bc", "task.data.episodes=30", "algo.share=0.01", "data.holdout=0.9")
    with pytest.raises(ValueError, match=r"filter of FilteredBC and data.holdout = 0.9 leave none of \d+ episodes"):
        data.setup("fit")


def test_online_batches_mix_long_failures_and_short_successes(tmp_path: Path) -> None:
    """Otherwise every advantage of a batch may be negative, and PPO moves probability to what nobody said."""
    cfg = config(tmp_path, "task=maze", "algo=ppo", "data.batch_size=8", "data.passes=2", *ONLINE)
    task, model = instantiate(cfg.task, _convert_="all"), make_model()
    algo = instantiate(cfg.algo, _convert_="all")(model)
    make = instantiate(cfg.data, _convert_="all")
    online, other = (make(task, algo, view_of(task, model), seed, tmp_path) for seed in (0, 1))
    data = windows()
    batches = online._order(data)
    assert sorted(np.concatenate(batches)) == sorted([*range(320)] * 2)
    assert spread(data, batches) > 0.8
    assert not np.array_equal(batches[: len(batches) // 2], batches[len(batches) // 2 :]), "each pass has its own order"
    online.rounds = 1
    orders = [[b.tolist() for b in order] for order in (batches, online._order(data), other._order(data))]
    assert all(orders.count(order) == 1 for order in orders), "each round and each run has its own order"


def test_a_pool_of_batches_is_sorted_by_length_where_that_is_asked_for(tmp_path: Path) -> None:
    cfg = config(tmp_path, "task=maze", "algo=ppo", "data.batch_size=8", "data.pool=32", *ONLINE)
    task, model = instantiate(cfg.task, _convert_="all"), make_model()
    algo = instantiate(cfg.algo, _convert_="all")(model)
    online = instantiate(cfg.data, _convert_="all")(task, algo, view_of(task, model), 0, tmp_path)
    assert spread(windows(), online._order(windows())) < 0.4


def test_a_game_that_is_trained_on_may_be_cut_before_the_task_would(tmp_path: Path) -> None:
    """Cut, it has not ended: what would have followed is estimated and not nothing."""
    online = built(tmp_path, "algo=ppo", *ONLINE, "data.max_turns=3")
    strategy = SimpleNamespace(reduce=lambda count, reduce_op: count, root_device="cpu")
    online.trainer = SimpleNamespace(global_rank=0, world_size=1, strategy=strategy)
    corpus = online._play()
    assert online.played == 8 * 3
    assert not (corpus.end == TERMINAL).any()
    assert online.task.max_turns == 20, "an evaluation plays on"


def test_offline_batches_beside_a_round_go_on_where_the_last_one_stopped(tmp_path: Path) -> None:
    online = built(tmp_path, "algo=ppo", *ONLINE, "data.offline_batch=4", "algo.bc_weight=0.1")
    strategy = SimpleNamespace(reduce=lambda x, reduce_op: x, reduce_boolean_decision=lambda x, all: x)
    trainer = SimpleNamespace(global_rank=0, world_size=1, strategy=strategy, global_step=3, accumulate_grad_batches=4)
    trainer.strategy.root_device, trainer.precision_plugin = "cpu", SimpleNamespace(forward_context=nullcontext)
    online.trainer = online.algo.trainer = trainer
    online.setup("fit")
    first = next(iter(online.train_dataloader()))
    assert torch.equal(first.beside.ids_BT, online._beside[12].ids_BT), "12 batches have been taken in 3 steps"


def test_windows_that_stand_together_do_so_neither_in_another_epoch_nor_in_another_run() -> None:
    data = windows()
    one, two = stream(data), stream(data, seed=1)
    assert one == stream(data)
    first, second, other = ({frozenset(batch) for batch in batches} for batches in (one[:40], one[40:], two[:40]))
    assert all(sorted(window for batch in epoch for window in batch) == [*range(320)] for epoch in (first, second))
    assert not first & (second | other)


@pytest.mark.parametrize("size", [4, 7])
def test_processes_share_each_batch_of_one_that_is_alone(size: int) -> None:
    data = windows()
    alone, *shares = stream(data, size=2 * size), *(stream(data, size=size, rank=r, world=2) for r in range(2))
    assert [len(share) for share in shares] == [len(alone)] * 2
    for whole, mine, theirs in zip(alone, *shares, strict=True):
        assert sorted(mine + theirs) == whole
        assert len(mine) == len(theirs) == size


@pytest.mark.parametrize("algo", ["bc", "filtered_bc"])
def test_what_is_held_out_is_not_trained_on_and_another_seed_holds_out_others(tmp_path: Path, algo: str) -> None:
    cfg = config(tmp_path, "task=maze", f"algo={algo}", "data.holdout=0.2", "task.data.episodes=1000")
    task, model = instantiate(cfg.task, _convert_="all"), instantiate(cfg.model, _convert_="all")()
    algorithm, make = instantiate(cfg.algo, _convert_="all")(model), instantiate(cfg.data, _convert_="all")
    held = []
    for seed in (0, 0, 1):
        data: OfflineData = make(task, algorithm, view_of(task, model), seed, tmp_path)
        data.setup("fit")
        corpus = data.train_windows.corpus
        learnt, out = (set(corpus.episode[w.chosen].tolist()) for w in (data.train_windows, data.held_out))
        assert learnt == set(np.flatnonzero(algorithm.keep(corpus.total, corpus.success))) - out
        assert len(out) == pytest.approx(200, abs=40)
        held.append(out)
    assert held[0] == held[1] != held[2]


def test_no_two_rounds_runs_or_processes_play_the_same_seed_nor_an_evaluation(tmp_path: Path) -> None:
    evaluation = config(tmp_path, "task=maze", "algo=ppo", "evaluation.final_episodes=100000").evaluation
    seeds = [*range(evaluation.first_seed, evaluation.first_seed + evaluation.final_episodes)]
    for run in range(3):
        for number in (0, 1, 9901):  # games before the last: a million
            shares = [[s.seed for s in starts_of_round(run, number, 101, rank, 2)] for rank in range(2)]
            assert sorted(sum(shares, [])) == [s.seed for s in starts_of_round(run, number, 101, 0, 1)]
            seeds += sum(shares, [])
    assert len(set(seeds)) == len(seeds) == 100000 + 3 * 3 * 101
