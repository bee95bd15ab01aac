"""What algorithms hang on a language model: heads on its hidden states, and copies that stay or lag behind.

Shapes: D model width, A answers of a head.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import TypeVar

import torch
from torch import Tensor, nn

from lmrl.models import LanguageModel

AnyModule = TypeVar("AnyModule", bound=nn.Module)


class Head(nn.Module):
    """Two layers from hidden states to answers, [..., D] -> [..., A], in fp32 whatever the autocast.

    The last layer begins at zero, so every answer begins at `bias`: the prior of a return that is yet unseen.
    (The reference's hidden layer is D wide with ReLU; a common offset kills ReLU units in narrow models.)
    """

    def __init__(self, width: int, answers: int, *, bias: float) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(width, 2 * width), nn.Linear(2 * width, answers)
        nn.init.zeros_(self.out.weight)
        nn.init.constant_(self.out.bias, bias)

    def forward(self, h: Tensor, answer: Tensor | None = None) -> Tensor:
        """All answers, or of each state the one that `answer` [...] names: [...], without the work of the rest."""
        # bf16 resolves 0.5 at a value of -80: values stay in fp32
        with torch.autocast(h.device.type, enabled=False):
            x = nn.functional.gelu(self.hidden(h.float()))
            if answer is None:
                out: Tensor = self.out(x)
                return out
            return (x * nn.functional.embedding(answer, self.out.weight)).sum(-1) + self.out.bias[answer]


class ValueNet(nn.Module):
    """A copy of a language model with heads on its last hidden state."""

    def __init__(self, model: LanguageModel, answers: Mapping[str, int], *, bias: float) -> None:
        super().__init__()
        self.lm = deepcopy(model.lm).requires_grad_(True)  # even where the policy itself is frozen
        width = int(model.lm.config.hidden_size)
        self.heads = nn.ModuleDict({name: Head(width, size, bias=bias) for name, size in answers.items()})

    def head(self, name: str, h: Tensor) -> Tensor:
        """The answers of one head; a head with one answer gives one number, [..., D] -> [...]."""
        out: Tensor = self.heads[name](h)
        return out.squeeze(-1) if out.shape[-1] == 1 else out

    def at(self, name: str, h: Tensor, answer: Tensor) -> Tensor:
        """One answer of one head for each state, [..., D] and [...] -> [...]: far cheaper than all, and the same."""
        out: Tensor = self.heads[name](h, answer)
        return out


def frozen(module: AnyModule) -> AnyModule:
    """A copy that is never trained: a reference policy or a target network."""
    return deepcopy(module).eval().requires_grad_(False)


@torch.no_grad()
def polyak(target: nn.Module, source: nn.Module, rate: float) -> None:
    """target <- rate * source + (1 - rate) * target (LMRL-Gym, `ilql/base_interface.py`)."""
    torch._foreach_lerp_(list(target.parameters()), list(source.parameters()), rate)
