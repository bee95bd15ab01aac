"""What a model has read is not read again, and answers as if it were."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from transformers import MistralConfig, MistralForCausalLM, PreTrainedModel

from lmrl.speakers.completion import Message, Request
from lmrl.speakers.generation import TextGenerator
from lmrl.speakers.memory import Memory
from lmrl.speakers.speaking import load
from tests.speakers.test_generation import IDS, SIZE, bart, generator, gpt2, llama, saved

RULES = "Find out what I think of."


def windowed() -> PreTrainedModel:
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = MistralConfig(vocab_size=SIZE, num_key_value_heads=2, sliding_window=8, **IDS, **sizes)
    return MistralForCausalLM(config)


def game(model: TextGenerator, players: Sequence[int], turns: int = 4) -> list[list[str]]:
    """Games that grow by what is said and an answer to it, of which one after another ends."""
    talks = {player: [Message("user", RULES), Message("user", "x" * player)] for player in players}
    said: list[list[str]] = []
    for turn in range(turns):
        playing = [p for p in players if turn <= p]
        requests = [
            Request(messages=tuple(talks[p]), max_tokens=6, temperature=p % 2, seed=p + turn, stop=("\n",))
            for p in playing
        ]
        said.append(model.complete(requests))
        for player, text in zip(playing, said[-1], strict=True):
            talks[player] += [Message("assistant", text), Message("user", f"No, it is not {player}.")]
    return said


def reading(monkeypatch: pytest.MonkeyPatch, name: str) -> list[tuple[int, int]]:
    """Rows and tokens a row of each forward pass of the model, from now on."""
    lm: Any = load(name, "float32", "cpu").lm
    forward, seen = lm.base_model.forward, []

    def watched(*args: Any, **kwargs: Any) -> Any:
        seen.append(tuple((kwargs["input_ids"] if "input_ids" in kwargs else args[0]).shape))
        return forward(*args, **kwargs)

    monkeypatch.setattr(lm.base_model, "forward", watched)
    return seen


@pytest.mark.parametrize("make", [gpt2, llama, bart, windowed])
def test_what_is_remembered_changes_no_answer(tmp_path: Path, make: Callable[[], PreTrainedModel]) -> None:
    name = saved(tmp_path, make)
    fresh = game(generator(name), range(6))
    assert game(generator(name, remember=True), range(6)) == fresh
    assert game(generator(name, remember=True, batch=2), range(6)) == fresh
    assert len({text for turn in fresh for text in turn}) > 6


@pytest.mark.parametrize("make", [gpt2, llama])
def test_only_what_is_new_is_read(
    tmp_path: Path, make: Callable[[], PreTrainedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = saved(tmp_path, make)
    seen = reading(monkeypatch, name)
    game(generator(name, remember=True), range(2, 6), turns=3)
    first, *rest = [width for _, width in seen if width > 1]
    assert first >= len(RULES)
    assert max(rest) <= 3 * 6 + len("\nNo, it is not 5.\n")  # a byte that is no text comes back as a sign of three
    seen.clear()
    game(generator(name), range(2, 6), turns=3)
    assert max(width for _, width in seen) > 2 * len(RULES)


def test_instructions_that_all_share_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = saved(tmp_path, gpt2)
    seen = reading(monkeypatch, name)
    game(generator(name, remember=True), range(1, 6), turns=1)
    assert sum(rows * width for rows, width in seen[:2]) <= len(RULES) + 2 + 5 * 6


def test_a_failure_leaves_nothing_half_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = saved(tmp_path, gpt2)
    model = generator(name, remember=True)
    game(model, range(3))
    with monkeypatch.context() as patch:
        patch.setattr(load(name, "float32", "cpu").lm, "generate", lambda **kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            model.complete([Request(messages=(Message("user", RULES),), max_tokens=4)])
    assert game(model, range(3)) == game(generator(name), range(3))


def test_a_model_that_forgets_or_reads_apart_is_not_remembered(tmp_path: Path) -> None:
    possible = [
        Memory.possible(load(saved(tmp_path / make.__name__, make), "float32", "cpu"))
        for make in (gpt2, bart, windowed)
    ]
    assert possible == [True, False, False]
