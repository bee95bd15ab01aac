"""A model that was never trained here plays from a description: what it is told, and what becomes of its answers."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmrl.config import conf_dir
from lmrl.prompting import PROMPTS, PromptedPolicy, Prompting, examples, first_line
from lmrl.rollout import Situation
from lmrl.speakers.completion import Request
from lmrl.task import Task
from lmrl.train import train
from lmrl.trajectory import Trajectory, Turn, read_lines
from tests.speakers.test_generation import gpt2, saved
from tests.whole import config

TASKS = sorted(path.stem for path in (conf_dir() / "task").glob("*.yaml"))
ZERO = Prompting(shots=0, instructions=None, temperature=0.5, max_tokens=9)


class Clerk:
    """Says the same to all, and keeps what it was asked."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.asked: list[Request] = []

    def complete(self, requests: Sequence[Request]) -> list[str]:
        self.asked += requests
        return [self.answer] * len(requests)


def situation(*texts: str, seed: int = 5) -> Situation:
    return Situation(tuple(Turn(text, i % 2 == 1) for i, text in enumerate(texts)), seed, lambda: ())


def episode(*, success: bool, name: str) -> Trajectory:
    return Trajectory((Turn(f"{name}\n", False), Turn("a\n", True), Turn("b\n", False)), True, {"success": success})


def test_the_game_is_a_conversation_below_the_instructions():
    clerk = Clerk("go left\n")
    policy = PromptedPolicy(clerk, ZERO, instructions="Rules.", context=None)
    assert policy.act([situation("Start\n", "go up\n", "A wall.\n")]) == [Turn("go left\n", True)]
    (asked,) = clerk.asked
    told = [(m.role, m.content) for m in asked.messages]
    assert told == [("system", "Rules."), ("user", "Start\n"), ("assistant", "go up\n"), ("user", "A wall.\n")]
    assert (asked.max_tokens, asked.temperature) == (9, 0.5)


def test_of_a_markov_task_the_last_text_alone_is_told():
    clerk = Clerk("x")
    PromptedPolicy(clerk, ZERO, instructions="Rules.", context=1).act([situation("one\n", "a\n", "two\n")])
    assert [m.content for m in clerk.asked[0].messages] == ["Rules.", "two\n"]


def test_each_turn_of_each_episode_draws_its_own_answer():
    clerk = Clerk("x")
    policy = PromptedPolicy(clerk, ZERO, instructions="", context=None)
    policy.act([situation("one\n", seed=1), situation("one\n", seed=2), situation("one\n", "a\n", "b\n", seed=1)])
    assert len({request.seed for request in clerk.asked}) == 3


@pytest.mark.parametrize(
    ("reply", "action"), [("\n\n  move up \nSure!", "move up\n"), ("", "\n"), ("a\r\nb", "a\n"), (" \t ", "\n")]
)
def test_the_first_line_that_says_something_is_the_action(reply: str, action: str):
    assert first_line(reply) == action


@given(st.text())
def test_every_reply_makes_one_line(reply: str):
    assert first_line(reply).endswith("\n")
    assert len(first_line(reply).splitlines()) == 1


def test_examples_are_won_games_drawn_by_the_seed():
    games = [episode(success=i % 2 == 0, name=str(i)) for i in range(40)]
    drawn = examples(games, 3, 7)
    assert drawn == examples(games, 3, 7)
    assert drawn != examples(games, 3, 8)
    assert len({game.turns for game in drawn}) == 3
    assert all(game.info["success"] for game in drawn)


def test_too_few_won_games_are_said_to_be():
    with pytest.raises(ValueError, match=r"algo\.shots = 2: .* 1 episodes"):
        examples([episode(success=True, name="a"), episode(success=False, name="b")], 2, 0)


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_its_instructions(task: str):
    text = (PROMPTS / f"{task}.txt").read_text(encoding="utf-8")
    assert "on one line" in text or "exactly one of these" in text
    assert text.endswith(".\n")


def prompted(folder: Path, *overrides: str) -> dict[str, float]:
    model = saved(folder / "model", lambda: gpt2(1024))
    cfg = config(
        folder,
        *("task=wordle", "algo=prompting", f"model.name={model}", "model.device=cpu", "algo.max_tokens=4"),
        *overrides,
        width=None,
    )
    (folder / "run").mkdir()
    return train(cfg, folder / "run")


def test_a_prompted_model_is_scored_and_logged_like_any_player(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    metrics = prompted(tmp_path, "evaluation.transcripts=3")
    assert metrics["final/episodes"] == 10
    assert metrics["final/return_mean"] == -6  # who babbles never finds the word
    assert metrics["final/invalid"] == 1
    assert len(list(read_lines(tmp_path / "run" / "transcripts" / "final.jsonl"))) == 3
    assert "prompting" in capfd.readouterr().out


def test_the_prompt_shows_won_games_of_the_data(tmp_path: Path):
    prompted(tmp_path, "algo.shots=2")
    text = (tmp_path / "run" / "prompt.txt").read_text(encoding="utf-8")
    assert text.count("An example:\nWordle:\n") == 2
    assert text.count("g g g g g\n") == 2


def test_a_model_that_is_trained_here_is_not_prompted_and_one_that_speaks_is_not_trained(tmp_path: Path):
    with pytest.raises(ValueError, match="model=lm"):
        train(config(tmp_path, "task=wordle", "algo=prompting", "model=tiny"), tmp_path / "a")
    with pytest.raises(ValueError, match="algo=prompting"):
        train(config(tmp_path, "task=wordle", "algo=bc", "model=openai", width=None), tmp_path / "b")


def test_missing_instructions_name_the_key(tmp_path: Path):
    with pytest.raises(ValueError, match=r"algo\.instructions = nowhere\.txt"):
        Prompting(shots=0, instructions="nowhere.txt", temperature=0, max_tokens=1).instruct(_wordle(tmp_path), 0)


def _wordle(folder: Path) -> Task:
    from hydra.utils import instantiate

    task: Task = instantiate(config(folder, "task=wordle", "algo=bc").task, _convert_="all")
    return task
