"""Monte-Carlo returns: Q by regression on the data's reward-to-go (LMRL-Gym's `mc_returns/base_interface.py`).

    L = mean_n 1/2 (Q(s_n, a_n) - R_n)^2 + c (logsumexp Q(s_n, .) - Q(s_n, a_n))

Q is the value of whoever made the data; one step of improvement comes from acting by log pi_beta + beta Q.
Not inherited: the terminal reward counted twice (`maze/mc_returns/train_mc.py:118`), powers of gamma that underflow.
"""

from collections.abc import Callable, Iterable, Sequence

from torch import Tensor

from lmrl.algos.base import Algorithm, Metrics, OptimizerFactory, Schedule, at_actions
from lmrl.algos.values import data_nll, perturbed
from lmrl.batches import TokenBatch
from lmrl.corpus import Corpus
from lmrl.heads import ValueNet
from lmrl.kinds import NotNegative, Positive, Share, Unit
from lmrl.models import LanguageModel
from lmrl.policy import Actor
from lmrl.returns import discounts, reward_to_go


def regression(q_N: Tensor, return_N: Tensor) -> Tensor:
    """Half the mean squared error."""
    return 0.5 * (q_N - return_N).square().mean()


class MCReturns(Algorithm):
    """Regression of Q on returns. Values are held in units of 1 / reward_scale."""

    has_critic = True

    def __init__(
        self,
        model: LanguageModel,
        *,
        optimizer: OptimizerFactory,
        schedule: Schedule,
        gamma: Share,
        discount: Unit,
        reward_scale: Positive,
        head_bias: float,
        cql_weight: NotNegative,
        beta: NotNegative,
        support: Share,
    ) -> None:
        super().__init__(model, optimizer, schedule)
        self.lm.requires_grad_(False)  # pi_beta
        self.value = ValueNet(model, {"q": model.codec.size}, bias=head_bias * reward_scale)
        self.gamma, self.discount = gamma, discount
        self.reward_scale = reward_scale
        self.cql_weight, self.beta, self.support = cql_weight, beta, support

    def annotate(self, corpus: Corpus, batches: Callable[[], Iterable[TokenBatch]]) -> Metrics:
        actions = corpus.actions()
        discount_N = discounts(actions.last_N, self.gamma, self.discount)
        return {"return": reward_to_go(actions.reward_N * self.reward_scale, discount_N, actions.episode_N)}

    def critic(self, batch: TokenBatch) -> Metrics:
        h_ND = at_actions(self.value.lm, batch)
        return {"q": self.value.at("q", h_ND, batch.action_N) / self.reward_scale}

    def loss(self, batch: TokenBatch) -> tuple[Tensor, Metrics]:
        h_ND = at_actions(self.value.lm, batch)
        q_N = self.value.at("q", h_ND, batch.action_N)
        loss = regression(q_N, batch.notes["return"])
        metrics = {"q_loss": loss, "q": q_N.mean() / self.reward_scale}
        if self.cql_weight:  # it alone needs the values of what was not said
            metrics["cql_loss"] = data_nll(self.value.head("q", h_ND), batch.action_N).mean()
            loss = loss + self.cql_weight * metrics["cql_loss"]
        return loss, {k: v.detach() for k, v in metrics.items()}

    def actor(self) -> Actor:
        def scores(states: Sequence[Tensor]) -> Tensor:
            q = self.value.head("q", states[1]) / self.reward_scale
            return perturbed(self.logits(states[0]), q, beta=self.beta, support=self.support)

        return Actor([self.lm, self.value.lm], scores)
