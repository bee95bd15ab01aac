"""Language models and what algorithms hang on them. A model config builds a language model and its codec, no more.

Shapes: B sequences, T tokens, D model width, V tokens that may be spoken, A answers of a head.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from huggingface_hub import file_exists
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GPT2Config, PreTrainedModel
from transformers.activations import GELUTanh, NewGELUActivation
from transformers.utils import logging

from lmrl.codec import Codec, phrase_tokenizer

AnyModule = TypeVar("AnyModule", bound=nn.Module)

logging.disable_progress_bar()  # the run has bars of its own


@dataclass(frozen=True)
class LanguageModel:
    """A causal language model and the codec of its texts."""

    lm: PreTrainedModel
    codec: Codec

    @property
    def positions(self) -> int:
        """Tokens that it can hold."""
        return int(self.lm.config.max_position_embeddings)

    def describe(self) -> dict[str, str]:
        """Two JSON texts from which `rebuild` makes the same architecture and codec."""
        return {"model": self.lm.config.to_json_string(use_diff=False), "tokenizer": self.codec.to_json()}


def _causal(config: object, attention: str) -> PreTrainedModel:
    model = AutoModelForCausalLM.from_config(config, attn_implementation=attention, dtype=torch.float32)
    assert isinstance(model, PreTrainedModel)
    return _fused(model)


def _fused(lm: PreTrainedModel) -> PreTrainedModel:
    """The model with GPT-2's activation as one kernel: the same function in place of eight passes over memory."""
    for module in list(lm.modules()):
        for name, child in module.named_children():
            if isinstance(child, NewGELUActivation):
                setattr(module, name, GELUTanh())
    return lm


def tiny(
    *,
    phrases: Callable[[], Iterable[str]],
    layers: int,
    width: int,
    heads: int,
    positions: int,
    std: float,
    attention: str,
) -> LanguageModel:
    """A GPT-2 from scratch with a tokenizer made of the task's phrases; no dropout.

    std: of the initial weights; GPT-2's 0.02 is too small for a narrow model (its layers would begin near zero).
    """
    codec = Codec(phrase_tokenizer(phrases()))
    config = GPT2Config(
        vocab_size=codec.size,
        n_positions=positions,
        n_embd=width,
        n_layer=layers,
        n_head=heads,
        initializer_range=std,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=None,
        eos_token_id=None,
    )
    return LanguageModel(_causal(config, attention), codec)


def pretrained(*, name: str, attention: str, dropout: float) -> LanguageModel:
    """A causal language model of the hub, or of a local folder, with its own tokenizer.

    Raises ValueError if a folder holds no such model, or there is no such folder and the hub cannot be reached or does
    not know the name.
    """
    here = Path(name).is_dir()
    alone = here or not _hub_answers(name)
    try:
        lm = AutoModelForCausalLM.from_pretrained(
            name, attn_implementation=attention, dtype=torch.float32, local_files_only=alone
        )
        tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=alone)
    except (OSError, ValueError) as error:
        place = "this folder holds no model" if here else "no such folder, and not to be had from the model hub"
        raise ValueError(f"model.name = {name}: {place} ({_first_line(error)}); model=tiny needs neither") from error
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ValueError(f"model.name = {name}: needs a fast tokenizer (a tokenizer.json)")
    backend.no_padding()  # a tokenizer is saved with what its last call asked for
    backend.no_truncation()
    _set_dropout(lm, dropout)
    return LanguageModel(_fused(lm), Codec(backend, rows=_rows(lm)))


def _hub_answers(name: str) -> bool:
    """Whether the model hub can be asked for this name, by one request: `from_pretrained` tries for half a minute."""
    try:
        file_exists(name, "config.json")
    except (OSError, ValueError):  # it answers that it will not, or may not be asked: `from_pretrained` says why
        return True
    except Exception:  # nobody is there, in the words of whichever HTTP library is in use
        return False
    return True


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _rows(lm: PreTrainedModel) -> int:
    embedding = lm.get_input_embeddings()
    assert isinstance(embedding, nn.Embedding)
    return embedding.num_embeddings


def _set_dropout(lm: nn.Module, rate: float) -> None:
    for module in lm.modules():
        if isinstance(module, nn.Dropout):
            module.p = rate


def rebuild(described: Mapping[str, str], attention: str) -> LanguageModel:
    """The architecture and codec that `LanguageModel.describe` wrote down, with fresh weights."""
    fields = json.loads(described["model"])
    lm = _causal(AutoConfig.for_model(fields.pop("model_type"), **fields), attention)
    return LanguageModel(lm, Codec.from_json(described["tokenizer"], rows=_rows(lm)))


def load_weights(model: LanguageModel, ckpt: Path) -> None:
    """Give the model the language model's weights of a checkpoint of ours.

    Raises ValueError if the file is missing, broken, or of another architecture or tokenizer.
    """
    saved = read_checkpoint(ckpt)
    if saved["lmrl"]["tokenizer"] != model.codec.to_json():
        raise ValueError(f"{ckpt}: made with another tokenizer (another task, word list or model)")
    weights = {k.removeprefix("lm."): v for k, v in saved["state_dict"].items() if k.startswith("lm.")}
    try:
        model.lm.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"{ckpt}: made with another architecture ({str(error).splitlines()[-1].strip()})") from error


def read_checkpoint(ckpt: Path) -> dict[str, dict[str, str]]:
    """Read a checkpoint without running any code it may hold. Raises ValueError naming the file and the reason."""
    try:
        saved = torch.load(ckpt, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ValueError(f"{ckpt}: no such checkpoint") from error
    except Exception as error:  # a cut file shows as any of RuntimeError, UnpicklingError, EOFError, ...
        raise ValueError(f"{ckpt}: not a readable checkpoint ({_first_line(error)})") from error
    if not isinstance(saved, dict) or "lmrl" not in saved:
        raise ValueError(f"{ckpt}: not a checkpoint of lmrl")
    return saved


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

    def forward(self, h: Tensor) -> Tensor:
        # bf16 resolves 0.5 at a value of -80: values stay in fp32
        with torch.autocast(h.device.type, enabled=False):
            out: Tensor = self.out(nn.functional.gelu(self.hidden(h.float())))
        return out


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


def frozen(module: AnyModule) -> AnyModule:
    """A copy that is never trained: a reference policy or a target network."""
    return deepcopy(module).eval().requires_grad_(False)


@torch.no_grad()
def polyak(target: nn.Module, source: nn.Module, rate: float) -> None:
    """target <- rate * source + (1 - rate) * target (LMRL-Gym, `ilql/base_interface.py`)."""
    torch._foreach_lerp_(list(target.parameters()), list(source.parameters()), rate)
