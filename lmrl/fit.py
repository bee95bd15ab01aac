"""How a model of the hub is made to fit the way that we read, at once and in pieces, and whether it does.

Shapes: T tokens, R rows of a cache, D model width.
"""

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel

from lmrl.cache import Cache
from lmrl.errors import first_line
from lmrl.reading import hidden, logits

FAMILIES = "gpt2, gpt_neox, llama, mistral, opt, phi, qwen2"
"""Some whose models are known to fit."""

_ENDLESS = 1 << 30  # a window that nothing passes


def open_window(config: PreTrainedConfig) -> None:
    """Turn a window in use, sliding or GPT-Neo's, into a bound on positions: up to there, all attention is full.

    The bound alone would not do, since transformers counts slots of the cache, which with its holes has up to three
    times as many as positions (`lmrl.policy`). For the same reason GPT-Neo, whose causal table ends at its last
    position, may use a third of them.
    """
    sliding = getattr(config, "sliding_window", None)
    if sliding and "sliding_attention" in (getattr(config, "layer_types", None) or ["sliding_attention"]):
        config.lmrl_window, config.sliding_window = sliding, _ENDLESS
    if config.model_type == "gpt_neo":
        config.lmrl_window = min(config.window_size, config.max_position_embeddings // 3)
        config.window_size = _ENDLESS


def reach(config: PreTrainedConfig) -> int:
    """Tokens that a model holds and attends to in full: no more than the window that `open_window` took away."""
    return min(int(config.max_position_embeddings), getattr(config, "lmrl_window", _ENDLESS))


def check_fit(name: str, lm: PreTrainedModel, size: int) -> None:
    """Raise ValueError if the model is of a kind that our way of reading would change, or cannot do."""
    try:
        wrong = _misfit(lm, size)
    except Exception as error:  # TypeError, RuntimeError, AttributeError, ... of whatever the family does otherwise
        wrong = f"it cannot be read in pieces ({first_line(error)})"
    if wrong:
        kind = f"a model of the family {lm.config.model_type} that does not fit: {wrong}"
        raise ValueError(f"model.name = {name}: {kind}; take one of a family that does: {FAMILIES}")


@torch.no_grad()
def _misfit(lm: PreTrainedModel, size: int) -> str | None:
    """What differs from transformers in how we read a few tokens; None if nothing does."""
    if not isinstance(getattr(lm.config, "max_position_embeddings", None), int):
        return "no max_position_embeddings says how many tokens it holds"
    ids = torch.randint(size, (6,), generator=torch.Generator().manual_seed(0))
    h_TD = hidden(lm, ids[None])[0]
    if h_TD.shape[1] != lm.config.hidden_size:
        return f"its last hidden state has {h_TD.shape[1]} numbers, but hidden_size = {lm.config.hidden_size}"
    with lm.get_output_embeddings().register_forward_hook(_loud):
        if not _same(logits(lm, size, h_TD), lm(ids[None]).logits[0, :, :size]):
            return "its logits are not its last layer's, but scaled, capped or otherwise changed"
    if not _same(_in_pieces(lm, ids.tolist()), h_TD[[-1, -1]]):
        return "reading in pieces, as play does, gives it other hidden states than reading at once"
    return None


def _loud(head: nn.Module, inputs: object, scores: Tensor) -> Tensor:
    """Scores up to 100, lest small ones slip under a cap."""
    return scores * (100 / scores.abs().max())


def _in_pieces(lm: nn.Module, ids: list[int]) -> Tensor:
    """The last hidden states, h_RD, of two rows that read the same tokens in different pieces, one of them alone."""
    cache = Cache([lm])
    cache.read([ids[:4], ids[:1]], [0, 0])
    few = cache.part([1])
    few.read([ids[1:2]], [1])
    cache.join([1], few)
    return cache.read([ids[4:], ids[2:]], [4, 2])[0]


def _same(ours: Tensor, theirs: Tensor) -> bool:
    """Up to what rounding does."""
    return bool((ours - theirs).norm() <= 1e-4 * theirs.norm())
