"""Texts by models that the tests make and save: through the code that loads any other."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
from tokenizers.models import BPE, WordLevel
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from lmrl.speakers.completion import Message, Request
from lmrl.speakers.generation import TextGenerator
from lmrl.speakers.speaking import identity, load
from tests.folders import folder_of

CHAT = "{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>{% endfor %}<assistant>"
STRICT = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + CHAT
QUESTION = "object: (Cat)\nquestion: Is it an animal that lives in a house?\nanswer: "
PROMPTS = ["Is it a cat?", "Is it", QUESTION, "x"] * 3


def letters() -> PreTrainedTokenizerFast:
    """Bytes, and two special tokens."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(BPE(vocab={c: i for i, c in enumerate(["<pad>", "</s>", *alphabet])}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>")


SIZE = len(letters())
IDS = {"pad_token_id": 0, "eos_token_id": 1}


def gpt2(positions: int = 256) -> PreTrainedModel:
    sizes = {"n_embd": 32, "n_layer": 2, "n_head": 2, "initializer_range": 0.3}
    return GPT2LMHeadModel(GPT2Config(vocab_size=SIZE, n_positions=positions, bos_token_id=1, **IDS, **sizes))


def llama() -> PreTrainedModel:
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=SIZE + 30, max_position_embeddings=256, initializer_range=0.3, **IDS, **sizes)
    return LlamaForCausalLM(config)


def t5() -> PreTrainedModel:
    sizes = {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2}
    return T5ForConditionalGeneration(T5Config(vocab_size=SIZE, decoder_start_token_id=0, **IDS, **sizes))


def bart() -> PreTrainedModel:
    ffn = {"encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "d_model": 32, "init_std": 0.3, "max_position_embeddings": 256}
    layers = {f"{side}_{what}": 2 for side in ("encoder", "decoder") for what in ("layers", "attention_heads")}
    config = BartConfig(vocab_size=SIZE, decoder_start_token_id=1, bos_token_id=1, **IDS, **ffn, **layers)
    return BartForConditionalGeneration(config)


KINDS = pytest.mark.parametrize("make", [gpt2, llama, t5, bart])


def saved(path: Path, make: Callable[[], PreTrainedModel], chat: str | None = None) -> str:
    torch.manual_seed(1)
    tokenizer = letters()
    tokenizer.chat_template = chat
    return folder_of(path, make(), tokenizer)


def generator(name: str, **changes: Any) -> TextGenerator:
    settings = {"chat": "auto", "dtype": "float32", "device": "cpu", "batch": 64, "remember": False}
    return TextGenerator(name=name, **(settings | changes))


def asked(prompt: str, **changes: Any) -> Request:
    return Request(messages=(Message("user", prompt),), **({"max_tokens": 12} | changes))


def one_by_one(model: TextGenerator, requests: Sequence[Request]) -> list[str]:
    return [text for request in requests for text in model.complete([request])]


def mixed(seed: int = 0) -> list[Request]:
    """Some greedy, some drawn, of different lengths."""
    heat, most = (0.0, 1.0, 1.0), (6, 7)
    return [
        asked(prompt, temperature=heat[i % 3], seed=seed + i, max_tokens=most[i % 2])
        for i, prompt in enumerate(PROMPTS)
    ]


@KINDS
def test_an_answer_does_not_depend_on_its_batch(tmp_path: Path, make: Callable[[], PreTrainedModel]) -> None:
    name = saved(tmp_path, make)
    together = generator(name).complete(mixed())
    assert together == one_by_one(generator(name), mixed()) == generator(name, batch=5).complete(mixed())
    assert len(set(together)) > 6


@KINDS
def test_the_likeliest_answer_is_that_of_transformers_alone(
    tmp_path: Path, make: Callable[[], PreTrainedModel]
) -> None:
    model = load(saved(tmp_path, make), "float32", "cpu")
    ids = torch.tensor([model.tokenizer.encode(PROMPTS[0], add_special_tokens=True)])
    lm: Any = model.lm
    settings = {
        "do_sample": False,
        "eos_token_id": 1,
        "suppress_tokens": list(range(SIZE, lm.config.vocab_size)) or None,
    }
    out = lm.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, **settings)[0]
    new = out[1:] if model.reads_apart else out[ids.shape[1] :]
    expected = model.tokenizer.decode(new, skip_special_tokens=True)
    assert generator(str(tmp_path)).complete([asked(PROMPTS[0])]) == [expected]
    assert expected


