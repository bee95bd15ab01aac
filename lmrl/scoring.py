"""Episodes to figures: what an evaluation reports, each figure with a 95 % interval and the number of episodes.

The intervals are percentile bootstraps over whole episodes. BCa corrects for skew, but its acceleration is 0/0
wherever leaving one episode out changes nothing, as with an interquartile mean over equal returns or with games that
are all won. Percentiles always exist, stay inside the range of the data, and are what rliable (Agarwal et al. 2021,
arXiv:2108.13264) reports beside the interquartile mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from lmrl.trajectory import Trajectory

_CONFIDENCE = 0.95
_RESAMPLES = 9999
_SEED = 20231130
"""Of the resampling alone: the same episodes always have the same interval."""
_BATCH = 2**18
"""Episodes drawn at once: about 2 MB for each of the columns and figures."""
_FIGURES = ("return_mean", "return_iqm", "success", "invalid", "turns", "not_understood")

Floats = NDArray[np.float64]
Columns = tuple[Floats, ...]
"""Returns, successes (0 or 1), invalid actions, actions and, of dialogues, what the other side did not understand; one
value an episode."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """Raw return to a scale on which 0 is the floor, 50 the data's mean, 100 the best (LMRL-Gym, section 5).

    >>> Score(floor=-101, mean=-83, best=-6.84)(-6.84)
    100.0
    """

    floor: float
    mean: float | None
    """None: nobody has published data for this."""
    best: float

    def __post_init__(self) -> None:
        mean = (self.floor + self.best) / 2 if self.mean is None else self.mean
        if not self.floor < mean < self.best:
            raise ValueError(f"a score needs floor < mean < best, not {self.floor}, {self.mean}, {self.best}")

    def __call__(self, raw: float) -> float:
        assert self.mean is not None, "a scale without a mean has no middle"
        low, high = (self.floor, self.mean) if raw < self.mean else (self.mean, self.best)
        return 50 * (raw - low) / (high - low) + 50 * (raw >= self.mean)


def summarise(trajectories: Sequence[Trajectory], scores: Mapping[str, Score]) -> dict[str, float]:
    """The flat figures of some episodes.

    `return_mean`, `return_iqm`, `success`, `invalid` (invalid actions per action), `turns` (actions per episode), of
    dialogues with our own rules `not_understood` (per action), and one `score_<name>` per normaliser, each with
    `<key>_low` and `<key>_high`; `return_std` (population) and `episodes` without. The score is that of the mean
    return, and its interval that of the return's interval: a score is monotone. Equal episodes, or a single one, have
    an interval of no width. `info` must hold `success` and `invalid_actions`.

    Raises ValueError if there is no episode, or one whose figures are missing.

    >>> from lmrl.trajectory import Turn
    >>> game = Trajectory((Turn("go", False), Turn("left", True, -1)), True, {"success": True, "invalid_actions": 0})
    >>> figures = summarise([game, game], {"paper": Score(floor=-3, mean=-2, best=0)})
    >>> figures["return_mean"], figures["return_mean_low"], figures["score_paper"]
    (-1.0, -1.0, 75.0)
    """
    columns = _columns(trajectories)
    low, high = _intervals(columns)
    result: dict[str, float] = {}
    for key, *ends in zip(_FIGURES, _figures(*columns).tolist(), low.tolist(), high.tolist(), strict=False):
        result |= _with_ends(key, ends)
    result = scored(result, scores)
    return result | {"return_std": float(columns[0].std()), "episodes": float(len(trajectories))}


def scored(figures: Mapping[str, float], scores: Mapping[str, Score]) -> dict[str, float]:
    """Figures with the scores of their `return_mean` and its ends beside them."""
    raw = [figures["return_mean" + end] for end in ("", "_low", "_high")]
    result = dict(figures)
    for name, score in scores.items():
        result |= _with_ends(f"score_{name}", [score(value) for value in raw])
    return result


def of_data(rows: Sequence[tuple[float, ...]]) -> dict[str, float]:
    """The figures of a data set, given each episode's return, actions, success (0 or 1) and invalid actions.

    `episodes`, `actions` of all of them, `return_std`; `return_mean`, `turns`, `success` and `invalid` with their ends.
    """
    total, actions, success, invalid = np.array(rows, np.float64).T
    each = np.ones(len(rows))
    return {
        "episodes": len(rows),
        "actions": int(actions.sum()),
        "return_std": float(total.std()),
        **_mean("return_mean", total, each),
        **_mean("turns", actions, each),
        **_mean("success", success, each),
        **_mean("invalid", invalid, actions),
    }


def _mean(key: str, values: Floats, weights: Floats) -> dict[str, float]:
    """Sum of values over sum of weights, and its 95 % interval by the delta method.

    A bootstrap, as for what is played, would take minutes for a million episodes, and so many need none.
    """
    mean = float(values.sum() / weights.sum())
    half = 1.96 * float((values - mean * weights).std() / weights.mean()) / len(values) ** 0.5
    return {key: mean, f"{key}_low": mean - half, f"{key}_high": mean + half}


def across_seeds(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean over runs and its 95 % interval by Student's t, which holds for two runs already; one has none (nan).

    Raises ValueError if there is no value.

    >>> [round(x, 2) for x in across_seeds([1.0, 2.0, 3.0])]
    [2.0, -0.48, 4.48]
    """
    if not values:
        raise ValueError("no runs: a mean over seeds needs at least one")
    mean = float(np.mean(values))
    if len(values) == 1:
        return mean, nan, nan
    from scipy.stats import t

    error = float(np.std(values, ddof=1)) / len(values) ** 0.5
    half = float(t.ppf((1 + _CONFIDENCE) / 2, len(values) - 1)) * error
    return mean, mean - half, mean + half


