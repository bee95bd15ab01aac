"""What MC returns and ILQL share: a value network, and acting by values on top of a cloned policy.

    z = log softmax(pi_beta logits) + beta * Q,   tokens that pi_beta deems improbable left out

V is not subtracted and a constant per position drops out in the softmax (LMRL-Gym, `value_rl_base/gpt2/generation.py`).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from lmrl.algos.base import chosen


def perturbed(prior_RV: Tensor, q_RV: Tensor, *, beta: float, support: float) -> Tensor:
    """Logits of the policy: log prior + beta * q where the prior is at least `support` times its largest.

    q of a token that was never seen is only the bias it began with, which beta would raise above all that was.

    >>> prior, q = torch.tensor([[0.0, 0.0, -9.0]]), torch.tensor([[0.0, 1.0, 5.0]])
    >>> perturbed(prior, q, beta=2.0, support=0.1).argmax().item()
    1
    """
    log_prior_RV = prior_RV.log_softmax(-1)
    unlikely_RV = prior_RV.softmax(-1) < support * prior_RV.softmax(-1).amax(-1, keepdim=True)
    return (log_prior_RV + beta * q_RV).masked_fill(unlikely_RV, -torch.inf)


def data_nll(q_NV: Tensor, action_N: Tensor) -> Tensor:
    """The conservative term of CQL at each action token: logsumexp Q - Q(a) (LMRL-Gym; Kumar et al. 2020, eq. 4)."""
    return q_NV.logsumexp(-1) - chosen(q_NV, action_N)


def least(q: Sequence[Tensor]) -> Tensor:
    """The smaller of twin values, token by token."""
    return q[0] if len(q) == 1 else torch.minimum(q[0], q[1])
