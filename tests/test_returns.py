"""Returns and advantages, on numbers that fit on paper and by what must hold for any numbers."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lmrl.returns import (
    discounts,
    expectile_loss,
    gae,
    masked_mean,
    reward_to_go,
    turn_ends,
    turn_of,
    whiten,
)
from lmrl.tokenizing import tokenize
from lmrl.view import View
from tests.parts import episode, make_model

ONE = torch.zeros(3, dtype=torch.long)
TWO = torch.tensor([0, 0, 1])


def close(found: Tensor, *expected: float) -> None:
    torch.testing.assert_close(found, torch.tensor(expected), atol=1e-6, rtol=1e-6)


def test_rewards_0_0_1_at_gamma_a_half_return_a_quarter_a_half_and_1() -> None:
    close(reward_to_go(torch.tensor([0.0, 0.0, 1.0]), torch.full((3,), 0.5), ONE), 0.25, 0.5, 1.0)


def test_no_reward_crosses_from_one_episode_to_the_next() -> None:
    close(reward_to_go(torch.tensor([-1.0, -2.0, -4.0]), torch.ones(3), TWO), -3.0, -2.0, -4.0)


def test_a_discount_per_token_shrinks_at_every_token_and_per_turn_where_an_action_ends() -> None:
    last_N = torch.tensor([False, True, False, True])
    close(discounts(last_N, 0.5, "token"), 0.5, 0.5, 0.5, 0.5)
    close(discounts(last_N, 0.5, "turn"), 1.0, 0.5, 1.0, 0.5)
    reward_N, episode_N = torch.tensor([0.0, -1.0, 0.0, -1.0]), torch.zeros(4)
    close(reward_to_go(reward_N, discounts(last_N, 0.5, "token"), episode_N), -0.625, -1.25, -0.5, -1.0)
    close(reward_to_go(reward_N, discounts(last_N, 0.5, "turn"), episode_N), -1.5, -1.5, -1.0, -1.0)


def test_advantages_by_hand() -> None:
    # deltas at gamma 0.5: 0 + 0.5 * 2 - 1 = 0; 0 + 0.5 * 4 - 2 = 0; 1 + 0 - 4 = -3; then A_n = delta + 0.25 A_(n+1)
    advantage_N = gae(
        torch.tensor([0.0, 0.0, 1.0]),
        torch.tensor([1.0, 2.0, 4.0]),
        torch.full((3,), 0.5),
        ONE,
        torch.zeros(1),
        lam=0.5,
    )
    close(advantage_N, -0.1875, -0.75, -3.0)


def test_lambda_0_leaves_the_one_step_error() -> None:
    advantage_N = gae(torch.ones(3), torch.tensor([1.0, 2.0, 4.0]), torch.ones(3), ONE, torch.zeros(1), lam=0.0)
    close(advantage_N, 2.0, 3.0, -3.0)


def test_a_cut_episode_goes_on_being_worth_what_follows_it() -> None:
    # the first ends in a state worth 8, the second truly ends
    advantage_N = gae(torch.zeros(3), torch.zeros(3), torch.full((3,), 0.5), TWO, torch.tensor([8.0, 0.0]), lam=1.0)
    close(advantage_N, 2.0, 4.0, 0.0)


def test_advantages_change_no_value_that_they_are_given() -> None:
    value_N = torch.tensor([1.0, 2.0, 4.0])
    gae(torch.ones(3), value_N, torch.ones(3), TWO, torch.tensor([9.0, 9.0]), lam=0.9)
    close(value_N, 1.0, 2.0, 4.0)


rewards = st.lists(st.lists(st.integers(-3, 3), min_size=1, max_size=6), min_size=1, max_size=5)


def flat(episodes: list[list[int]]) -> tuple[Tensor, Tensor]:
    numbers = [i for i, row in enumerate(episodes) for _ in row]
    return torch.tensor([float(r) for row in episodes for r in row]), torch.tensor(numbers)


@settings(deadline=None)
@given(rewards)
def test_without_values_at_lambda_1_and_gamma_1_advantages_are_plain_sums_of_rewards(episodes: list[list[int]]) -> None:
    reward_N, episode_N = flat(episodes)
    ones, zeros = torch.ones_like(reward_N), torch.zeros_like(reward_N)
    sums = [sum(row[i:]) for row in episodes for i in range(len(row))]
    assert reward_to_go(reward_N, ones, episode_N).tolist() == sums
    assert gae(reward_N, zeros, ones, episode_N, torch.zeros(len(episodes)), lam=1.0).tolist() == sums


@settings(deadline=None)
@given(rewards, st.floats(0, 1), st.integers(0, 2**31))
def test_at_lambda_1_the_advantage_is_the_return_less_the_value_whatever_the_values(
    episodes: list[list[int]], gamma: float, seed: int
) -> None:
    reward_N, episode_N = flat(episodes)
    value_N = torch.randn(len(reward_N), generator=torch.Generator().manual_seed(seed))
    discount_N = torch.full_like(reward_N, gamma)
    advantage_N = gae(reward_N, value_N, discount_N, episode_N, torch.zeros(len(episodes)), lam=1.0)
    expected = reward_to_go(reward_N, discount_N, episode_N) - value_N
    torch.testing.assert_close(advantage_N, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("context", [None, 1, 4, 6])
def test_how_an_episode_is_cut_into_windows_changes_no_return_and_no_advantage(context: int | None) -> None:
    model = make_model()
    games = [episode(-1.0, -2.0, 0.0, -1.0, -3.0), episode(-1.0, done=False), episode(0.0, -1.0, -1.0)]
    corpus = tokenize(games, model.codec, View(context, 64, 4))
    assert len(corpus) == {None: 3, 1: 9, 4: 6, 6: 4}[context]
    actions = corpus.actions()
    discount_N = discounts(actions.last_N, 0.5, "token")
    returns_N = reward_to_go(actions.reward_N, discount_N, actions.episode_N)
    close(returns_N, -2.3125, -2.625, -1.25, -2.5, -3.0, -1.0, -0.75, -1.5, -1.0)
    value_N, bootstrap_E = torch.arange(9.0), torch.tensor([0.0, 5.0, 0.0])
    advantage_N = gae(actions.reward_N, value_N, discount_N, actions.episode_N, bootstrap_E, lam=0.0)
    # r + V / 2 of the next - V: the second episode's one action looks at the 5 that follows its cut
    close(advantage_N, -0.5, -2.0, -0.5, -2.0, -7.0, -3.5, -2.5, -4.0, -9.0)


def test_whitening_divides_by_the_population_deviation() -> None:
    close(whiten(torch.tensor([0.0, 0.0, 3.0])), -(0.5**0.5), -(0.5**0.5), 2 * 0.5**0.5)
    close(whiten(torch.tensor([7.0])), 0.0)


def test_a_mean_over_nothing_is_0_and_what_is_masked_does_not_count() -> None:
    assert masked_mean(torch.tensor([1.0, 2.0]), torch.tensor([False, False])) == 0
    assert masked_mean(torch.tensor([1.0, 100.0, 2.0]), torch.tensor([True, False, True])) == 1.5


def test_turns_are_counted_and_end_where_their_last_token_stands() -> None:
    last_N = torch.tensor([False, False, True, True, False, True])
    assert turn_of(last_N).tolist() == [0, 0, 0, 1, 2, 2]
    assert turn_ends(last_N).tolist() == [2, 2, 2, 3, 5, 5]


def test_at_tau_a_half_the_expectile_loss_is_a_quarter_of_the_squared_error() -> None:
    error_N = torch.tensor([-3.0, 0.0, 1.0, 2.0])
    torch.testing.assert_close(expectile_loss(error_N, 0.5), error_N.square() / 4)


@pytest.mark.parametrize(("tau", "least"), [(0.5, 3.0), (0.75, 3.5), (0.9, 3.8)])
def test_the_expectile_loss_is_least_at_the_expectile(tau: float, least: float) -> None:
    # of 2 and 4: tau (4 - v) = (1 - tau) (v - 2), so v = 2 + 2 tau
    v = torch.tensor(np.linspace(2, 4, 201))
    total = expectile_loss(2 - v, tau) + expectile_loss(4 - v, tau)
    assert float(v[total.argmin()]) == pytest.approx(least, abs=0.011)
