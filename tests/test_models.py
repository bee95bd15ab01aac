"""Language models: from scratch, from a folder, from a checkpoint; and the small parts that hang on them."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors, trainers
from tokenizers.models import BPE
from torch import nn
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

from lmrl.cache import Cache
from lmrl.models import (
    FAMILIES,
    Head,
    LanguageModel,
    ValueNet,
    frozen,
    hidden,
    load_weights,
    logits,
    polyak,
    pretrained,
    read_checkpoint,
    rebuild,
    tiny,
)
from lmrl.rollout import rollout
from tests.parts import make_model
from tests.test_policy import STARTS, Chatter, player

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


BLOOM = family("bloom", max_position_embeddings=None, intermediate_size=None)
FALCON = family("falcon", alibi=True, intermediate_size=None)
MPT = family("mpt", intermediate_size=None)
MISTRAL = family("mistral", num_key_value_heads=2, sliding_window=24)
GEMMA3 = family("gemma3_text", num_key_value_heads=2, head_dim=8, sliding_window=24)
GPT_NEO = family("gpt_neo", attention_types=[[["global", "local"], 1]], window_size=24, max_position_embeddings=96)
GPT_NEO_FULL = family("gpt_neo", attention_types=[[["global"], 2]], max_position_embeddings=96)


def folder_of(path: Path, lm: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> str:
    lm.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return str(path)


def load(path: Path, make: Callable[[int], PreTrainedModel] = gpt2, extra_rows: int = 0) -> LanguageModel:
    torch.manual_seed(1)
    tokenizer = bpe()
    name = folder_of(path, make(len(tokenizer) + extra_rows), tokenizer)
    return pretrained(name=name, attention="eager", dropout=0.0)


def checkpoint(path: Path, model: LanguageModel, **changes: Any) -> Path:
    """As a run writes it, as far as weights and tokenizer go."""
    saved = {"lmrl": model.describe(), "state_dict": {f"lm.{k}": v for k, v in model.lm.state_dict().items()}}
    torch.save(saved | changes, path)
    return path


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


@pytest.mark.parametrize("make", [gpt2, llama])
def test_hidden_states_and_logits_are_those_of_transformers(
    tmp_path: Path, make: Callable[[int], PreTrainedModel]
) -> None:
    model = load(tmp_path, make).lm.eval()
    ids = torch.tensor([[1, 2, 3, 4]])
    expected = model(input_ids=ids, output_hidden_states=True)
    torch.testing.assert_close(hidden(model, ids), expected.hidden_states[-1])
    torch.testing.assert_close(logits(model, 200, hidden(model, ids)), expected.logits[..., :200])


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


def test_rows_that_no_token_has_never_enter_a_softmax(tmp_path: Path) -> None:
    model = load(tmp_path, extra_rows=20)
    known = len(bpe())
    assert model.codec.size == known < model.lm.get_input_embeddings().num_embeddings
    h = hidden(model.lm, torch.tensor([[1, 2]]))
    assert logits(model.lm, model.codec.size, h).shape[-1] == known
    assert ValueNet(model, {"q": model.codec.size}, bias=0.0).head("q", h).shape[-1] == known


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


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (family("cohere", logit_scale=0.0625), "of the family cohere that does not fit: its logits are not its last"),
        (
            family("granite", num_key_value_heads=2, logits_scaling=8.0),
            "its logits are not its last layer's, but scaled",
        ),
        (
            family("gemma2", num_key_value_heads=2, head_dim=8),
            "its logits are not its last layer's, but scaled, capped",
        ),
        (BLOOM, "of the family bloom that does not fit: no max_position_embeddings says how many tokens it holds"),
        (family("opt", ffn_dim=32, word_embed_proj_dim=8), "its last hidden state has 8 numbers, but hidden_size = 16"),
        (FALCON, "it cannot be read in pieces [(]too many values to unpack"),
        (MPT, "reading in pieces, as play does, gives it other hidden states than reading at once"),
    ],
    ids=["cohere", "granite", "gemma2", "bloom", "opt", "falcon", "mpt"],
)
def test_a_family_that_we_would_read_wrong_is_refused_in_a_line(
    tmp_path: Path, make: Callable[[int], PreTrainedModel], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        load(tmp_path, make)
    told = str(caught.value)
    assert told.startswith(f"model.name = {tmp_path}: a model of the family ")
    assert told.endswith(f"; take one of a family that does: {FAMILIES}")
    assert len(told.splitlines()) == 1


def test_a_family_is_judged_by_what_it_does(tmp_path: Path) -> None:
    assert load(tmp_path, family("cohere", logit_scale=1.0)).lm.config.model_type == "cohere"


WINDOWED = pytest.mark.parametrize(
    ("make", "holds"),
    [(MISTRAL, 24), (GEMMA3, 24), (GPT_NEO, 24), (GPT_NEO_FULL, 32)],
    ids=["mistral", "gemma3", "gpt_neo", "gpt_neo_full"],
)


@WINDOWED
def test_a_window_bounds_the_positions_and_play_goes_past_it(
    tmp_path: Path, make: Callable[[int], PreTrainedModel], holds: int
) -> None:
    model = load(tmp_path, make)
    assert model.positions == rebuild(model.describe(), "eager").positions == holds
    starts = STARTS[:3]
    together = rollout(Chatter, player(model), starts, max_turns=15)
    alone = [rollout(Chatter, player(model), [start], max_turns=15)[0] for start in starts]
    assert [t.turns for t in together] == [t.turns for t in alone]


@WINDOWED
def test_within_a_window_the_holes_of_a_cache_change_nothing(
    tmp_path: Path, make: Callable[[int], PreTrainedModel], holds: int
) -> None:
    lm = load(tmp_path, make).lm
    original = AutoModelForCausalLM.from_pretrained(tmp_path, attn_implementation="eager").eval()
    ids = torch.randint(100, (2, holds), generator=torch.Generator().manual_seed(1))
    cache, fed = Cache([lm]), [0, 0]
    for step in range(holds // 2):  # one row reads one token where the other reads three, and then the reverse
        ends = [fed[0] + 1 + 2 * (step % 2), fed[1] + 3 - 2 * (step % 2)]
        states = cache.read([row[a:b] for row, a, b in zip(ids.tolist(), fed, ends, strict=True)], fed)[0]
        fed = ends
    assert fed == [holds, holds]
    assert cache.slots > holds
    for row, end in enumerate(fed):
        torch.testing.assert_close(states[row], hidden(original, ids[row : row + 1, :end])[0, -1])


NAMES = ["gpt2", "somebody/gpt2", "no/such/folder", "/no/such/folder"]
LOAD = f"""
import time
from lmrl.models import pretrained
for name in {NAMES}:
    begun = time.monotonic()
    try:
        pretrained(name=name, attention="eager", dropout=0.0)
    except ValueError as error:
        print(time.monotonic() - begun, error)
