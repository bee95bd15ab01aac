"""How a language model is read: its hidden states, and from these its scores of the next token.

Shapes: B sequences, T tokens, D model width, V tokens that may be spoken.
"""

from torch import Tensor, nn
from transformers import PreTrainedModel


def hidden(lm: nn.Module, ids_BT: Tensor) -> Tensor:
    """The last hidden states, h_BTD. Windows are padded on the right, so a causal model needs no mask."""
    trunk = lm.base_model
    assert isinstance(trunk, nn.Module)
    out: Tensor = trunk(input_ids=ids_BT, use_cache=False).last_hidden_state
    return out


def logits(lm: nn.Module, size: int, h: Tensor) -> Tensor:
    """Next-token scores over the `size` ids that may be spoken, in fp32: [..., D] -> [..., V]."""
    assert isinstance(lm, PreTrainedModel)
    out: Tensor = lm.get_output_embeddings()(h)
    return out[..., :size].float()
