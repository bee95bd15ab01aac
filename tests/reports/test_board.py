"""Which rows are compared over tasks, on which scale, and what is told of the others."""

from dataclasses import replace
from typing import Any

import numpy as np

from lmrl.reports.board import boards, overall
from lmrl.reports.report import Report, page
from lmrl.reports.rows import Row
from lmrl.scoring import Score
from tests.stored import row

NARROW, WIDE = Score(floor=0, mean=10, best=50), Score(floor=0, mean=30, best=50)


def made(task: str, algo: str, mean: float, **given: Any) -> Row:
    rng = np.random.default_rng(0)
    return row(task, algo, *rng.normal(mean, 1, (3, 20)), **given)


def test_a_row_without_a_scale_leaves_the_report_whole() -> None:
    bare = replace(made("car_dealer", "bc", 20), model="gpt2", played=[None] * 3)
    found = boards([bare, made("car_dealer", "ilql", 20, score=WIDE), made("car_dealer", "ppo", 25, score=WIDE)])
    assert "car_dealer (paper)" in page(Report(found, 9))


def test_players_on_unlike_scales_are_not_compared_and_it_is_told() -> None:
    unlike = [made("car_dealer", "bc", 20, score=NARROW), made("car_dealer", "ppo", 25, score=WIDE)]
    assert overall(boards(unlike)) == []
    html = page(Report(boards([*unlike, made("maze", "bc", -50), made("maze", "ppo", -40)]), 12))
    assert "The scores of tiny are on unlike scales" in html
    assert "Over 1 task, model tiny" in html


def test_one_more_player_of_one_task_takes_no_task_from_the_others() -> None:
    two = [made(task, algo, -50) for task in ("maze", "maze_po") for algo in ("bc", "ppo")]
    for task in ("wordle", "maze"):
        (found,) = overall(boards([*two, made(task, "ilql", -4)]))
        assert [name for name, _ in found.tasks] == ["maze", "maze_po"]
        assert (sorted(found.iqm), found.left_out) == (["bc", "ppo"], ["ilql"])
    (found,) = overall(boards([*two, made("maze", "ilql", -4), made("maze_po", "ilql", -4)]))
    assert (sorted(found.iqm), found.left_out) == (["bc", "ilql", "ppo"], [])
    assert overall(boards([made("maze", "bc", -50), made("wordle", "ppo", -4)])) == []