"""


@pytest.mark.slow
def test_models_that_cannot_be_had_cost_one_line_each_and_no_time(tmp_path: Path) -> None:
    """A process of its own, since all that reaches the screen counts. Nothing listens where the hub should be."""
    alone = os.environ | {"HF_HOME": str(tmp_path), "HF_ENDPOINT": "http://127.0.0.1:9"}
    done = subprocess.run([sys.executable, "-c", LOAD], env=alone, capture_output=True, text=True, check=True)
    for name, line in zip(NAMES, done.stdout.splitlines(), strict=True):
        seconds, _, told = line.partition(" ")
        assert float(seconds) < 5  # six tries with waits between them take 23
        assert told.startswith(f"model.name = {name}: no such folder, and not to be had from the model hub (")
        assert told.endswith("; model=tiny needs neither")
    assert done.stderr == ""


def test_a_hub_that_does_not_answer_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    begun = time.monotonic()
    with pytest.raises(
        ValueError, match=r"model.name = lmrl/none: no such folder, and not to be had from the model hub"
    ):
        pretrained(name="lmrl/none", attention="eager", dropout=0.0)
    assert time.monotonic() - begun < 5


def test_a_folder_without_a_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"model.name = {tmp_path}: this folder holds no model"):
        pretrained(name=str(tmp_path), attention="eager", dropout=0.0)


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


def test_the_weights_of_a_checkpoint_are_taken_over(tmp_path: Path, model: LanguageModel) -> None:
    torch.manual_seed(5)
    with torch.no_grad():
        for p in model.lm.parameters():
            p.normal_()
    other = make_model()
    load_weights(other, checkpoint(tmp_path / "a.ckpt", model))
    assert all(torch.equal(p, q) for p, q in zip(other.lm.parameters(), model.lm.parameters(), strict=True))


class Mine:
    """What a checkpoint of somebody else's may hold."""


def test_what_is_no_checkpoint_of_ours_is_refused_in_a_line(tmp_path: Path, model: LanguageModel) -> None:
    good = checkpoint(tmp_path / "good.ckpt", model)
    (tmp_path / "cut.ckpt").write_bytes(good.read_bytes()[:1000])
    (tmp_path / "text.ckpt").write_text("hello\n")
    (tmp_path / "empty.ckpt").touch()
    torch.save({"state_dict": {}}, tmp_path / "other.ckpt")
    torch.save([1, 2], tmp_path / "list.ckpt")
    torch.save({"lmrl": 3, "state_dict": {}}, tmp_path / "number.ckpt")
    torch.save({"lmrl": {}, "state_dict": {}}, tmp_path / "bare.ckpt")
    torch.save({"lmrl": dict(model.describe())}, tmp_path / "weightless.ckpt")
    reasons = {
        "missing": "no such checkpoint",
        "cut": "not a readable checkpoint",
        "text": "not a readable checkpoint",
        "empty": "not a readable checkpoint",
        "other": "not a checkpoint of lmrl",
        "list": "not a checkpoint of lmrl",
        "number": "not a checkpoint of lmrl",
        "bare": "not a checkpoint of lmrl",
        "weightless": "not a checkpoint of lmrl",
    }
    for name, reason in reasons.items():
        with pytest.raises(ValueError, match=f"{name}.ckpt: {reason}") as caught:
            load_weights(model, tmp_path / f"{name}.ckpt")
        assert len(str(caught.value).splitlines()) == 1


