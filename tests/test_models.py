"""Language models: from scratch, from a folder, from what another was described as."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import PreTrainedModel

from lmrl.models import LanguageModel, pretrained, rebuild, tiny
from lmrl.reading import hidden, logits
from tests.folders import bpe, family, folder_of, gpt2, llama, load
from tests.parts import make_model


def test_a_tiny_model_holds_a_phrase_as_one_token_and_speaks_no_other_row(model: LanguageModel) -> None:
    assert len(model.codec.encode("left\n")) == 1
    assert model.codec.size == model.lm.get_input_embeddings().num_embeddings == 260
    assert model.positions == 64
    assert not any(m.p for m in model.lm.modules() if isinstance(m, nn.Dropout))


def test_the_same_seed_makes_the_same_tiny_model() -> None:
    one, two = make_model().lm.state_dict(), make_model().lm.state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("make", [gpt2, llama])
def test_any_causal_model_of_a_local_folder_comes_as_it_was_saved(
    tmp_path: Path, make: Callable[[int], PreTrainedModel]
) -> None:
    model = load(tmp_path, make)
    torch.manual_seed(1)
    saved = make(len(bpe())).state_dict()
    assert all(torch.equal(tensor, saved[name]) for name, tensor in model.lm.state_dict().items())
    assert model.positions == 48
    assert model.codec.decode(model.codec.encode("move left\n")) == "move left\n"


def test_a_text_gets_no_special_tokens(tmp_path: Path) -> None:
    assert 0 not in load(tmp_path).codec.encode("move left\n")


def test_a_tokenizer_that_was_saved_while_padding_and_truncating_does_neither(tmp_path: Path) -> None:
    tokenizer = bpe()
    tokenizer.pad_token = "<s>"
    tokenizer("move", padding="max_length", max_length=20, truncation=True)
    name = folder_of(tmp_path, gpt2(len(tokenizer)), tokenizer)
    codec = pretrained(name=name, attention="eager", dropout=0.0).codec
    assert codec.decode(codec.encode("move left\n")) == "move left\n"
    assert codec.decode(codec.encode("a wall\n" * 20)) == "a wall\n" * 20


def test_a_token_that_the_model_has_no_row_for_is_an_error(tmp_path: Path) -> None:
    tokenizer = bpe()
    rows = len(tokenizer)
    tokenizer.add_tokens(["teleport\n"])
    model = pretrained(name=folder_of(tmp_path, gpt2(rows), tokenizer), attention="eager", dropout=0.0)
    assert model.codec.size == rebuild(model.describe(), "eager").codec.size == rows
    assert model.codec.encode("move left\n")
    with pytest.raises(ValueError, match=f"'teleport.n' holds token {rows}, but the model knows {rows}"):
        model.codec.encode("teleport\n")


def test_dropout_is_what_the_config_says(tmp_path: Path) -> None:
    name = folder_of(tmp_path, gpt2(300), bpe())
    for rate in (0.0, 0.25):
        model = pretrained(name=name, attention="eager", dropout=rate)
        assert {m.p for m in model.lm.modules() if isinstance(m, nn.Dropout)} == {rate}


@pytest.mark.parametrize("kind", ["opt", "biogpt", "gpt_bigcode"])
@pytest.mark.parametrize("rate", [0.0, 0.5])
def test_dropout_without_a_module_of_its_own_is_what_the_config_says_too(
    tmp_path: Path, kind: str, rate: float
) -> None:
    fields = {"word_embed_proj_dim": 16, "ffn_dim": 32} if kind == "opt" else {}
    tokenizer = bpe()
    name = folder_of(tmp_path, family(kind, **fields)(len(tokenizer)), tokenizer)  # theirs is 0.1
    lm = pretrained(name=name, attention="eager", dropout=rate).lm.train()
    assert {v for k, v in lm.config.to_dict().items() if "dropout" in k or "pdrop" in k} <= {rate, None}
    ids = torch.arange(1, 40)[None]
    assert torch.equal(hidden(lm, ids), hidden(lm, ids)) is (rate == 0.0)


def test_a_tiny_model_has_the_dropout_that_it_is_given() -> None:
    sizes = {"layers": 2, "width": 16, "heads": 2, "positions": 64, "std": 0.1}
    lm = tiny(phrases=list, attention="eager", dropout=0.25, **sizes).lm
    assert {m.p for m in lm.modules() if isinstance(m, nn.Dropout)} == {0.25}


def test_rows_that_no_token_has_change_no_other_weight_and_no_answer() -> None:
    plain, padded = make_model(), make_model(rows=300)
    assert plain.codec.size == padded.codec.size == 260
    for (name, ours), theirs in zip(padded.lm.named_parameters(), plain.lm.parameters(), strict=True):
        assert ours[: len(theirs)].equal(theirs), name
    assert not padded.lm.get_output_embeddings().weight[260:].any()
    again = rebuild(padded.describe(), "eager")
    again.lm.load_state_dict(padded.lm.state_dict())
    h = torch.randn(3, 16)
    for model in (padded, again):
        assert len(model.lm.get_input_embeddings().weight) == model.lm.config.vocab_size == 300
        torch.testing.assert_close(logits(model.lm, model.codec.size, h), logits(plain.lm, 260, h))


def test_fewer_rows_than_tokens_are_refused() -> None:
    with pytest.raises(ValueError, match=r"model\.rows = 259: the tokenizer has 260 tokens; at least as many, or null"):
        make_model(rows=259)


def test_a_width_that_the_heads_cannot_share_is_refused_by_its_key() -> None:
    with pytest.raises(ValueError, match=r"model\.width = 15: no multiple of model\.heads = 2"):
        tiny(phrases=lambda: ["up\n"], layers=1, width=15, heads=2, positions=8, std=0.1, attention="eager")


@pytest.mark.parametrize("make", [gpt2, llama])
def test_a_description_rebuilds_architecture_and_codec(tmp_path: Path, make: Callable[[int], PreTrainedModel]) -> None:
    model = load(tmp_path, make, extra_rows=20)
    again = rebuild(model.describe(), "eager")
    again.lm.load_state_dict(model.lm.state_dict())
    ids = torch.tensor([[5, 6, 7]])
    torch.testing.assert_close(hidden(again.lm.eval(), ids), hidden(model.lm.eval(), ids))
    assert again.codec.encode("move left\n") == model.codec.encode("move left\n")
    assert (again.codec.size, again.codec.stops) == (model.codec.size, model.codec.stops)
    assert again.positions == model.positions
    assert type(again.lm) is type(model.lm)


def test_a_tiny_model_is_rebuilt_too(model: LanguageModel) -> None:
    again = rebuild(model.describe(), "eager")
    again.lm.load_state_dict(model.lm.state_dict())
    assert again.codec.encode("left\nx") == model.codec.encode("left\nx")
    assert again.describe() == model.describe()
