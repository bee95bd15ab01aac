"""Behaviour cloning: the likelihood of what the data's players said (LMRL-Gym, section 5; arXiv:2311.18232).

    L = - sum_s w_s log p(x_(s+1) | x_0..x_s) / sum_s w_s,   w = 1 on action tokens, `observation_weight` elsewhere

The reference trains on action tokens alone (weight 0), since it starts from a pretrained model. A model from scratch
has to learn what observations mean, so it also predicts them: a world model that stands in for pretraining.
"""

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, pad

from lmrl.algos.base import Algorithm, Metrics, OptimizerFactory, Schedule
from lmrl.batches import TokenBatch
from lmrl.kinds import NotNegative
from lmrl.models import LanguageModel
from lmrl.reading import hidden
from lmrl.returns import masked_mean


def weighted_nll(nll_K: Tensor, weight_K: Tensor) -> Tensor:
    """Mean negative log-likelihood under weights.

    >>> weighted_nll(torch.tensor([1.0, 4.0]), torch.tensor([1.0, 0.5])).item()
    2.0
    """
    return (nll_K * weight_K).sum() / weight_K.sum()


def preceded(batch: TokenBatch, ids: Tensor) -> TokenBatch:
    """The same windows after the same few tokens, which no loss looks at: ids_BT, action_BS and fresh_BS alone."""
    front = ids.to(batch.ids_BT).expand(len(batch.ids_BT), -1)
    action_BS, fresh_BS = (pad(flags_BS, (len(ids), 0)) for flags_BS in (batch.action_BS, batch.fresh_BS))
    return replace(batch, ids_BT=torch.cat([front, batch.ids_BT], 1), action_BS=action_BS, fresh_BS=fresh_BS)


class BC(Algorithm):
    """Behaviour cloning. `prefix`: a text before each window here, and nowhere in play."""

    def __init__(
        self,
        model: LanguageModel,
        *,
        optimizer: OptimizerFactory,
        schedule: Schedule,
        observation_weight: NotNegative,
        prefix: str = "",
    ) -> None:
        super().__init__(model, optimizer, schedule)
        self.observation_weight = observation_weight
        self.prefix = torch.tensor(model.codec.encode(prefix), dtype=torch.long)

    @property
    def reads_observations(self) -> bool:
        return self.observation_weight > 0

    def loss(self, batch: TokenBatch) -> tuple[Tensor, Metrics]:
        if len(self.prefix):
            batch = preceded(batch, self.prefix)
            if batch.ids_BT.shape[1] > self.model.positions:
                raise ValueError(
                    f"algo.prefix: {batch.ids_BT.shape[1]} tokens with it, and the model holds {self.model.positions}"
                )
        weight_BS = batch.action_BS.float()
        if self.reads_observations:
            weight_BS = torch.where(batch.action_BS, 1.0, self.observation_weight * batch.fresh_BS)
        learnt_BS = weight_BS > 0
        h_KD = hidden(self.lm, batch.ids_BT)[:, :-1][learnt_BS]
        nll_K = cross_entropy(self.logits(h_KD), batch.ids_BT[:, 1:][learnt_BS], reduction="none")
        action_nll = masked_mean(nll_K.detach(), batch.action_BS[learnt_BS])
        return weighted_nll(nll_K, weight_BS[learnt_BS]), {"action_nll": action_nll}
