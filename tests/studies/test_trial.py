from pathlib import Path

import optuna
import pytest

from lmrl.studies.plan import Objective, Plan
from lmrl.studies.trial import Attempt, Setting, aggregate, outcomes_of
from tests.studies.worker import COMMAND

OVERRIDES = ("task=maze", "algo=ppo", "tracking=off", "evaluation.times=1", "algo.gamma=0.5")


def an_objective(over_seeds: str, direction: str = "maximize") -> Objective:
    return Objective(metric="final/return_mean", over_seeds=over_seeds, direction=direction)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("over_seeds", "direction", "value"),
    [
        ("mean", "maximize", 3.0),
        ("median", "maximize", 1.5),
        ("iqm", "maximize", 1.5),
        ("lower", "maximize", 3 - 3.18245 * 2.04124),  # t of 3 degrees of freedom, times the standard error
        ("lower", "minimize", 3 + 3.18245 * 2.04124),
    ],
)
def test_seeds_become_one_value(over_seeds: str, direction: str, value: float) -> None:
    assert aggregate([0, 1, 2, 9], an_objective(over_seeds, direction)) == pytest.approx(value, abs=1e-4)


def test_the_lower_end_of_one_seed_is_its_value() -> None:
    assert aggregate([4.0], an_objective("lower")) == 4.0


def test_pruners_see_the_mean_where_two_seeds_have_a_wide_interval(tmp_path: Path) -> None:
    plan = Plan(study="x", overrides=OVERRIDES, seeds=[0, 1], objective=an_objective("lower"), arms={"a": []})
    trial = optuna.create_study(direction="maximize").ask()
    value = Attempt(trial, Setting(plan, OVERRIDES, tmp_path, [], COMMAND), lambda: None).carry()
    (frozen,) = trial.study.get_trials()
    assert frozen.intermediate_values == {1: 0.5, 2: 5.0, 3: (5 + 1.5) / 2, 4: (5 + 6) / 2}
    assert value == pytest.approx(5.5 - 12.7062 * 0.5, abs=1e-3)
    assert [outcome.value for outcome in outcomes_of(frozen)] == [5.0, 6.0]
