"""Figures over runs and tasks, with intervals: the arithmetic of rliable (Agarwal et al. 2021, arXiv:2108.13264).

The bootstrap has two stages: a draw takes as many runs as there are, with replacement, and of each the mean over as
many episodes as it played, with replacement. All runs of a task play the same episodes, so a draw takes the same ones
of all (the pigeonhole bootstrap of Owen 2007, arXiv:0712.1111): a word that is hard for one is hard for the others, and
says nothing of their seeds. Over tasks the draws are stratified: each task's runs are drawn among themselves.

    S: runs of one player that differ by their seed    B: draws    N: episodes    T: points of a curve
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lmrl.scoring import Score

Floats = NDArray[np.float64]
DRAWS = 2000
_ENDS = (2.5, 97.5)
_SEED = 20231130
"""Of the resampling alone: the same runs always have the same interval."""
_BATCH = 2**22
"""Episodes drawn at once: 32 MB of counts."""


@dataclass(frozen=True)
class Sample:
    """Mean returns, or their scores, of the runs of one player: as they are, and as drawn."""

    means_S: Floats
    drawn_BS: Floats

    def scored(self, score: Score) -> "Sample":
        """The same on a scale."""
        return Sample(on_scale(score, self.means_S), on_scale(score, self.drawn_BS))


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval, the percentiles of its draws."""

    value: float
    low: float
    high: float


def samples(players: Sequence[Sequence[Floats]], *, draws: int = DRAWS, seed: int = 0) -> list[Sample]:
    """Of each player of a task a sample, given the returns of each run's episodes. seed: of the draws.

    >>> (sample,) = samples([[np.array([1.0, 3.0]), np.array([4.0, 4.0])]])
    >>> sample.means_S.tolist(), sample.drawn_BS.shape, sorted(set(sample.drawn_BS.ravel().tolist()))
    ([2.0, 4.0], (2000, 2), [1.0, 2.0, 3.0, 4.0])
    """
    rng = np.random.default_rng([_SEED, seed])
    means_B = iter(_resampled([run for runs in players for run in runs], draws, rng))
    result = []
    for runs in players:
        drawn_BS = np.stack([next(means_B) for _ in runs], axis=1)
        chosen_BS = rng.integers(len(runs), size=drawn_BS.shape)
        result.append(Sample(np.array([run.mean() for run in runs]), np.take_along_axis(drawn_BS, chosen_BS, axis=1)))
    return result


def _resampled(runs: Sequence[Floats], draws: int, rng: np.random.Generator) -> list[Floats]:
    """Of each run the mean return of resampled episodes, [B] each; the same episodes in runs of the same number."""
    result = [np.empty(0)] * len(runs)
    for length in sorted({len(run) for run in runs}):
        places = [i for i, run in enumerate(runs) if len(run) == length]
        returns_NR = np.stack([runs[i] for i in places], axis=1)
        means_BR = np.concatenate([_counts(size, length, rng) @ returns_NR for size in _sizes(draws, length)]) / length
        for column, i in enumerate(places):
            result[i] = means_BR[:, column]
    return result


def _sizes(draws: int, length: int) -> list[int]:
    size = max(1, _BATCH // length)
    return [min(size, draws - done) for done in range(0, draws, size)]


def _counts(draws: int, length: int, rng: np.random.Generator) -> Floats:
    """How often each draw takes each episode, [draws, length]."""
    taken = rng.integers(length, size=(draws, length)) + length * np.arange(draws)[:, None]
    return np.bincount(taken.ravel(), minlength=draws * length).reshape(draws, length).astype(np.float64)


def on_scale(score: Score, raw: Floats) -> Floats:
    """`Score` of many.

    >>> on_scale(Score(floor=-3, mean=-2, best=0), np.array([-3.0, -1.0, 0.0])).tolist()
    [0.0, 75.0, 100.0]
    """
    assert score.mean is not None, "a scale without a mean has no middle"
    below = 50 * (raw - score.floor) / (score.mean - score.floor)
    return np.where(raw < score.mean, below, 50 + 50 * (raw - score.mean) / (score.best - score.mean))


def iqm(values: Floats, axis: int = -1) -> Floats:
    """Interquartile mean: without the lowest and the highest quarter; with fewer than four values, the mean.

    >>> float(iqm(np.array([0.0, 1.0, 3.0, 100.0])))
    2.0
    """
    from scipy.stats import trim_mean

    return np.asarray(trim_mean(values, 0.25, axis=axis))


def mean_of(sample: Sample) -> Estimate:
    """Mean over runs."""
    return _estimate(float(sample.means_S.mean()), sample.drawn_BS.mean(1))


def iqm_of(samples: Sequence[Sample]) -> Estimate:
    """Interquartile mean over the runs of one player, of all its tasks together."""
    values, drawn = [s.means_S for s in samples], [s.drawn_BS for s in samples]
    return _estimate(float(iqm(np.concatenate(values))), iqm(np.concatenate(drawn, axis=1)))


def improvement(pairs: Sequence[tuple[Sample, Sample]]) -> Estimate:
    """The probability that a run of the first beats one of the second, a tie counting half, mean over tasks.

    pairs: both players' samples on each task.
    """
    found = np.mean([_beats(x.means_S, y.means_S) for x, y in pairs])
    return _estimate(float(found), np.mean([_beats(x.drawn_BS, y.drawn_BS) for x, y in pairs], axis=0))


def _beats(x: Floats, y: Floats) -> Floats:
    """Of two sets of runs, [..., S] and [..., R], the share of pairs that the first wins, [...]."""
    apart = np.sign(x[..., :, None] - y[..., None, :])
    return np.asarray((0.5 + 0.5 * apart).mean((-2, -1)))


def profile(samples: Sequence[Sample], levels_T: Floats) -> tuple[Floats, Floats, Floats]:
    """The share of runs above each level, mean over tasks, and the ends of its interval: [T] each."""
    found = np.mean([_above(s.means_S, levels_T) for s in samples], axis=0)
    drawn_BT = np.mean([_above(s.drawn_BS, levels_T) for s in samples], axis=0)
    low, high = np.percentile(drawn_BT, _ENDS, axis=0)
    return found, low, high


def _above(values: Floats, levels_T: Floats) -> Floats:
    """Of a set of runs, [..., S], the share above each level, [..., T]."""
    return np.asarray((values[..., :, None] > levels_T).mean(-2))


def rank_shares(samples: Sequence[Sample]) -> Floats:
    """[player, rank]: how often each player has each rank by its mean return, over the draws; equals share the better.

    >>> high, low = Sample(np.ones(1), np.ones((4, 1))), Sample(np.zeros(1), np.zeros((4, 1)))
    >>> rank_shares([low, high]).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    means_BP = np.stack([sample.drawn_BS.mean(1) for sample in samples], axis=1)
    means_BP = means_BP.round(9)  # equal means of unlike numbers of runs differ in their last bits
    ahead_BP = (means_BP[:, None, :] > means_BP[:, :, None]).sum(2)
    return np.stack([(ahead_BP == rank).mean(0) for rank in range(len(samples))], axis=1)


def _estimate(value: float, drawn_B: Floats) -> Estimate:
    low, high = np.percentile(drawn_B, _ENDS)
    return Estimate(value, float(low), float(high))
