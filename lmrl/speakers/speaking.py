"""Language models of `transformers` as they are: causal or seq2seq, of the hub or a folder, with their tokenizers.

`lmrl.models` loads what is trained here; these only speak, so any family will do.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from lmrl.errors import first_line
from lmrl.hub import absence, local_only
from lmrl.models import fused

Dtype = Literal["float32", "bfloat16", "float16"]

ENDLESS = 1_000_000_000
WEIGHED = (".json", ".safetensors", ".bin", ".model", ".jinja")
"""Files of a folder by which a model is told from another."""


@dataclass(frozen=True)
class Loaded:
    """A model and what its texts are made of."""

    lm: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    ends: frozenset[int]
    """Tokens that end an answer."""
    fill: int
    """The token that pads."""
    special: tuple[str, ...]
    """Texts that the tokenizer would take for its special tokens: nobody may say them."""

    @property
    def reads_apart(self) -> bool:
        """Whether an encoder reads the prompt."""
        return bool(self.lm.config.is_encoder_decoder)

    def room(self, wanted: int) -> tuple[int, int]:
        """Tokens of a prompt that it reads, and of an answer that it then gives, at most `wanted`.

        Where it cannot hold both, the prompt has at least half of the room.
        """
        held = getattr(self.lm.config, "max_position_embeddings", None) or ENDLESS
        prompt = held if self.reads_apart else max(held - wanted, (held + 1) // 2)
        return prompt, max(min(wanted, held - 1 if self.reads_apart else held - prompt), 1)


def device_of(name: str) -> str:
    """A device's name, `auto` being the GPU if there is one. Raises ValueError if the machine has no such device."""
    chosen = ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name
    try:
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"device = {name}: {first_line(error)}; auto, cpu and cuda are some") from error
    return chosen


@lru_cache(maxsize=2)
def load(name: str, dtype: Dtype, device: str) -> Loaded:
    """A model and its tokenizer, once for all who ask.

    Raises ValueError if a folder holds no such model, or there is no such folder and the hub cannot be reached or does
    not know the name.
    """
    alone = local_only(name)
    try:
        config = AutoConfig.from_pretrained(name, local_files_only=alone)
        kind = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
        lm = kind.from_pretrained(name, config=config, dtype=getattr(torch, dtype), local_files_only=alone)
        tokenizer = AutoTokenizer.from_pretrained(name, local_files_only=alone)
    except Exception as error:  # OSError, ValueError, KeyError, SafetensorError, ... : each in its way
        raise ValueError(f"name = {name}: {absence(name, error)}") from error
    assert isinstance(lm, PreTrainedModel)
    lm, ends = fused(lm), _ends(lm, tokenizer)
    starts = [getattr(told, "decoder_start_token_id", None) for told in (lm.generation_config, config)]
    start = next((i for i in starts if i is not None), None)
    # a config may name a token that the model does not hold
    fill = next(i for i in (tokenizer.pad_token_id, *sorted(ends), 0) if i is not None and i < _rows(lm))
    # nothing of what a model's makers would have it say: no penalties, no beams, no temperature
    lm.generation_config = GenerationConfig(pad_token_id=fill, decoder_start_token_id=start, do_sample=False)
    named = {*tokenizer.all_special_tokens, *(t.content for t in tokenizer.added_tokens_decoder.values() if t.special)}
    special = tuple(sorted(named, key=lambda token: (-len(token), token)))  # a longer one may hold a shorter one
    return Loaded(lm.eval().requires_grad_(False).to(device), tokenizer, ends, fill, special)


def _ends(lm: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    told = lm.generation_config.eos_token_id if lm.generation_config else None
    named = [tokenizer.eos_token_id, *(told if isinstance(told, list) else [told])]
    return frozenset(i for i in named if isinstance(i, int))


def _rows(lm: PreTrainedModel) -> int:
    return int(lm.get_input_embeddings().num_embeddings)  # type: ignore[arg-type]


def identity(name: str) -> str:
    """A folder's last part and a digest of what lies in it, or a hub model's name and revision.

    Raises ValueError if the hub has no such model.
    """
    folder = Path(name)
    if folder.is_dir():
        return f"{folder.resolve().name} {_digest(folder)}"
    try:
        config = AutoConfig.from_pretrained(name, local_files_only=local_only(name))
    except Exception as error:
        raise ValueError(f"name = {name}: {absence(name, error)}") from error
    revision = getattr(config, "_commit_hash", None)
    return f"{name} {revision[:12]}" if revision else name


def _digest(folder: Path) -> str:
    """Of the files' names, sizes and first megabytes."""
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.suffix in WEIGHED and file.is_file():
            with file.open("rb") as part:
                digest.update(f"{file.name} {file.stat().st_size} ".encode() + part.read(1 << 20))
    return digest.hexdigest()[:12]
