"""How a language model is read: its hidden states, and from these its scores of the next token.

Shapes: B sequences, of them U that differ, T tokens, D model width, V tokens that may be spoken.
"""

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

FEW = 0.8
"""Share of a batch's sequences that may differ for the others not to be read."""


def hidden(lm: nn.Module, ids_BT: Tensor) -> Tensor:
    """The last hidden states, h_BTD. Windows are padded on the right, so a causal model needs no mask.

    On a CPU, sequences that stand in the batch several times are read once: of the 5 000 moves of a round on the maze a
    hundred differ. Each has its share of the gradient all the same.
    """
    trunk = lm.base_model
    assert isinstance(trunk, nn.Module)
    if ids_BT.device.type == "cpu" and not _draws(trunk):  # on a GPU, to count them is to wait for it
        ids_UT, of_B = torch.unique(ids_BT, dim=0, return_inverse=True)
        if len(ids_UT) < FEW * len(ids_BT):
            return _read(trunk, ids_UT)[of_B]
    return _read(trunk, ids_BT)


def _read(trunk: nn.Module, ids_BT: Tensor) -> Tensor:
    out: Tensor = trunk(input_ids=ids_BT, use_cache=False).last_hidden_state
    return out


def _draws(trunk: nn.Module) -> bool:
    """Whether dropout makes like sequences differ."""
    if not trunk.training:
        return False
    rates = (module.p for module in trunk.modules() if isinstance(module, nn.Dropout))
    return bool(getattr(trunk.config, "attention_dropout", 0)) or any(rates)


def logits(lm: nn.Module, size: int, h: Tensor) -> Tensor:
    """Next-token scores over the `size` ids that may be spoken, in fp32: [..., D] -> [..., V]."""
    assert isinstance(lm, PreTrainedModel)
    out: Tensor = lm.get_output_embeddings()(h)
    return out[..., :size].float()