def test_the_same_seed_draws_the_same_answer_and_another_seed_another(tmp_path: Path) -> None:
    model = generator(saved(tmp_path, gpt2))
    drawn = [model.complete([asked("Is it", temperature=1.0, seed=seed)])[0] for seed in (3, 4, 3)]
    assert drawn[0] == drawn[2] != drawn[1]
    assert model.complete([asked("Is it", seed=3)]) == model.complete([asked("Is it", seed=4)])


def test_answers_are_drawn_as_often_as_the_model_says(tmp_path: Path) -> None:
    name = saved(tmp_path, gpt2)
    model = load(name, "float32", "cpu")
    ids = torch.tensor([model.tokenizer.encode("Is it")])
    for temperature in (0.5, 1.0):
        probs = (model.lm(ids).logits[0, -1].double() / temperature).softmax(-1)
        tries = [asked("Is it", temperature=temperature, seed=seed, max_tokens=1) for seed in range(2000)]
        said = generator(name, batch=500).complete(tries)
        likeliest = int(probs[2:].argmax()) + 2
        share = said.count(model.tokenizer.decode([likeliest])) / len(said)
        assert share == pytest.approx(float(probs[likeliest]), abs=0.04)


def flat(module: torch.nn.Module, args: Any, out: Any) -> None:
    out.logits.zero_()


def test_each_token_is_drawn_anew(tmp_path: Path) -> None:
    name = saved(tmp_path, gpt2)
    load(name, "float32", "cpu").lm.register_forward_hook(flat)
    (text,) = generator(name).complete([asked("x", temperature=1.0, max_tokens=40)])
    assert len(set(text)) > 10


def test_nothing_global_is_drawn_from(tmp_path: Path) -> None:
    name = saved(tmp_path, gpt2)
    before = torch.get_rng_state()
    generator(name).complete(mixed())
    assert torch.equal(before, torch.get_rng_state())


def script(lm: torch.nn.Module, ids: Sequence[int]) -> list[int]:
    """Make a model say these tokens and then the letter x for ever; the list grows by one a forward pass."""
    said: list[int] = []

    def speak(module: torch.nn.Module, args: Any, out: Any) -> Any:
        said.append(ids[len(said)] if len(said) < len(ids) else letters().encode("x")[0])
        out.logits[:, -1] = torch.nn.functional.one_hot(torch.tensor(said[-1]), SIZE) * 9.0
        return out

    lm.register_forward_hook(speak)
    return said


def said_by(path: Path, ids: Sequence[int], make: Callable[[], PreTrainedModel] = gpt2, **changes: Any) -> str:
    """What is read of a model that says these tokens."""
    name = saved(path, make, changes.pop("chat_template", None))
    script(load(name, "float32", "cpu").lm, ids)
    return generator(name).complete([asked(PROMPTS[0], **changes)])[0]


def coded(text: str) -> list[int]:
    return letters().encode(text)


@pytest.mark.parametrize("make", [gpt2, t5])
def test_an_answer_ends_at_a_newline_at_the_end_token_or_at_its_limit(
    tmp_path: Path, make: Callable[[], PreTrainedModel]
) -> None:
    assert said_by(tmp_path / "a", coded("Yes.\nNo."), make, stop=("\n",)) == "Yes."
    assert said_by(tmp_path / "b", [*coded("Yes."), 1, *coded("No.")], make, stop=("\n",)) == "Yes."
    assert said_by(tmp_path / "c", coded("Yes."), make, max_tokens=6) == "Yes.xx"
    assert said_by(tmp_path / "d", coded("Yes. END no"), make, stop=("END",)) == "Yes. "
    assert said_by(tmp_path / "e", coded("\nYes."), make, stop=("\n",)) == ""


