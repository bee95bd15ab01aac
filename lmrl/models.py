"""Language models and what algorithms hang on them. A model config builds a language model and its codec, no more.

Shapes: B sequences, T tokens, D model width, V tokens that may be spoken, A answers of a head, R rows of a cache.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from huggingface_hub import file_exists
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GPT2Config,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.activations import GELUTanh, NewGELUActivation
from transformers.utils import logging

from lmrl.cache import Cache
from lmrl.codec import Codec, Spelling, phrase_tokenizer
from lmrl.kinds import Count, Positive, Rate

AnyModule = TypeVar("AnyModule", bound=nn.Module)

FAMILIES = "gpt2, gpt_neox, llama, mistral, opt, phi, qwen2"
"""Some whose models are known to fit."""

_ENDLESS = 1 << 30  # a window that nothing passes

logging.disable_progress_bar()  # the run has bars of its own


@dataclass(frozen=True)
class LanguageModel:
    """A causal language model and the codec of its texts."""

    lm: PreTrainedModel
    codec: Codec

    @property
    def positions(self) -> int:
        """Tokens that it can hold, and that it attends to in full: no more than the window of a model that has one."""
        config = self.lm.config
        return min(int(config.max_position_embeddings), getattr(config, "lmrl_window", _ENDLESS))

    def describe(self) -> dict[str, str]:
        """Two JSON texts from which `rebuild` makes the same architecture and codec."""
        return {"model": self.lm.config.to_json_string(use_diff=False), "tokenizer": self.codec.to_json()}


def _causal(config: object, attention: str) -> PreTrainedModel:
    model = AutoModelForCausalLM.from_config(config, attn_implementation=attention, dtype=torch.float32)
    assert isinstance(model, PreTrainedModel)
    return fused(model)


def fused(lm: PreTrainedModel) -> PreTrainedModel:
    """The model with GPT-2's activation as one kernel: the same function in place of eight passes over memory."""
    for module in list(lm.modules()):
        for name, child in module.named_children():
            if isinstance(child, NewGELUActivation):
                setattr(module, name, GELUTanh())
    return lm


def tiny(
    *,
    phrases: Callable[[], Iterable[str]],
    spelling: Callable[[], Sequence[Spelling]] | None = None,
    layers: Count,
    width: Count,
    heads: Count,
    positions: Count,
    std: Positive,
    attention: str,
    dropout: Rate = 0.0,
    rows: Count | None = None,
) -> LanguageModel:
    """A GPT-2 from scratch with a tokenizer made of the task's phrases.

    std: of the initial weights; GPT-2's 0.02 is too small for a narrow model (its layers would begin near zero).
    rows: of the embedding; None: one a token. Those that no token has begin at zero and are never spoken.

    Raises ValueError if there are fewer rows than tokens.
    """
    codec = Codec(phrase_tokenizer(phrases(), spelling() if spelling else ()))
    config = GPT2Config(
        vocab_size=codec.size,
        n_positions=positions,
        n_embd=width,
        n_layer=layers,
        n_head=heads,
        initializer_range=std,
        resid_pdrop=dropout,
        embd_pdrop=dropout,
        attn_pdrop=dropout,
        bos_token_id=None,
        eos_token_id=None,
    )
    lm = _causal(config, attention)
    if rows is not None:
        _pad(lm, codec.size, rows)
    return LanguageModel(lm, codec)


def _pad(lm: PreTrainedModel, size: int, rows: int) -> None:
    """Give the embedding rows that no token has, as a table that is rounded up; all other weights stay."""
    if rows < size:
        raise ValueError(f"model.rows = {rows}: the tokenizer has {size} tokens; at least as many, or null")
    embedding = lm.resize_token_embeddings(rows, mean_resizing=False)
    with torch.no_grad():
        embedding.weight[size:] = 0  # LMRL-Gym's


