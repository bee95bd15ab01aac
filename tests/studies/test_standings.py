"""What the outcomes of runs come to."""

import pytest

from lmrl.studies.plan import Objective
from lmrl.studies.retraining import compared
from lmrl.studies.standings import figures_of
from lmrl.studies.trial import Outcome


def test_a_bad_end_is_a_share_of_all_runs_whatever_those_that_left_figures_say() -> None:
    ends = {"diverged": {"collapsed": 1.0, "entropy": 0.5}, "timeout": {}, "finished": {"collapsed": 0.0}}
    outcomes = [Outcome(0, -7.0, end, 1.0, figures) for end, figures in ends.items()]  # type: ignore[arg-type]
    figures = figures_of(-7.0, [*outcomes, outcomes[-1]])
    assert {end: figures[end] for end in ("diverged", "collapsed", "timeout", "died")} == {
        "diverged": 0.25, "collapsed": 0.0, "timeout": 0.25, "died": 0.0,
    }  # fmt: skip
    assert figures["entropy"] == 0.5


def test_fresh_seeds_that_do_as_the_old_did_have_no_gap_though_a_lower_end_was_promised() -> None:
    objective = Objective(metric="x", over_seeds="lower", direction="maximize")
    outcomes = [Outcome(seed, value, "finished", 1.0, {}) for seed, value in enumerate((-9.0, -8.0, -7.0))]
    figures = compared(-10.48, outcomes, outcomes, objective)
    assert figures["gap"] == 0.0
    assert figures["value"] == pytest.approx(figures["promised"], abs=0.01)
    assert figures["gap_low"] == pytest.approx(-2.776 * (2 / 3) ** 0.5, abs=1e-3)  # Welch: 4 degrees of freedom
    assert "gap_low" not in compared(-10.48, outcomes, outcomes[:1], objective)
