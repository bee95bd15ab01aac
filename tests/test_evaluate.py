"""The scales that an evaluation's mean return is shown on."""

import pytest

from lmrl.evaluate import scores_of
from lmrl.task import Score
from tests.test_task import MAZE_SCORE, task


def test_beside_the_published_scale_stands_one_whose_middle_is_our_own_data() -> None:
    scores = scores_of(task(), {"return_mean": -50.0})
    assert scores == {"paper": MAZE_SCORE, "data": Score(floor=-101, mean=-50, best=-6.84)}


@pytest.mark.parametrize("mean", [-400.0, -101.0, -6.84, 0.0])
def test_data_beyond_the_scales_ends_has_none(mean: float) -> None:
    assert scores_of(task(), {"return_mean": mean}) == {"paper": MAZE_SCORE}