def test_a_chat_model_may_begin_with_blank_lines(tmp_path: Path) -> None:
    assert said_by(tmp_path, coded("\n\nYes.\nNo."), stop=("\n",), chat_template=CHAT) == "Yes."


def test_generation_stops_when_all_have_ended(tmp_path: Path) -> None:
    name = saved(tmp_path, gpt2)
    said = script(load(name, "float32", "cpu").lm, coded("No.\nYes."))
    generator(name).complete([asked("a", stop=("\n",), max_tokens=50), asked("bb", stop=("Y",), max_tokens=50)])
    assert len(said) == len("No.\nY")


def prompts_of(model: TextGenerator, requests: Sequence[Request]) -> list[str]:
    """What the model reads."""
    loaded = load(model._name, "float32", "cpu")
    return [loaded.tokenizer.decode(model._ids(loaded, r, model._chats(loaded))) for r in requests]


def test_a_prompt_is_a_users_message_where_there_is_a_chat_template(tmp_path: Path) -> None:
    name = saved(tmp_path, gpt2, CHAT)
    assert prompts_of(generator(name), [asked("Hi")]) == ["<user>Hi</s><assistant>"]
    assert prompts_of(generator(name, chat="never"), [asked("Hi")]) == ["Hi"]
    plain = saved(tmp_path / "plain", gpt2)
    assert prompts_of(generator(plain), [asked("Hi")]) == ["Hi"]
    with pytest.raises(ValueError, match=r"chat = always: .* has no chat template"):
        generator(plain, chat="always").complete([asked("Hi")])


def test_a_template_that_knows_no_system_has_its_words_from_the_user(tmp_path: Path) -> None:
    name = saved(tmp_path, gpt2, STRICT)
    talk = Request(messages=(Message("system", "Guess."), Message("user", "Start")), max_tokens=4)
    assert prompts_of(generator(name), [talk]) == ["<user>Guess.\n\nStart</s><assistant>"]
    alone = Request(messages=(Message("system", "Guess."),), max_tokens=4)
    with pytest.raises(ValueError, match=r"name = .*: its chat template refuses the conversation \(no system role\)"):
        generator(name).complete([alone])


def test_nobody_may_say_a_special_token(tmp_path: Path) -> None:
    name = saved(tmp_path, gpt2, CHAT)
    said = "cat</s><assistant>Yes</<pad>s>"
    assert prompts_of(generator(name), [asked(said)]) == ["<user>cat <assistant>Yes</ s></s><assistant>"]
    assert generator(name).complete([asked("lone \ud800 and \x00")])


def test_of_a_long_prompt_the_end_is_read_and_room_is_left_to_answer(tmp_path: Path) -> None:
    name = saved(tmp_path, lambda: gpt2(positions=48))
    long = "".join(chr(97 + i % 26) for i in range(100))
    assert prompts_of(generator(name), [asked(long, max_tokens=8)]) == [long[-40:]]
    assert prompts_of(generator(name), [asked(long, max_tokens=128)]) == [long[-24:]]
    requests = [asked(long, max_tokens=128), asked("", max_tokens=128), asked("a" * 30, max_tokens=128)]
    texts = generator(name).complete(requests)
    assert texts == one_by_one(generator(name), requests)
    assert max(map(len, texts)) <= 24


def test_settings_that_a_model_comes_with_do_not_count(tmp_path: Path) -> None:
    plain = generator(saved(tmp_path / "plain", gpt2)).complete(mixed())
    name = saved(tmp_path / "set", gpt2)
    said = next(c for c in "".join(plain) if c.isascii() and c.isalpha())
    settings = {"do_sample": True, "temperature": 0.3, "top_k": 2, "repetition_penalty": 5.0, "num_beams": 3}
    ends = {"eos_token_id": [1, *letters().encode(said)]}
    (Path(name) / "generation_config.json").write_text(json.dumps(settings | ends))
    assert generator(name).complete(mixed()) == [text.split(said)[0] for text in plain]


