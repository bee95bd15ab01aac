import math
import warnings

import numpy as np
import pytest

from lmrl.scoring import Score, across_seeds, of_data, summarise
from lmrl.trajectory import Trajectory, Turn

PAPER = Score(floor=-101, mean=-83, best=-6.84)


def episode(total: float, *, success: bool = True, invalid: int = 0, actions: int = 1) -> Trajectory:
    turns = (Turn("?", False), Turn("go", True, total), *[Turn("go", True)] * (actions - 1))
    return Trajectory(turns, True, {"success": success, "invalid_actions": invalid})


def figures(*totals: float) -> dict[str, float]:
    return summarise([episode(total) for total in totals], {"paper": PAPER})


def test_the_interquartile_mean_leaves_out_a_quarter_at_either_end() -> None:
    # The middle half of 0, 2, 3, 4, 5, 6, 7, 800 is 3, 4, 5, 6.
    assert figures(0, 2, 3, 4, 5, 6, 7, 800)["return_iqm"] == 4.5
    # Of the squares of 0 to 99, those of 25 to 74 remain.
    assert figures(*(i**2 for i in range(100)))["return_iqm"] == sum(i**2 for i in range(25, 75)) / 50


def test_what_was_not_understood_is_a_share_of_all_actions_and_told_of_dialogues_alone() -> None:
    turns = (Turn("?", False), *[Turn("go", True)] * 2)
    talks = [Trajectory(turns, True, {"success": True, "invalid_actions": 0, "not_understood": n}) for n in (0, 1, 2)]
    result = summarise(talks, {})
    assert result["not_understood"] == 0.5
    assert 0 <= result["not_understood_low"] < 0.5 < result["not_understood_high"] <= 1
    assert "not_understood" not in figures(-1, -2)


def test_mean_and_spread_of_the_return_are_those_of_the_episodes() -> None:
    result = figures(-1, -3)
    assert (result["return_mean"], result["return_std"], result["episodes"]) == (-2, 1, 2)


def test_equal_episodes_have_an_interval_of_no_width_and_warn_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for result in (figures(-4.1, -4.1, -4.1), figures(-4.1)):
            assert (
                result["return_mean_low"] == result["return_mean"] == result["return_mean_high"] == pytest.approx(-4.1)
            )


def test_one_column_without_spread_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = figures(-1, -2, -3, -4)
    assert (result["success_low"], result["success_high"]) == (1, 1)
    assert result["return_mean_low"] < -2.5 < result["return_mean_high"]


def test_invalid_actions_are_a_ratio_of_sums_not_a_mean_of_ratios() -> None:
    # 1 of 1 and 0 of 9: one invalid action in ten, though the mean of the two shares is a half.
    result = summarise([episode(0, invalid=1), episode(0, actions=9)], {})
    assert result["invalid"] == pytest.approx(0.1)
    assert result["turns"] == 5


def test_an_episode_is_drawn_whole() -> None:
    # Every action is invalid, in long episodes as in short ones, so it is in whatever is drawn.
    result = summarise([episode(0, invalid=n, actions=n) for n in range(1, 20)], {})
    assert result["invalid_low"] == result["invalid_high"] == 1
    assert result["turns_low"] < 9 < 11 < result["turns_high"]


def test_success_is_the_share_of_episodes_that_succeed() -> None:
    assert summarise([episode(0), episode(0, success=False), episode(0), episode(0)], {})["success"] == 0.75


@pytest.mark.parametrize(("total", "score"), [(-101, 0), (-92, 25), (-83, 50), (-6.84, 100)])
def test_the_score_is_0_at_the_floor_50_at_the_mean_and_100_at_the_best(total: float, score: float) -> None:
    assert figures(total)["score_paper"] == pytest.approx(score)


def test_a_score_is_that_of_the_mean_return_and_so_are_its_ends() -> None:
    result = figures(-101, -95, -50, -7, -7)
    for end in ("", "_low", "_high"):
        assert result[f"score_paper{end}"] == PAPER(result[f"return_mean{end}"])


def test_every_figure_but_the_spread_and_the_count_has_an_interval_around_it() -> None:
    result = summarise([episode(-i, success=i > 4, invalid=i % 3, actions=3) for i in range(20)], {"paper": PAPER})
    plain = {key for key in result if not key.endswith(("_low", "_high"))}
    assert plain == {
        "return_mean",
        "return_iqm",
        "return_std",
        "success",
        "invalid",
        "turns",
        "score_paper",
        "episodes",
    }
    for key in plain - {"return_std", "episodes"}:
        assert result[f"{key}_low"] <= result[key] <= result[f"{key}_high"]
    assert all(type(value) is float for value in result.values())


def test_the_same_episodes_have_the_same_interval() -> None:
    returns = np.random.default_rng(7).normal(size=50)
    assert figures(*returns) == figures(*returns)


def test_no_episodes_and_episodes_without_an_outcome_are_refused() -> None:
    with pytest.raises(ValueError, match="no episodes"):
        summarise([], {})
    with pytest.raises(ValueError, match=r"episode 1: .*success"):
        summarise([episode(0), Trajectory(episode(0).turns, True, {"success": True})], {})


def test_an_interval_covers_the_true_mean_about_as_often_as_it_says() -> None:
    # 100 samples of 40 from a normal distribution of mean 3: a 95 % interval misses 5 of them, give or take 5.
    draw = np.random.default_rng(7)
    results = [figures(*draw.normal(3, 1, 40)) for _ in range(100)]
    covered = sum(result["return_mean_low"] < 3 < result["return_mean_high"] for result in results)
    assert 90 <= covered <= 99


def test_a_share_of_actions_in_data_is_near_its_bootstrap() -> None:
    """The same episodes as played ones: the delta method and the percentile bootstrap agree to a twentieth."""
    draw = np.random.default_rng(3)
    rows = [(-float(n), n, n % 2, int(draw.binomial(n, 0.2))) for n in draw.integers(1, 9, size=2000).tolist()]
    turns = {n: tuple(t for _ in range(n) for t in (Turn("?", False), Turn("go", True, -1.0))) for n in range(1, 9)}
    played = [
        Trajectory(turns[int(n)], True, {"success": bool(won), "invalid_actions": bad}) for _, n, won, bad in rows
    ]
    data, boot = of_data(rows), summarise(played, {})
    for key in ("return_mean", "turns", "success", "invalid"):
        assert data[key] == pytest.approx(boot[key])
        width = boot[f"{key}_high"] - boot[f"{key}_low"]
        assert data[f"{key}_low"] == pytest.approx(boot[f"{key}_low"], abs=width / 20)
        assert data[f"{key}_high"] == pytest.approx(boot[f"{key}_high"], abs=width / 20)


def test_an_interval_over_two_seeds_is_students() -> None:
    # Mean 1, standard error 1, and 97.5 % of t with one degree of freedom at tan(0.475 pi) = 12.706.
    assert across_seeds([0, 2]) == pytest.approx((1, 1 - 12.706, 1 + 12.706), abs=1e-3)


def test_one_seed_has_no_interval_and_no_seed_is_refused() -> None:
    mean, low, high = across_seeds([5])
    assert mean == 5
    assert math.isnan(low)
    assert math.isnan(high)
    with pytest.raises(ValueError, match="no runs"):
        across_seeds([])
