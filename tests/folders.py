"""Small models of several families, in folders as the hub has them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors, trainers
from tokenizers.models import BPE
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from lmrl.models import LanguageModel, pretrained

LINES = ["move left\n", "move right\n", "the goal is here\n", "there is a wall\n"] * 5


def bpe() -> PreTrainedTokenizerFast:
    """A small tokenizer of GPT-2's kind that would put a special token before each text, as Llama's does."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=alphabet, special_tokens=["<s>"], show_progress=False
    )
    tokenizer.train_from_iterator(LINES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>")


def gpt2(rows: int) -> PreTrainedModel:
    sizes = {"n_positions": 48, "n_embd": 16, "n_layer": 2, "n_head": 2}
    return GPT2LMHeadModel(GPT2Config(vocab_size=rows, bos_token_id=0, eos_token_id=0, **sizes))


def llama(rows: int) -> PreTrainedModel:
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=rows, max_position_embeddings=48, bos_token_id=0, eos_token_id=0, **sizes)
    return LlamaForCausalLM(config)


def family(kind: str, **fields: Any) -> Callable[[int], PreTrainedModel]:
    """A maker of small models of a family; the fields are those in which its config differs from most."""
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    own = {k: v for k, v in (sizes | {"max_position_embeddings": 48} | fields).items() if v is not None}

    def make(rows: int) -> PreTrainedModel:
        ids = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
        return AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, vocab_size=rows, **ids, **own))

    return make


def folder_of(path: Path, lm: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> str:
    lm.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return str(path)


def load(path: Path, make: Callable[[int], PreTrainedModel] = gpt2, extra_rows: int = 0) -> LanguageModel:
    torch.manual_seed(1)
    tokenizer = bpe()
    name = folder_of(path, make(len(tokenizer) + extra_rows), tokenizer)
    return pretrained(name=name, attention="eager", dropout=0.0)
