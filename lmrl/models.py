"""Language models with the codecs of their texts. A model config builds one, no more; `lmrl.reading` reads it."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn
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

from lmrl.codec import Codec, Spelling, phrase_tokenizer
from lmrl.fit import check_fit, open_window, reach
from lmrl.hub import absence, local_only
from lmrl.kinds import Count, Positive, Rate

logging.disable_progress_bar()  # the run has bars of its own


@dataclass(frozen=True)
class LanguageModel:
    """A causal language model and the codec of its texts."""

    lm: PreTrainedModel
    codec: Codec

    @property
    def positions(self) -> int:
        """Tokens that it can hold, and that it attends to in full: no more than the window of a model that has one."""
        return reach(self.lm.config)

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

    Raises ValueError if there are fewer rows than tokens, or the heads do not share the width evenly.
    """
    if width % heads:
        raise ValueError(f"model.width = {width}: no multiple of model.heads = {heads}")
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
    alone = local_only(name)
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
        raise ValueError(f"model.name = {name}: {absence(name, error)}; model=tiny needs neither") from error
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ValueError(f"model.name = {name}: needs a fast tokenizer (a tokenizer.json)")
    backend.no_padding()  # a tokenizer is saved with what its last call asked for
    backend.no_truncation()
    model = LanguageModel(fused(lm), Codec(backend, rows=_rows(lm)))
    if lm.config.model_type != "gpt2":  # with which all is tested; a look at gpt2-xl takes seconds
        check_fit(name, lm, model.codec.size)
    return model


def _config(name: str, alone: bool, dropout: float) -> PreTrainedConfig:
    """The config of a saved model, with our dropout, which every family reads from there, and no window."""
    config: PreTrainedConfig = AutoConfig.from_pretrained(name, local_files_only=alone)
    for key, value in config.to_dict().items():
        if ("dropout" in key or "pdrop" in key) and type(value) in (int, float):
            setattr(config, key, dropout)
    open_window(config)
    return config


def _rows(lm: PreTrainedModel) -> int:
    embedding = lm.get_input_embeddings()
    assert isinstance(embedding, nn.Embedding)
    return embedding.num_embeddings


def rebuild(described: Mapping[str, str], attention: str) -> LanguageModel:
    """The architecture and codec that `LanguageModel.describe` wrote down, with fresh weights."""
    fields = json.loads(described["model"])
    lm = _causal(AutoConfig.for_model(fields.pop("model_type"), **fields), attention)
    return LanguageModel(lm, Codec.from_json(described["tokenizer"], rows=_rows(lm)))
