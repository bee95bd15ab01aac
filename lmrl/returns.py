"""Arithmetic of reinforcement learning on flat action tokens: no model, no device, no logger.

Shapes: N action tokens in time order, those of an episode adjacent; E episodes; L the longest of them.
Observation tokens are no steps: they neither discount nor appear (LMRL-Gym, `LLM_RL/environment.py`).
"""

import torch
from torch import Tensor

from lmrl.kinds import Unit


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Mean of x where mask is set; 0 where nothing is.

    >>> masked_mean(torch.tensor([1.0, 3.0, 9.0]), torch.tensor([True, True, False])).item()
    2.0
    """
    return (x * mask).sum() / mask.sum().clamp(min=1)


def discounts(last_N: Tensor, gamma: float, per: Unit) -> Tensor:
    """What each action token's future is multiplied by: gamma everywhere, or only where an action ends."""
    full = torch.full_like(last_N, gamma, dtype=torch.float32)
    return full if per == "token" else torch.where(last_N, full, 1.0)


class _Grid:
    """Flat action tokens as one row per episode, padded on the right, for recursions over time."""

    def __init__(self, episode_N: Tensor) -> None:
        _, self._row_N, counts_E = episode_N.unique_consecutive(return_inverse=True, return_counts=True)
        first_E = counts_E.cumsum(0) - counts_E
        self._col_N = torch.arange(len(episode_N), device=episode_N.device) - first_E[self._row_N]
        self._shape = (len(counts_E), int(counts_E.max()))
        self.last_E = first_E + counts_E - 1

    def rows(self, x_N: Tensor) -> Tensor:
        x_EL = x_N.new_zeros(self._shape)
        x_EL[self._row_N, self._col_N] = x_N
        return x_EL

    def flat(self, x_EL: Tensor) -> Tensor:
        return x_EL[self._row_N, self._col_N]

    def backwards(self, x_N: Tensor, decay_N: Tensor) -> Tensor:
        """y_n = x_n + decay_n * y_(n+1) within each episode."""
        y_EL, decay_EL = self.rows(x_N), self.rows(decay_N)
        for t in range(self._shape[1] - 2, -1, -1):
            y_EL[:, t] += decay_EL[:, t] * y_EL[:, t + 1]
        return self.flat(y_EL)


def reward_to_go(reward_N: Tensor, discount_N: Tensor, episode_N: Tensor) -> Tensor:
    """R_n = r_n + discount_n * R_(n+1).

    >>> reward_to_go(torch.tensor([0.0, 0.0, 1.0]), torch.full((3,), 0.5), torch.zeros(3)).tolist()
    [0.25, 0.5, 1.0]
    """
    return _Grid(episode_N).backwards(reward_N, discount_N)


def gae(
    reward_N: Tensor, value_N: Tensor, discount_N: Tensor, episode_N: Tensor, bootstrap_E: Tensor, *, lam: float
) -> Tensor:
    """Generalised advantage estimates (Schulman et al. 2016, arXiv:1506.02438, eq. 16) over action tokens.

    bootstrap_E: value of what follows each episode's last action token; 0 where the episode truly ended.
    """
    grid = _Grid(episode_N)
    next_N = value_N.roll(-1)
    next_N[grid.last_E] = bootstrap_E
    # delta_n = r_n + gamma_n * V_(n+1) - V_n
    delta_N = reward_N + discount_N * next_N - value_N
    return grid.backwards(delta_N, discount_N * lam)


def whiten(x_N: Tensor) -> Tensor:
    """Zero mean and unit (population) variance.

    >>> whiten(torch.tensor([1.0, 3.0])).tolist()
    [-1.0, 1.0]
    """
    return (x_N - x_N.mean()) / (x_N.var(unbiased=False) + 1e-8).sqrt()


def turn_of(last_N: Tensor) -> Tensor:
    """The number of each token's action, counted from 0.

    >>> turn_of(torch.tensor([False, True, True])).tolist()
    [0, 0, 1]
    """
    return last_N.long().cumsum(0) - last_N.long()


def turn_ends(last_N: Tensor) -> Tensor:
    """Where each token's action ends: an index into N.

    >>> turn_ends(torch.tensor([False, True, True])).tolist()
    [1, 1, 2]
    """
    return last_N.nonzero()[:, 0][turn_of(last_N)]


def expectile_loss(error_N: Tensor, tau: float) -> Tensor:
    """Half the squared error, weighted tau where the error is not negative and 1 - tau where it is (IQL, eq. 5).

    >>> expectile_loss(torch.tensor([2.0, -2.0]), tau=0.75).tolist()
    [1.5, 0.5]
    """
    return 0.5 * torch.where(error_N >= 0, tau, 1 - tau) * error_N.square()