def test_a_prompt_begins_as_the_tokenizer_has_it_and_once(tmp_path: Path) -> None:
    name = saved(tmp_path, gpt2, "</s>" + CHAT)
    tokenizer = letters()
    begin = processors.TemplateProcessing(single="</s> $A", special_tokens=[("</s>", 1)])
    tokenizer.backend_tokenizer.post_processor = begin
    tokenizer.chat_template = "</s>" + CHAT
    tokenizer.save_pretrained(name)
    assert prompts_of(generator(name), [asked("Hi")]) == ["</s><user>Hi</s><assistant>"]
    assert prompts_of(generator(name, chat="never"), [asked("Hi")]) == ["</s>Hi"]


def test_a_model_that_cannot_be_had_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    name = saved(tmp_path / "broken", gpt2)
    (Path(name) / "model.safetensors").write_bytes(b"nonsense")
    for folder in ("empty", "broken"):
        with pytest.raises(ValueError, match=r"name = .*: this folder holds no model \(.+\)$") as raised:
            generator(str(tmp_path / folder)).complete([asked("x")])
        assert "\n" not in str(raised.value)


def test_a_name_that_the_hub_does_not_give_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lmrl.speakers.speaking.local_only", lambda name: True)
    for ask in (lambda m: m.complete([asked("x")]), lambda m: m.identity()):
        with pytest.raises(
            ValueError, match=r"^name = nobody/nothing: no such folder, and not to be had .*\)$"
        ) as error:
            ask(generator("nobody/nothing"))
        assert "\n" not in str(error.value)


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="device = gpu: "):
        generator("any", device="gpu")


def test_a_folder_is_known_by_its_name_and_what_lies_in_it(tmp_path: Path) -> None:
    name = saved(tmp_path / "oracle", gpt2)
    before = identity(name)
    assert before == identity(name + "/")
    assert before.startswith("oracle ")
    assert str(tmp_path) not in before
    (Path(name) / "README.md").write_text("nothing")
    assert identity(name) == before
    (Path(name) / "more.bin").write_bytes(bytes(1 << 20))
    assert len({before, small := identity(name)}) == 2
    (Path(name) / "more.bin").write_bytes(bytes(1 + (1 << 20)))
    assert identity(name) != small
    (Path(name) / "more.bin").unlink()
    weights = Path(name) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    assert identity(name) != before
    assert generator(name, chat="never", dtype="bfloat16").identity().endswith(" chat=never bfloat16")


def test_equal_models_are_loaded_once(tmp_path: Path) -> None:
    name = saved(tmp_path, gpt2)
    assert load(name, "float32", "cpu") is load(name, "float32", "cpu")


def test_weights_may_be_in_half_precision(tmp_path: Path) -> None:
    name = saved(tmp_path, gpt2)
    assert load(name, "bfloat16", "cpu").lm.dtype == torch.bfloat16
    assert len(generator(name, dtype="bfloat16").complete(mixed())) == len(mixed())


def test_nothing_asked_is_nothing_answered() -> None:
    assert generator("never looked at").complete([]) == []


def test_a_tokenizer_of_words_speaks_too(tmp_path: Path) -> None:
    words = Tokenizer(WordLevel({"<unk>": 0, "yes": 1, "no": 2}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    GPT2LMHeadModel(GPT2Config(vocab_size=3, n_embd=8, n_layer=1, n_head=1, n_positions=32)).save_pretrained(tmp_path)
    PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>").save_pretrained(tmp_path)
    texts = generator(str(tmp_path)).complete([asked("yes no"), asked("what")])
    assert {word for text in texts for word in text.split()} <= {"yes", "no"}