def apart(values: Sequence[float], others: Sequence[float]) -> tuple[float, float, float]:
    """Mean of runs less that of other runs, and its 95 % interval by Welch's t; nan where either has one run.

    >>> [round(x, 2) for x in apart([1.0, 2.0, 3.0], [4.0, 6.0, 8.0])]
    [-4.0, -8.16, 0.16]
    """
    gap = float(np.mean(values)) - float(np.mean(others))
    if min(len(values), len(others)) < 2:
        return gap, nan, nan
    if np.std(values) == np.std(others) == 0:
        return gap, gap, gap
    from scipy.stats import ttest_ind

    low, high = ttest_ind(values, others, equal_var=False).confidence_interval(_CONFIDENCE)
    return gap, float(low), float(high)


def _with_ends(key: str, values: Sequence[float]) -> dict[str, float]:
    return dict(zip((key, f"{key}_low", f"{key}_high"), values, strict=True))


def _columns(trajectories: Sequence[Trajectory]) -> Columns:
    if not trajectories:
        raise ValueError("no episodes: figures need at least one")
    rows = [(t.total, t.info.get("success"), t.info.get("invalid_actions"), t.num_actions) for t in trajectories]
    for number, row in enumerate(rows):
        if None in row or row[-1] == 0:
            raise ValueError(f"episode {number}: figures need an action, info['success'] and info['invalid_actions']")
    missed = [t.info.get("not_understood") for t in trajectories]
    extra = [] if None in missed else [np.array(missed, dtype=np.float64)]
    return *np.array(rows, dtype=np.float64).T.copy(), *extra


def _figures(*columns: Floats, axis: int = -1) -> Floats:
    """`_FIGURES`, stacked in front: four of `[..., episodes]` -> `[5, ...]`, or five -> `[6, ...]`."""
    from scipy.stats import trim_mean

    total, success, invalid, actions, *missed = columns
    iqm = trim_mean(total, 0.25, axis=axis)
    share, *more = [bad.sum(axis) / actions.sum(axis) for bad in (invalid, *missed)]
    return np.stack([total.mean(axis), iqm, success.mean(axis), share, actions.mean(axis), *more])


def _intervals(columns: Columns) -> tuple[Floats, Floats]:
    """Lower and upper ends of all figures, all from one set of resampled episodes."""
    if all((column == column[0]).all() for column in columns):
        return _figures(*columns), _figures(*columns)
    from scipy.stats import bootstrap

    interval = bootstrap(
        columns,
        _figures,
        paired=True,
        vectorized=True,
        axis=-1,
        confidence_level=_CONFIDENCE,
        n_resamples=_RESAMPLES,
        batch=max(1, _BATCH // len(columns[0])),
        method="percentile",
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return interval.low, interval.high
