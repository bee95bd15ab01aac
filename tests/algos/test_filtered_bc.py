"""Filtered behaviour cloning: which episodes stay."""

import numpy as np
import pytest

from lmrl.algos.filtered_bc import FilteredBC, best_share
from lmrl.models import LanguageModel
from tests.algos.byhand import CONSTANT, adamw, batch_of, said


def filtered(model: LanguageModel, share: float, successes_only: bool) -> FilteredBC:
    numbers = {"observation_weight": 0.0, "share": share, "successes_only": successes_only}
    return FilteredBC(model, optimizer=adamw, schedule=CONSTANT, **numbers)


@pytest.mark.parametrize(
    ("share", "least"),
    [
        (1.0, 0),  # all
        (0.5, 5),
        (0.39, 7),  # int(3.9) of them
        (0.1, 9),
        (0.01, 9),  # the best always stays
    ],
)
def test_the_best_share_stays(share: float, least: int) -> None:
    kept = best_share(np.arange(10.0), share)
    assert np.arange(10)[kept].tolist() == list(range(least, 10))


def test_of_equal_returns_no_more_than_the_share_stay() -> None:
    assert best_share(np.array([-5.0, -1.0, -1.0, -1.0]), 0.5).tolist() == [False, True, True, False]


def test_successes_alone_stay_if_asked(model: LanguageModel) -> None:
    total, success = np.array([-9.0, -2.0, -1.0, -3.0]), np.array([True, False, True, True])
    assert filtered(model, 1.0, True).keep(total, success).tolist() == [True, False, True, True]
    assert filtered(model, 0.5, True).keep(total, success).tolist() == [False, False, True, False]
    assert filtered(model, 0.5, False).keep(total, success).tolist() == [False, True, True, False]


def test_the_loss_is_that_of_behaviour_cloning(model: LanguageModel) -> None:
    batch = batch_of(model, said(("see\n", "left\n", -1.0)))
    loss, metrics = filtered(model, 0.5, False).loss(batch)
    assert loss.detach() == metrics["action_nll"]
