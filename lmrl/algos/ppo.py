"""Proximal policy optimisation with a KL leash (Schulman et al. 2017, arXiv:1707.06347; LMRL-Gym's `ppo/`).

    r_n <- scale r_n - kappa (log pi - log pi_0)              on every action token
    A   = GAE(r, V), whitened over the round;   R = A + V      before whitening
    L   = mean_n max(-A rho, -A clip(rho, 1 - eps, 1 + eps)) + c_v 1/2 mean_n max((V - R)^2, (V_clip - R)^2) + w L_BC

Old log-probabilities are re-scored with the update's own arithmetic, so rho is exactly 1 before the first step.
Each thing that PPO's instability may hang on is one option with the sound choice as default, and LMRL-Gym's as
another: dropout in the update but not in the re-scoring (`maze/ppo`, `chess/ppo`); in the update, but not in the
re-scoring, a softmax over rows that no token has (`ppo/gpt2/interface.py`); the sign of the k3 estimator, which there
is logged and drives the adaptive controller, while rewards pay k1 (`ppo/base_interface.py:579`). Not inherited: cut
episodes whose future is counted twice.
"""

from collections.abc import Callable, Iterable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from lmrl.algos.base import Algorithm, Metrics, OptimizerFactory, Schedule, at_actions, chosen, decay_groups
from lmrl.algos.bc import weighted_nll
from lmrl.batches import TokenBatch
from lmrl.corpus import CUT, Actions, Corpus
from lmrl.heads import Head, frozen
from lmrl.kinds import Count, Natural, NotNegative, Positive, Share, Unit
from lmrl.models import LanguageModel
from lmrl.reading import logits
from lmrl.returns import discounts, gae, turn_of, whiten

Estimator = Literal["k1", "k2", "k3", "k3_reference"]


def kl_estimate(log_ratio_N: Tensor, kind: str) -> Tensor:
    """KL(pi || pi_0) from samples of pi, given log pi - log pi_0 (Schulman 2020, "Approximating KL divergence").

    >>> kl_estimate(torch.tensor([0.5]), "k2").item()
    0.125
    """
    match kind:
        case "k1":
            return log_ratio_N
        case "k2":
            return 0.5 * log_ratio_N.square()
        case "k3":
            return torch.expm1(-log_ratio_N) + log_ratio_N
        case "k3_reference":  # the other sign, of another expectation: sum_a pi^2 / pi_0 - 1 - KL(pi || pi_0)
            return torch.expm1(log_ratio_N) - log_ratio_N
    raise ValueError(f"algo.kl_estimator = {kind}: k1, k2, k3 or k3_reference")


def clipped_surrogate(log_ratio_N: Tensor, advantage_N: Tensor, *, clip: float) -> tuple[Tensor, Metrics]:
    """Equation 7 of the paper as a loss, and how far the policy has moved."""
    ratio_N = log_ratio_N.exp()
    loss_N = torch.maximum(-advantage_N * ratio_N, -advantage_N * ratio_N.clamp(1 - clip, 1 + clip))
    moved = ((ratio_N - 1).abs() > clip).float().mean()
    metrics = {"clip_fraction": moved, "ratio_std": ratio_N.std(correction=0)}
    return loss_N.mean(), metrics | {"approx_kl": kl_estimate(-log_ratio_N, "k3").mean()}


def value_error(value_N: Tensor, old_N: Tensor, return_N: Tensor, *, clip: float | None) -> Tensor:
    """Half the squared error, of the worse of V and V kept within `clip` of its old self."""
    error_N = (value_N - return_N).square()
    if clip is not None:
        near_N = old_N + (value_N - old_N).clamp(-clip, clip)
        error_N = torch.maximum(error_N, (near_N - return_N).square())
    return 0.5 * error_N.mean()


def explained_variance(value_N: Tensor, return_N: Tensor) -> float:
    """1 - Var(R - V) / Var(R): 1 where V is right up to a constant, 0 where it says nothing; 0 if returns are alike.

    >>> explained_variance(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 4.0]))
    0.75
    """
    spread = return_N.var(correction=0)
    return float(1 - (return_N - value_N).var(correction=0) / spread) if spread > 0 else 0.0


