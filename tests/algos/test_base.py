"""The learning rate over a run."""

import pytest

from lmrl.algos.base import Schedule


@pytest.mark.parametrize(
    ("step", "progress", "share"),
    [
        (0, 0.0, 0.25),
        (2, 0.1, 0.75),
        (3, 0.1, 1.0),
        (50, 0.6, 1.0),
        (50, 0.8, 0.5),  # half of the last two fifths is left
        (99, 0.99, 0.1),
        (100, 1.0, 0.1),
        (1, 1.0, 0.05),  # both at once, in a run that is shorter than its warm-up
    ],
)
def test_the_rate_rises_over_the_warm_up_and_falls_over_the_decay_to_its_floor(
    step: int, progress: float, share: float
) -> None:
    assert Schedule(warmup=4, decay=0.4, floor=0.1)(step, progress) == pytest.approx(share)


@pytest.mark.parametrize("progress", [0.0, 1.0])
def test_without_warm_up_and_decay_the_rate_is_full_from_first_to_last(progress: float) -> None:
    assert Schedule(warmup=0, decay=0.0, floor=0.0)(0, progress) == 1.0
