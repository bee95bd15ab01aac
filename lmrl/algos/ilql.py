"""Implicit language Q-learning (Snell et al. 2022, arXiv:2206.11871), as in LMRL-Gym's `ilql/base_interface.py`.

    y_n  = r_n + gamma V(s')                                   s': where the next action token is predicted
    L_Q  = mean_n 1/2 (Q1 - y)^2 + 1/2 (Q2 - y)^2
    L_V  = mean_n |tau - 1(u < 0)| 1/2 u^2,  u = min(Q1', Q2') - V         Q': Polyak copies
    L    = L_Q + L_V + c [data_nll(Q1) + data_nll(Q2)] + w nll(value trunk)

V is an upper expectile of Q over the data's actions, so nothing outside the data is ever asked about.
Not inherited: a terminal transition followed by a copy of itself (`maze/ilql/train_ilql.py:118`), cut episodes that
count as ended. Options beyond the reference: rewards scaled, targets clamped to what returns can be, one Bellman
backup per turn, an LM loss on the value trunk (Snell et al.; trlX), tokens outside the data's support masked.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from lmrl.algos.base import Algorithm, Metrics, OptimizerFactory, Schedule, at_actions
from lmrl.algos.values import data_nll, least, perturbed
from lmrl.batches import TokenBatch
from lmrl.corpus import CUT, GOES_ON
from lmrl.heads import ValueNet, frozen, polyak
from lmrl.kinds import NotNegative, Positive, Share, Unit
from lmrl.models import LanguageModel
from lmrl.policy import Actor
from lmrl.reading import hidden, logits
from lmrl.returns import discounts, expectile_loss, masked_mean, turn_ends


def successors(value_N: Tensor, row_N: Tensor, after_B: Tensor) -> Tensor:
    """V where each action token's successor is predicted: the window's next one, else what follows the window.

    >>> successors(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0, 0, 1]), torch.tensor([0.0, 9.0])).tolist()
    [2.0, 0.0, 9.0]
    """
    next_N = value_N.roll(-1)
    last_N = row_N != row_N.roll(-1)
    last_N[-1] = True
    return torch.where(last_N, after_B[row_N], next_N)


def td_targets(
    batch: TokenBatch, value_N: Tensor, after_B: Tensor, *, gamma: float, discount: Unit, backup: Unit
) -> Tensor:
    """y_n = r + gamma V(s'), one backup per token, or per turn: then all tokens of an action share its target."""
    reward_N, last_N = batch.at_actions(batch.reward_BS), batch.at_actions(batch.last_BS)
    target_N = reward_N + discounts(last_N, gamma, discount) * successors(value_N, batch.row_N, after_B)
    return target_N if backup == "token" else target_N[turn_ends(last_N)]


def has_successor(batch: TokenBatch, backup: Unit) -> Tensor:
    """Which action tokens have a target: all but the last of an episode that the clock cut (of its last turn)."""
    row_N, last_N = batch.row_N, batch.at_actions(batch.last_BS)
    final_N = row_N != row_N.roll(-1)
    final_N[-1] = True
    final_N = final_N if backup == "token" else final_N[turn_ends(last_N)]
    return ~(final_N & (batch.end_B == CUT)[row_N])


TWINS = ("q1", "q2")


class ILQL(Algorithm):
    """Implicit language Q-learning. Values are held in units of 1 / reward_scale."""

    has_critic = True

    def __init__(
        self,
        model: LanguageModel,
        *,
        optimizer: OptimizerFactory,
        schedule: Schedule,
        gamma: Share,
        discount: Unit,
        backup: Unit,
        tau: Share,
        cql_weight: NotNegative,
        lm_weight: NotNegative,
        polyak: Share,
        reward_scale: Positive,
        head_bias: float,
        value_range: list[float] | None,
        beta: NotNegative,
        support: Share,
        act_with: Literal["online", "target"],
    ) -> None:
        super().__init__(model, optimizer, schedule)
        if value_range is not None and (len(value_range) != 2 or value_range[0] >= value_range[1]):
            raise ValueError(f"algo.value_range = {value_range}: the least and the largest return, or null")
        self.lm.requires_grad_(False)  # pi_beta
        size = model.codec.size
        self.value = ValueNet(model, {"q1": size, "q2": size, "v": 1}, bias=head_bias * reward_scale)
        self.target = frozen(self.value)
        self.gamma, self.tau = gamma, tau
        self.backup = backup
        self.discount: Unit = "turn" if backup == "turn" else discount  # a turn's end is all that is backed up then
        self.cql_weight, self.lm_weight, self.polyak = cql_weight, lm_weight, polyak
        self.reward_scale = reward_scale
        self.value_range, self.beta, self.support, self.act_with = value_range, beta, support, act_with

    @property
    def looks_ahead(self) -> bool:
        return True

    def critic(self, batch: TokenBatch) -> Metrics:
        h_ND = at_actions(self.value.lm, batch)
        q_N = least([self.value.at(name, h_ND, batch.action_N) for name in TWINS])
        return {"q": q_N / self.reward_scale, "v": self.value.head("v", h_ND) / self.reward_scale}

    def loss(self, batch: TokenBatch) -> tuple[Tensor, Metrics]:
        action_N = batch.action_N
        # the pass with gradients goes first: autocast would reuse weights that a pass without them had cast
        h_ND = at_actions(self.value.lm, batch)
        q_N, v_N = [self.value.at(name, h_ND, action_N) for name in TWINS], self.value.head("v", h_ND)
        y_N = self._targets(batch, v_N.detach())
        with torch.no_grad():
            h_target_ND = at_actions(self.target.lm, batch)
            q_target_N = least([self.target.at(name, h_target_ND, action_N) for name in TWINS])
        valid_N = has_successor(batch, self.backup)
        q_loss = masked_mean(0.5 * ((q_N[0] - y_N).square() + (q_N[1] - y_N).square()), valid_N)
        v_loss = masked_mean(expectile_loss(q_target_N - v_N, self.tau), valid_N)
        loss, metrics = q_loss + v_loss, {"q_loss": q_loss, "v_loss": v_loss}
        if self.cql_weight:  # it alone needs the values of what was not said
            nll = [data_nll(self.value.head(name, h_ND), action_N).mean() for name in TWINS]
            metrics["cql_loss"] = nll[0] + nll[1]
            loss = loss + self.cql_weight * metrics["cql_loss"]
        if self.lm_weight:
            scores_NV = logits(self.value.lm, self.model.codec.size, h_ND)
            metrics["lm_loss"] = torch.nn.functional.cross_entropy(scores_NV, action_N)
            loss = loss + self.lm_weight * metrics["lm_loss"]
        metrics |= {"v": v_N.mean() / self.reward_scale, "q": q_N[0].mean() / self.reward_scale}
        metrics["target"] = masked_mean(y_N, valid_N) / self.reward_scale
        return loss, {k: v.detach() for k, v in metrics.items()}

    @torch.no_grad()
    def _targets(self, batch: TokenBatch, v_N: Tensor) -> Tensor:
        after_B = self._after(batch) / self.reward_scale
        y_N = td_targets(
            batch, v_N / self.reward_scale, after_B, gamma=self.gamma, discount=self.discount, backup=self.backup
        )
        return (y_N.clamp(*self.value_range) if self.value_range else y_N) * self.reward_scale

    def _after(self, batch: TokenBatch) -> Tensor:
        """V of what follows each window that goes on, read as its next action will see it; else 0."""
        assert batch.next_BT is not None
        assert batch.next_length_B is not None
        value_B, on_B = torch.zeros(len(batch.end_B), device=batch.end_B.device), batch.end_B == GOES_ON
        if on_B.any():
            h_BTD, length_B = hidden(self.value.lm, batch.next_BT[on_B]), batch.next_length_B[on_B]
            value_B[on_B] = self.value.head("v", h_BTD[torch.arange(len(h_BTD)), length_B - 1])
        return value_B

    def after_step(self) -> None:
        polyak(self.target, self.value, self.polyak)

    def actor(self) -> Actor:
        net = self.value if self.act_with == "online" else self.target

        def scores(states: Sequence[Tensor]) -> Tensor:
            q = least([net.head(name, states[1]) for name in TWINS]) / self.reward_scale
            return perturbed(self.logits(states[0]), q, beta=self.beta, support=self.support)

        return Actor([self.lm, net.lm], scores)