def adapted(coef: float, kl: float, *, target: float, horizon: int, samples: int) -> float:
    """The next KL coefficient of an adaptive controller (Ziegler et al. 2019, arXiv:1909.08593, section 2.2).

    A round longer than the horizon counts as one horizon: the coefficient must not change its sign.

    >>> adapted(0.5, 12.0, target=6.0, horizon=100, samples=50), adapted(0.5, 0.0, target=6.0, horizon=100, samples=900)
    (0.55, 0.4)
    """
    error = min(0.2, max(-0.2, kl / target - 1))
    return coef * (1 + error * min(1.0, samples / horizon))


class PPO(Algorithm):
    """Clipped policy gradient. The value head sits on the policy's own trunk."""

    on_policy = True
    coef: Tensor
    rounds: Tensor
    """How many were annotated so far."""

    def __init__(
        self,
        model: LanguageModel,
        *,
        optimizer: OptimizerFactory,
        schedule: Schedule,
        clip: Positive,
        log_ratio_clamp: Positive | None,
        gamma: Share,
        discount: Unit,
        lam: Share,
        advantage: Unit,
        whiten: bool,
        value_coef: NotNegative,
        value_clip: Positive | None,
        value_into_trunk: bool,
        value_lr: Positive | None,
        value_warmup: Natural,
        reward_scale: Positive,
        head_bias: float,
        kl_coef: NotNegative,
        kl_estimator: Estimator,
        kl_measure: Estimator = "k3",
        kl_target: Positive | None,
        kl_horizon: Count,
        stop_kl: Positive | None,
        bc_weight: NotNegative,
        dropout: bool,
        masked: bool = True,
    ) -> None:
        super().__init__(model, optimizer, schedule)
        self.reference = frozen(self.lm)
        self.head = Head(int(self.lm.config.hidden_size), 1, bias=head_bias * reward_scale)
        self.register_buffer("coef", torch.tensor(kl_coef, dtype=torch.float64))
        self.clip, self.log_ratio_clamp = clip, log_ratio_clamp
        self.gamma, self.lam = gamma, lam
        self.discount, self.advantage, self.whiten = discount, advantage, whiten
        self.value_coef, self.value_clip, self.value_into_trunk = value_coef, value_clip, value_into_trunk
        self.value_lr, self.value_warmup = value_lr, value_warmup
        self.register_buffer("rounds", torch.tensor(0))
        self.reward_scale, self.kl_estimator, self.kl_measure = reward_scale, kl_estimator, kl_measure
        self.kl_target, self.kl_horizon = kl_target, kl_horizon
        self.stop_kl, self.bc_weight, self.dropout, self.masked = stop_kl, bc_weight, dropout, masked
        self._enough = False

    @property
    def warming(self) -> bool:
        """Whether this is one of the first rounds, in which V alone learns."""
        return 0 < int(self.rounds) <= self.value_warmup

    def groups(self) -> list[dict[str, Any]]:
        own = {} if self.value_lr is None else {"lr": self.value_lr}
        return decay_groups(self.lm) + [group | own for group in decay_groups(self.head)]

    def _score(self, batch: TokenBatch, *, masked: bool = True) -> tuple[Tensor, Tensor, Tensor]:
        """log pi [N], its entropy [N] and V [N] at the action tokens."""
        h_ND = at_actions(self.lm, batch)
        log_NV = self._log_probs(self.lm, h_ND, masked)
        entropy_N = -(log_NV.exp() * log_NV).sum(-1).detach()
        value_N = self.head(h_ND if self.value_into_trunk and not self.warming else h_ND.detach())[:, 0]
        return chosen(log_NV, batch.action_N), entropy_N, value_N

    def _reference(self, batch: TokenBatch) -> Tensor:
        h_ND = at_actions(self.reference, batch)
        return chosen(self._log_probs(self.reference, h_ND), batch.action_N)

    def _log_probs(self, lm: nn.Module, h_ND: Tensor, masked: bool = True) -> Tensor:
        """In fp32: GPT-2's logits are so far from 0 that bf16 would round a ratio by more than a step moves it."""
        size = self.model.codec.size if masked else int(self.lm.config.vocab_size)
        with torch.autocast(h_ND.device.type, enabled=False):
            return logits(lm, size, h_ND.float()).log_softmax(-1)

    @torch.no_grad()
    def annotate(self, corpus: Corpus, batches: Callable[[], Iterable[TokenBatch]]) -> Metrics:
        self.rounds += 1
        scored = [(*self._score(batch), self._reference(batch)) for batch in batches()]
        log_N, entropy_N, value_N, ref_N = (torch.cat(parts).float().cpu() for parts in zip(*scored, strict=True))
        actions = corpus.actions()
        penalty_N = kl_estimate(log_N - ref_N, self.kl_estimator)
        reward_N = self.reward_scale * actions.reward_N - float(self.coef) * penalty_N
        advantage_N, return_N = self._advantages(reward_N, value_N, actions, torch.from_numpy(corpus.end == CUT))
        kl = self.over_processes(float(kl_estimate(log_N - ref_N, self.kl_measure).mean()), "mean")
        self.round = {"kl": kl, "kl_coef": float(self.coef), "entropy": float(entropy_N.mean())}
        self.round["explained_variance"] = explained_variance(value_N, return_N)
        if self.kl_target is not None:
            turns = int(self.over_processes(int(actions.last_N.sum()), "sum"))
            self.coef.fill_(
                adapted(float(self.coef), kl, target=self.kl_target, horizon=self.kl_horizon, samples=turns)
            )
        self._enough = False
        notes = {"logprob": log_N, "value": value_N, "return": return_N}
        return notes | {"advantage": whiten(advantage_N) if self.whiten else advantage_N}

    def _advantages(self, reward_N: Tensor, value_N: Tensor, actions: Actions, cut_W: Tensor) -> tuple[Tensor, Tensor]:
        """Advantages and returns by GAE over tokens, or over turns: then all tokens of an action share both.

        What follows a cut episode is taken to be worth what its last state was: the clock is no part of the state.
        """
        turn_N, last_U = turn_of(actions.last_N), actions.last_N.nonzero()[:, 0]
        first_U = torch.cat([torch.zeros(1, dtype=torch.long), last_U[:-1] + 1])
        episode_U = actions.episode_N[last_U]
        final_U = torch.cat([episode_U[1:] != episode_U[:-1], torch.ones(1, dtype=torch.bool)])
        bootstrap_E = (value_N[first_U] * cut_W[actions.window_N[last_U]])[final_U]
        if self.advantage == "token":
            discount_N = discounts(actions.last_N, self.gamma, self.discount)
            advantage_N = gae(reward_N, value_N, discount_N, actions.episode_N, bootstrap_E, lam=self.lam)
            return advantage_N, advantage_N + value_N
        reward_U = torch.zeros(len(last_U)).index_add_(0, turn_N, reward_N)
        discount_U = torch.full((len(last_U),), self.gamma)
        advantage_U = gae(reward_U, value_N[first_U], discount_U, episode_U, bootstrap_E, lam=self.lam)
        return advantage_U[turn_N], (advantage_U + value_N[first_U])[turn_N]

    def skips(self) -> bool:
        return self._enough

    def loss(self, batch: TokenBatch) -> tuple[Tensor, Metrics]:
        self.lm.train(self.dropout)
        log_N, entropy_N, value_N = self._score(batch, masked=self.masked)
        log_ratio_N = log_N - batch.notes["logprob"]
        if self.log_ratio_clamp is not None:
            log_ratio_N = log_ratio_N.clamp(-self.log_ratio_clamp, self.log_ratio_clamp)
        policy_loss, metrics = clipped_surrogate(log_ratio_N, batch.notes["advantage"], clip=self.clip)
        value_loss = value_error(value_N, batch.notes["value"], batch.notes["return"], clip=self.value_clip)
        self._enough = self.stop_kl is not None and metrics["approx_kl"].item() > self.stop_kl
        loss = self.value_coef * value_loss if self.warming else policy_loss + self.value_coef * value_loss
        metrics |= {"policy_loss": policy_loss, "value_loss": value_loss, "entropy": entropy_N.mean()}
        if self.bc_weight and not self.warming:
            metrics["bc_loss"] = self._bc_loss(batch)
            loss = loss + self.bc_weight * metrics["bc_loss"]
        return loss, {k: v.detach() for k, v in metrics.items()}

    def _bc_loss(self, batch: TokenBatch) -> Tensor:
        if batch.beside is None:
            raise ValueError(
                f"algo.bc_weight = {self.bc_weight}: needs offline windows, set data.offline_batch above 0"
            )
        log_N, _, _ = self._score(batch.beside, masked=self.masked)
        return weighted_nll(-log_N, torch.ones_like(log_N))
