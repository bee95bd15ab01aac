"""Another speaker held against a task's own rules."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from lmrl.config import conf_dir
from lmrl.dialogue import Ask, Reply
from lmrl.fidelity import Pair, agreement, by_kind, compare, f1, fidelity, page_of, questions
from lmrl.rollout import rollout
from lmrl.task import Start
from lmrl.trajectory import Turn
from tests.speakers.test_generation import gpt2, saved
from tests.test_dialogue import Echo, Recorder


def ask(prompt: str, answer: str, kind: str = "k") -> Ask:
    return Ask(prompt=prompt, scripted=lambda: Reply(answer, {"kind": kind}), seed=0, read=lambda text: text[:3])


def pair(scripted: str, other: str, kind: str = "k") -> Pair:
    return Pair("question", kind, scripted, other)


class Asker:
    def act(self, situations: Sequence[object]) -> list[Turn]:
        return [Turn("why?", True)] * len(situations)


def test_what_was_asked_in_episodes_is_asked_again_once_each():
    make = partial(Echo, simulator=Recorder())
    played = rollout(make, Asker(), [Start(2), Start(1), Start(2)], max_turns=5)
    assert [found.prompt for found in questions(make(), played)] == ["why?0", "why?1"]


def test_answers_are_compared_as_the_environment_reads_them():
    asks = [ask("a", "Yes."), ask("b", "No.", "size")]
    assert compare(asks, [Reply("Yes, sure"), Reply("Yes")]) == [
        Pair("a", "k", "Yes", "Yes"),
        Pair("b", "size", "No.", "Yes"),
    ]


def test_agreement_has_wilsons_interval():
    figures = agreement([pair("Yes.", "Yes.")] * 8 + [pair("Yes.", "No.")] * 2)
    assert figures["agreement"] == 0.8
    assert figures["agreement_low"] == pytest.approx(0.490, abs=1e-3)
    assert figures["agreement_high"] == pytest.approx(0.943, abs=1e-3)
    assert (figures["f1"], figures["questions"]) == (0.8, 10)


def test_an_agreement_in_everything_has_an_interval_too():
    assert agreement([pair("a", "a")] * 10)["agreement_low"] == pytest.approx(0.722, abs=1e-3)


def test_who_always_says_no_agrees_by_chance_alone():
    always = agreement([pair("No.", "No.")] * 9 + [pair("Yes.", "No.")])
    assert (always["agreement"], always["kappa"]) == (0.9, 0)
    # both say Yes half the time: chance 0.5, agreement 0.75
    half = agreement([pair("Yes.", "Yes."), pair("No.", "No."), pair("No.", "No."), pair("Yes.", "No.")])
    assert half["kappa"] == pytest.approx((0.75 - 0.5) / 0.5)
    assert agreement([pair("No.", "No.")])["kappa"] == 0


def test_kinds_stand_by_frequency():
    rows = by_kind([pair("a", "a", "size"), pair("a", "b", "use"), pair("a", "a", "use")])
    assert list(rows) == ["use", "size"]
    assert rows["use"]["agreement"] == 0.5


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("a b", "A, b!", 1), ("a b", "c", 0), ("a b c d", "a b", 2 / 3), ("", "", 1), ("", "a", 0), ("a a", "a", 2 / 3)],
)
def test_f1_is_of_the_words_of_both(one: str, other: str, expected: float):
    assert f1(one, other) == pytest.approx(expected)


def test_the_page_escapes_what_was_said():
    page = page_of([pair("<script>alert(1)</script>", "<b>")], title="<i>")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "<i>" not in page


def run(folder: Path, *overrides: str) -> dict[str, float]:
    given = ["task=car_dealer", "task.data.episodes=20", "workers=1", f"cache={folder}/cache", "tracking=off"]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        cfg = compose("fidelity", overrides=[*given, "questions=15", *overrides])
    (folder / "run").mkdir()
    return fidelity(cfg, folder / "run")


def test_a_language_model_is_compared_and_a_page_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    model = saved(tmp_path / "model", lambda: gpt2(1024))
    figures = run(tmp_path, "simulator=lm", f"simulator.name={model}", "simulator.device=cpu")
    assert figures["fidelity/questions"] == 15
    assert 0 <= figures["fidelity/agreement_low"] <= figures["fidelity/agreement_high"] <= 1
    assert "lm model" in (tmp_path / "run" / "fidelity.html").read_text(encoding="utf-8")
    assert capsys.readouterr().out.startswith("all ")


def test_the_rules_are_not_compared_with_themselves(tmp_path: Path):
    with pytest.raises(ValueError, match="simulator=lm"):
        run(tmp_path)
