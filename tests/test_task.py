from functools import partial
from typing import Any

import pytest

from lmrl.scoring import Score
from lmrl.task import Start, Task
from lmrl.tasks.maze import Maze

MAZE_SCORE = Score(floor=-101, mean=-83, best=-6.84)


def task(starts: Any = None) -> Task:
    return Task(
        name="maze",
        version=1,
        env=partial(Maze, observed="fully"),
        data=None,  # type: ignore[arg-type]
        max_turns=101,
        context=1,
        max_new_tokens=8,
        phrases=list,
        score=MAZE_SCORE,
        starts=starts,
    )


@pytest.mark.parametrize(
    ("raw", "score"),
    [(-101, 0), (-92, 25), (-83, 50), (-6.84, 100), (-44.92, 75), (-119, -50), (-110, -25)],
)
def test_a_score_is_linear_from_floor_to_mean_and_from_mean_to_best(raw: float, score: float):
    assert MAZE_SCORE(raw) == pytest.approx(score)


@pytest.mark.parametrize(("floor", "mean", "best"), [(0, 0, 1), (0, 1, 1), (2, 1, 3), (0, float("nan"), 1)])
def test_a_score_needs_three_rising_constants(floor: float, mean: float, best: float):
    with pytest.raises(ValueError, match="a score needs floor < mean < best"):
        Score(floor=floor, mean=mean, best=best)


def test_episodes_go_round_the_published_starts():
    starts = [{"start": [1, 1]}, {"start": [7, 6]}]
    assert task(lambda: starts).episodes(3, 10) == [Start(10, starts[0]), Start(11, starts[1]), Start(12, starts[0])]


def test_without_published_starts_an_episode_is_its_seed():
    assert task().episodes(2, 5) == [Start(5), Start(6)]
