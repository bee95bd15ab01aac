"""The order in which windows become batches: offline of like lengths, online of mixed ones."""

from pathlib import Path

import numpy as np
import pytest
from hydra.utils import instantiate
from numpy.typing import NDArray

from lmrl.data import OnlineData
from lmrl.evaluate import view_of
from lmrl.tokens import View, tokenize
from lmrl.windows import POOL, Windows
from tests.conftest import episode, make_model
from tests.whole import ONLINE, config

SIZE = 8


def windows() -> Windows:
    """320 episodes of one to ten turns."""
    games = [episode(*[-1.0] * (1 + i % 10)) for i in range(320)]
    corpus = tokenize(games, make_model().codec, View(None, 64, 8))
    return Windows(corpus, np.arange(len(corpus)), trail=True)


def spread(data: Windows, batches: list[NDArray[np.int64]]) -> float:
    """How far lengths differ within a batch, as a share of how far they differ in all."""
    return float(np.mean([data.corpus.lengths[b].std() for b in batches]) / data.corpus.lengths.std())


@pytest.mark.parametrize("pool", [1, POOL])
def test_an_epoch_has_every_window_once_whatever_is_sorted(pool: int) -> None:
    batches = windows().epoch(SIZE, 0, pool=pool)
    assert sorted(np.concatenate(batches)) == list(range(320))


def test_offline_batches_are_of_like_lengths_and_in_no_order_of_length() -> None:
    data = windows()
    batches = data.epoch(SIZE, 0, pool=POOL)
    assert spread(data, batches) < 0.2
    means = [data.corpus.lengths[b].mean() for b in batches]
    assert abs(np.corrcoef(means, range(len(means)))[0, 1]) < 0.5


def test_online_batches_mix_long_failures_and_short_successes(tmp_path: Path) -> None:
    """Otherwise every advantage of a batch may be negative, and PPO moves probability to what nobody said."""
    cfg = config(tmp_path, "task=maze", "algo=ppo", "data.batch_size=8", "data.passes=2", *ONLINE)
    task, model = instantiate(cfg.task, _convert_="all"), make_model()
    algo = instantiate(cfg.algo, _convert_="all")(model)
    make = instantiate(cfg.data, _convert_="all")
    online: OnlineData = make(task, algo, view_of(task, model), 0, tmp_path)
    data = windows()
    batches = online._order(data)
    assert sorted(np.concatenate(batches)) == sorted([*range(320)] * 2)
    assert spread(data, batches) > 0.8
    assert not np.array_equal(batches[: len(batches) // 2], batches[len(batches) // 2 :]), "each pass has its own order"
