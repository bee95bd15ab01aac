"""What a study's arms do to the runs of their seeds: how many collapse, when, and what it costs.

Pure functions on numbers. Intervals are of 95 %.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lmrl.reports.aggregate import DRAWS, Estimate, Floats


def share(count: int, of: int) -> Estimate:
    """A proportion with Wilson's interval, which holds at 0 and 1 too.

    >>> found = share(0, 20)
    >>> found.value, found.low, round(found.high, 3)
    (0.0, 0.0, 0.161)
    """
    from scipy.stats import binomtest

    low, high = binomtest(count, of).proportion_ci(method="wilson")
    return Estimate(count / of, float(low), float(high))


@dataclass(frozen=True)
class Survival:
    """Kaplan and Meier's estimate (1958): steps down where a run collapsed, [T] each, from nothing to the budget."""

    at: Floats
    share: Floats
    low: Floats
    high: Floats


def survival(collapsed_at: Sequence[float | None], budget: float) -> Survival:
    """The share of runs that have not collapsed after so many environment steps.

    collapsed_at: of each run; None for one that held to the end of its budget. The ends are those of Greenwood's
    formula on the log-log scale, and where none or all have collapsed, of Wilson's.

    >>> curve = survival([100.0, 300.0, None, None], 1000.0)
    >>> curve.at.tolist(), curve.share.tolist()
    ([0.0, 100.0, 300.0, 1000.0], [1.0, 0.75, 0.5, 0.5])
    """
    from scipy.stats import CensoredData, ecdf

    events = [at for at in collapsed_at if at is not None]
    if not events:
        flat = np.ones(2)
        return Survival(np.array([0.0, budget]), flat, flat * share(len(collapsed_at), len(collapsed_at)).low, flat)
    held = [budget] * (len(collapsed_at) - len(events))
    found = ecdf(CensoredData(uncensored=events, right=held)).sf
    with warnings.catch_warnings(action="ignore"):  # where none is left, which is seen to below
        ends = found.confidence_interval(method="log-log")
    at = np.array([0.0, *sorted({*events, budget})])
    left, low, high = (curve.evaluate(at) for curve in (found, ends.low, ends.high))
    nobody = share(0, len(collapsed_at))
    return Survival(at, left, np.where(left == 0, 0.0, low), np.where(left == 0, nobody.high, high))


@dataclass(frozen=True)
class Difference:
    """Mean of an arm's return less another's, over the seeds that both have."""

    mean: Estimate
    seeds: int


def paired(arm: Mapping[int, float], against: Mapping[int, float]) -> Difference | None:
    """By seed, with the percentiles of resampled seeds; None without a common one. A single seed has no interval.

    >>> paired({1: 5.0, 2: 7.0, 3: 9.0}, {1: 4.0, 2: 5.0, 9: 0.0})
    Difference(mean=Estimate(value=1.5, low=1.0, high=2.0), seeds=2)
    """
    common = sorted(arm.keys() & against.keys())
    if not common:
        return None
    gaps = np.array([arm[seed] - against[seed] for seed in common])
    drawn = np.random.default_rng(0).choice(gaps, (5 * DRAWS, len(gaps))).mean(1)
    low, high = np.percentile(drawn, (2.5, 97.5)) if len(gaps) > 1 else (np.nan, np.nan)
    return Difference(Estimate(float(gaps.mean()), float(low), float(high)), len(gaps))


def discordant(arm: Mapping[int, bool], against: Mapping[int, bool]) -> float:
    """The p-value of McNemar's exact test (1947): of the seeds that only one of both loses, is it either's as often?

    >>> lost = dict.fromkeys(range(20), False)
    >>> discordant(lost, {**lost, **dict.fromkeys(range(8), True)}), discordant(lost, lost)
    (0.0078125, 1.0)
    """
    from scipy.stats import binomtest

    only = [arm[seed] for seed in arm.keys() & against.keys() if arm[seed] != against[seed]]
    return float(binomtest(sum(only), len(only)).pvalue) if only else 1.0


def adjusted(p: Mapping[str, float]) -> dict[str, float]:
    """p-values of many comparisons as q-values (Benjamini and Hochberg 1995).

    Of those below 0.05, one in twenty at most is expected to be chance.

    >>> adjusted({"one": 0.01, "two": 0.04, "three": 0.5})
    {'one': 0.03, 'two': 0.06, 'three': 0.5}
    """
    from scipy.stats import false_discovery_control

    return dict(zip(p, map(float, false_discovery_control(list(p.values()))), strict=True)) if p else {}