def pretrained(*, name: str, attention: str, dropout: Rate) -> LanguageModel:
    """A causal language model of the hub, or of a local folder, with its own tokenizer.

    dropout: the rate of every dropout that it has. A model whose attention has a window holds no more tokens than that.

    Raises ValueError if a folder holds no such model, or there is no such folder and the hub cannot be reached or does
    not know the name, or if the model is of a kind that our way of reading would change.
    """
    here = Path(name).is_dir()
    alone = here or not hub_answers(name)
    try:
        lm = AutoModelForCausalLM.from_pretrained(
            name,
            config=_config(name, alone, dropout),
            attn_implementation=attention,
            dtype=torch.float32,
            local_files_only=alone,
        )
        tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=alone)
    except (OSError, ValueError) as error:
        place = "this folder holds no model" if here else "no such folder, and not to be had from the model hub"
        raise ValueError(f"model.name = {name}: {place} ({first_line(error)}); model=tiny needs neither") from error
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ValueError(f"model.name = {name}: needs a fast tokenizer (a tokenizer.json)")
    backend.no_padding()  # a tokenizer is saved with what its last call asked for
    backend.no_truncation()
    model = LanguageModel(fused(lm), Codec(backend, rows=_rows(lm)))
    if lm.config.model_type != "gpt2":  # with which all is tested; a look at gpt2-xl takes seconds
        _check(name, model)
    return model


def _config(name: str, alone: bool, dropout: float) -> PreTrainedConfig:
    """The config of a saved model, with our dropout, which every family reads from there, and no window."""
    config: PreTrainedConfig = AutoConfig.from_pretrained(name, local_files_only=alone)
    for key, value in config.to_dict().items():
        if ("dropout" in key or "pdrop" in key) and type(value) in (int, float):
            setattr(config, key, dropout)
    _open_window(config)
    return config


def _open_window(config: PreTrainedConfig) -> None:
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


def _check(name: str, model: LanguageModel) -> None:
    """Raise ValueError if the model is of a kind that our way of reading would change, or cannot do."""
    try:
        wrong = _misfit(model.lm, model.codec.size)
    except Exception as error:  # TypeError, RuntimeError, AttributeError, ... of whatever the family does otherwise
        wrong = f"it cannot be read in pieces ({first_line(error)})"
    if wrong:
        kind = f"a model of the family {model.lm.config.model_type} that does not fit: {wrong}"
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
    """The last hidden states, h_RD, of two rows that read the same tokens in different pieces, so with holes."""
    cache = Cache([lm])
    cache.read([ids[:4], ids[:1]], [0, 0])
    return cache.read([ids[4:], ids[1:]], [4, 1])[0]


def _same(ours: Tensor, theirs: Tensor) -> bool:
    """Up to what rounding does."""
    return bool((ours - theirs).norm() <= 1e-4 * theirs.norm())


def hub_answers(name: str) -> bool:
    """Whether the model hub can be asked for this name, by one request: `from_pretrained` tries for half a minute."""
    try:
        file_exists(name, "config.json")
    except (OSError, ValueError):  # it answers that it will not, or may not be asked: `from_pretrained` says why
        return True
    except Exception:  # nobody is there, in the words of whichever HTTP library is in use
        return False
    return True


def first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _rows(lm: PreTrainedModel) -> int:
    embedding = lm.get_input_embeddings()
    assert isinstance(embedding, nn.Embedding)
    return embedding.num_embeddings


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


def read_checkpoint(ckpt: Path) -> dict[str, dict[str, Any]]:
    """Read a checkpoint without running any code it may hold. Raises ValueError naming the file and the reason."""
    try:
        saved = torch.load(ckpt, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ValueError(f"{ckpt}: no such checkpoint") from error
    except Exception as error:  # a cut file shows as any of RuntimeError, UnpicklingError, EOFError, ...
        raise ValueError(f"{ckpt}: not a readable checkpoint ({first_line(error)})") from error
    made = saved.get("lmrl") if isinstance(saved, dict) else None
    if not isinstance(made, dict) or not {"model", "tokenizer"} <= made.keys() or "state_dict" not in saved:
        raise ValueError(f"{ckpt}: not a checkpoint of lmrl")
    return dict(saved)


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
