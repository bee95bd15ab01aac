"""The oracle itself, on a chain A -> B -> goal whose numbers fit on paper."""

import pytest

from lmrl.trajectory import Trajectory, Turn
from tests.tabular import expectile, implicit_q, monte_carlo


def episode(*said: tuple[str, str, float], done: bool) -> Trajectory:
    turns = [turn for state, action, reward in said for turn in (Turn(state, False), Turn(action, True, reward))]
    return Trajectory((*turns, Turn("end", False)), done)


GOOD_END = episode(("B", "go", 0.0), done=True)
BAD_END = episode(("A", "go", -1.0), ("B", "stay", -1.0), ("B", "stay", -1.0), done=False)


def test_monte_carlo_averages_the_discounted_rewards_to_go():
    # A go: -1 + 0.5 * (-1 + 0.5 * -1) = -1.75; B stay: (-1.5 and -1) / 2; B go: 0
    table = monte_carlo([GOOD_END, BAD_END], gamma=0.5)
    assert table == {"A": {"go": -1.75}, "B": {"stay": -1.25, "go": 0.0}}


def test_implicit_q_learning_stitches_what_no_episode_shows():
    # V(B) is between Q(B, stay) and Q(B, go) = 0, so A's way over B is worth nearly -1 although its episode ended badly
    table = implicit_q([GOOD_END, BAD_END], gamma=0.5, tau=0.99, backups=50)
    assert table["B"]["go"] == 0.0
    assert table["A"]["go"] == pytest.approx(-1.0, abs=0.02)


def test_the_horizons_cut_is_no_transition():
    cut_at_once = episode(("A", "go", -1.0), done=False)
    assert implicit_q([cut_at_once], gamma=0.5, tau=0.9, backups=5) == {}
    assert implicit_q([BAD_END], gamma=0.5, tau=0.5, backups=60)["B"]["stay"] == pytest.approx(-2.0)  # -1 / (1 - 0.5)


@pytest.mark.parametrize(("tau", "expected"), [(0.5, 3.0), (0.75, 3.5), (0.9, 3.8)])
def test_an_expectile_weighs_what_lies_above_by_tau_and_below_by_the_rest(tau: float, expected: float):
    # values 2 and 4, once each: tau * (4 - v) = (1 - tau) * (v - 2), so v = 2 + 2 tau
    assert expectile([2.0, 4.0], [1, 1], tau) == pytest.approx(expected)


def test_an_expectile_counts_how_often_a_value_was_seen():
    assert expectile([2.0, 4.0], [3, 1], 0.5) == pytest.approx(2.5)
