"""Numbers that one can do on paper, and the same by the plainest loops."""

import random
from statistics import fmean

import numpy as np
import pytest

from lmrl.reports import aggregate
from lmrl.reports.aggregate import Sample, improvement, iqm, iqm_of, mean_of, on_scale, profile, rank_shares, samples
from lmrl.scoring import Score


def fixed(*means: float) -> Sample:
    """Runs whose draws are all as they are."""
    return Sample(np.array(means), np.tile(means, (4, 1)))


def plain_interval(runs: list[list[float]], draws: int) -> tuple[float, float]:
    """Draw runs, draw the episodes that all of them play, take the mean of means; sort."""
    rng, found = random.Random(3), []
    for _ in range(draws):
        episodes = rng.choices(range(len(runs[0])), k=len(runs[0]))
        found.append(fmean(fmean(run[i] for i in episodes) for run in rng.choices(runs, k=len(runs))))
    found.sort()
    return found[round(0.025 * draws)], found[round(0.975 * draws)]


def test_the_interval_is_that_of_drawing_runs_and_then_their_episodes() -> None:
    rng = np.random.default_rng(0)
    runs = [rng.normal(mean, 3, 40) for mean in (0, 1, 5, 6)]
    (sample,) = samples([runs], draws=20_000)
    low, high = plain_interval([run.tolist() for run in runs], 20_000)
    found = mean_of(sample)
    assert found.value == pytest.approx(np.mean(runs))
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.06)


def test_what_all_runs_find_hard_widens_the_interval_of_their_mean() -> None:
    rng = np.random.default_rng(0)
    shared, own = rng.normal(0, 1, 200), rng.normal(0, 1, (20, 200))
    same, apart = samples([[shared] * 20, [*own]], draws=4000)
    assert mean_of(same).high - mean_of(same).low == pytest.approx(2 * 1.96 / 200**0.5, rel=0.1)
    assert mean_of(apart).high - mean_of(apart).low < 0.5 * (mean_of(same).high - mean_of(same).low)


def test_a_single_run_has_the_bootstrap_of_its_episodes() -> None:
    from scipy.stats import bootstrap

    returns = np.random.default_rng(1).exponential(2, 100)
    theirs = bootstrap((returns,), np.mean, method="percentile", n_resamples=20_000, rng=1).confidence_interval
    (sample,) = samples([[returns]], draws=20_000)
    found = mean_of(sample)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.03)


def test_many_episodes_are_drawn_in_parts_and_of_unlike_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aggregate, "_BATCH", 130)
    (sample,) = samples([[np.arange(40) % 2 * 1.0, np.array([3.0])]], draws=500)
    assert sample.means_S.tolist() == [0.5, 3]
    assert sample.drawn_BS.shape == (500, 2)
    first = sample.drawn_BS[sample.drawn_BS < 3]
    assert first.std() == pytest.approx(0.5 / 40**0.5, rel=0.1)
    assert len(np.unique(first)) > 10, "no part is drawn like another"


def test_one_draw_is_as_the_next_process_makes_it_and_another_seed_another() -> None:
    runs = [[np.arange(9.0), np.arange(9.0) + 2]]
    one, again, other = (samples(runs, seed=seed)[0].drawn_BS for seed in (1, 1, 2))
    assert (one == again).all()
    assert (one != other).any()


def test_the_interquartile_mean_leaves_out_a_quarter_at_each_end() -> None:
    assert iqm(np.array([0, 0, 1, 2, 3, 4, 90, 99.0])) == 2.5
    assert iqm(np.array([0.0, 3.0, 9.0])) == 4, "of three nothing can be left out"
    assert iqm_of([fixed(0, 1), fixed(3, 100)]).value == 2, "runs of all tasks together"


def test_a_tie_is_half_an_improvement() -> None:
    found = improvement([(fixed(1, 3), fixed(1, 2))])  # 1-1 tie, 1-2 lost, 3-1 won, 3-2 won
    assert found.value == found.low == found.high == 2.5 / 4
    assert improvement([(fixed(1), fixed(0)), (fixed(0), fixed(1))]).value == 0.5, "each task counts alike"


def test_a_profile_is_the_share_of_runs_above_a_level() -> None:
    share, low, high = profile([fixed(10, 20), fixed(20, 30, 40, 50)], np.array([0.0, 20.0, 45.0]))
    assert share.tolist() == low.tolist() == high.tolist() == [1, (0 + 3 / 4) / 2, 1 / 8]


def test_ranks_are_counted_over_the_draws_and_equals_share_the_better() -> None:
    one, other = Sample(np.array([1.0]), np.array([[1.0], [1], [1], [0]])), fixed(0.5)
    assert rank_shares([one, other, other]).tolist() == [[0.75, 0, 0.25], [0.25, 0.75, 0], [0.25, 0.75, 0]]


def test_players_that_play_alike_are_equals_whatever_their_number_of_seeds() -> None:
    returns = np.random.default_rng(0).normal(-50, 9, 801)
    assert rank_shares(samples([[returns] * 3, [returns] * 5])).tolist() == [[1, 0], [1, 0]]


def test_a_scale_is_that_of_a_score() -> None:
    score, raw = Score(floor=-101, mean=-83, best=-6.84), [-101.0, -90.0, -83.0, -37.7, 0.0]
    assert on_scale(score, np.array(raw)).tolist() == pytest.approx([score(value) for value in raw])
    assert fixed(-83.0).scored(score).drawn_BS.tolist() == [[50.0]] * 4
