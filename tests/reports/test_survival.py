"""Numbers that one can do on paper."""

import pytest

from lmrl.reports.survival import paired, share, survival


def test_wilsons_interval_is_the_formulas() -> None:
    z, n, p = 1.959964, 20, 3 / 20
    middle, half = p + z * z / (2 * n), z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    found = share(3, 20)
    assert (found.low, found.high) == pytest.approx(
        [(middle + sign * half) / (1 + z * z / n) for sign in (-1, 1)], abs=1e-5
    )


def test_survival_multiplies_the_shares_that_outlive_each_collapse() -> None:
    curve = survival([200.0, 400.0, 400.0, None, 400.0], 500.0)
    assert curve.at.tolist() == [0, 200, 400, 500]
    assert curve.share.tolist() == pytest.approx([1, 4 / 5, 4 / 5 * 1 / 4, 1 / 5])
    assert (curve.low <= curve.share).all()
    assert (curve.share <= curve.high).all()


def test_greenwoods_interval_is_on_the_log_log_scale() -> None:
    from math import exp, log

    curve = survival([200.0, *[None] * 9], 500.0)
    p, variance = 0.9, 1 / (10 * 9)
    half = 1.959964 * variance**0.5 / abs(log(p))
    assert (curve.low[1], curve.high[1]) == pytest.approx([p ** exp(half), p ** exp(-half)], abs=1e-5)


def test_where_none_or_all_have_collapsed_there_is_an_interval_too() -> None:
    none, every = survival([None] * 20, 500.0), survival([100.0] * 20, 500.0)
    assert (none.share[-1], none.high[-1]) == (1, 1)
    assert none.low[-1] == pytest.approx(0.839, abs=1e-3)
    assert (every.share[-1], every.low[-1]) == (0, 0)
    assert every.high[-1] == pytest.approx(0.161, abs=1e-3)


def test_a_collapse_at_the_very_end_counts() -> None:
    assert survival([500.0, None], 500.0).share[-1] == 0.5


def test_only_common_seeds_are_paired() -> None:
    arm, base = {seed: float(seed) for seed in range(30)}, {seed: seed - 1.0 for seed in range(10, 50)}
    found = paired(arm, base)
    assert found is not None
    assert (found.seeds, found.mean.value, found.mean.low, found.mean.high) == (20, 1, 1, 1), (
        "seeds differ, gaps do not"
    )
    assert paired({1: 1.0}, {2: 1.0}) is None


def test_the_interval_of_a_difference_is_that_of_resampled_seeds() -> None:
    from scipy.stats import bootstrap

    gaps = [3.0, -1, 4, 1, -5, 9, 2, 6]
    found = paired(dict(enumerate(gaps)), dict.fromkeys(range(8), 0.0))
    theirs = bootstrap((gaps,), lambda x, axis: x.mean(axis), method="percentile", rng=1).confidence_interval
    assert found is not None
    assert (found.mean.low, found.mean.high) == pytest.approx((theirs.low, theirs.high), abs=0.25)