def test_a_checkpoint_runs_no_code(tmp_path: Path, model: LanguageModel) -> None:
    path = checkpoint(tmp_path / "a.ckpt", model, extra=Mine())
    with pytest.raises(ValueError, match="a.ckpt: not a readable checkpoint"):
        read_checkpoint(path)


def test_a_checkpoint_of_another_tokenizer_or_architecture_is_refused(tmp_path: Path, model: LanguageModel) -> None:
    path = checkpoint(tmp_path / "a.ckpt", model)
    with pytest.raises(ValueError, match=r"a.ckpt: made with another tokenizer \(another task, word list or model\)"):
        load_weights(make_model(("left\n", "up\n")), path)
    with pytest.raises(ValueError, match=r"a.ckpt: made with another architecture \(size mismatch for transformer.wpe"):
        load_weights(make_model(positions=32), path)


def test_a_refused_checkpoint_leaves_the_model_as_it_was(tmp_path: Path, model: LanguageModel) -> None:
    wider: Mapping[str, torch.Tensor] = {"lm.transformer.wte.weight": torch.zeros(2, 2)}
    with pytest.raises(ValueError, match="another architecture"):
        load_weights(model, checkpoint(tmp_path / "a.ckpt", model, state_dict=wider))
    fresh = make_model().lm.state_dict()
    assert all(torch.equal(tensor, fresh[name]) for name, tensor in model.lm.state_dict().items())


def test_a_head_answers_its_bias_at_first() -> None:
    torch.testing.assert_close(Head(8, 3, bias=-4.0)(torch.randn(2, 5, 8)), torch.full((2, 5, 3), -4.0))


def test_a_head_stays_in_full_precision_under_autocast() -> None:
    torch.manual_seed(0)
    head, h = Head(8, 3, bias=-80.0), torch.randn(5, 8)
    nn.init.normal_(head.out.weight)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert nn.Linear(8, 3)(h).dtype == torch.bfloat16
        answer = head(h.bfloat16())
    assert answer.dtype == torch.float32
    torch.testing.assert_close(answer, head(h.bfloat16().float()))


def test_a_value_net_is_a_trainable_copy_even_of_a_frozen_model(model: LanguageModel) -> None:
    model.lm.requires_grad_(False)
    net = ValueNet(model, {"q": 260, "v": 1}, bias=1.0)
    assert all(p.requires_grad for p in net.parameters())
    assert not any(p.requires_grad for p in model.lm.parameters())
    own = {p.data_ptr() for p in net.lm.parameters()}
    assert own.isdisjoint(p.data_ptr() for p in model.lm.parameters())
    h = torch.zeros(4, 7, 16)
    assert net.head("q", h).shape == (4, 7, 260)
    assert net.head("v", h).shape == (4, 7)


def test_a_frozen_copy_does_not_follow(model: LanguageModel) -> None:
    copy = frozen(model.lm.train())
    with torch.no_grad():
        model.lm.get_input_embeddings().weight.fill_(9.0)
    assert not any(p.requires_grad for p in copy.parameters())
    assert not any(module.training for module in copy.modules())
    assert copy.get_input_embeddings().weight.max() < 9  # type: ignore[operator]


def test_polyak_moves_the_target_by_its_rate() -> None:
    target, source = nn.Linear(1, 1), nn.Linear(1, 1)
    for module, value in ((target, 2.0), (source, 10.0)):
        for p in module.parameters():
            nn.init.constant_(p, value)
    polyak(target, source, 0.25)
    assert [p.item() for p in target.parameters()] == [4.0, 4.0]
    assert [p.item() for p in source.parameters()] == [10.0, 10.0]


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


def test_one_answer_of_a_head_is_that_of_all_its_answers_and_so_is_its_gradient() -> None:
    head, h_ND, answer_N = Head(8, 5, bias=-2.0), torch.randn(7, 8), torch.tensor([0, 4, 4, 2, 1, 0, 3])
    torch.nn.init.normal_(head.out.weight)

    def of(one_N: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return one_N, *torch.autograd.grad(one_N.square().sum(), list(head.parameters()))

    torch.testing.assert_close(of(head(h_ND, answer_N)), of(head(h_ND)[range(7), answer_N]))
