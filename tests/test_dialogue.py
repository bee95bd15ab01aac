"""Environments that ask somebody else, with one that repeats what it is told until it has been told it often enough."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmrl.dialogue import Ask, Dialogue, Reply, Scripted, Talk, answered, facts, heard
from lmrl.rollout import Situation, converse, rollout
from lmrl.task import Start, Step
from lmrl.trajectory import Turn


class Recorder(Scripted):
    """The rules, with a note of how many were asked at once."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def reply(self, asks: Sequence[Ask]) -> list[Reply]:
        self.batches.append([ask.prompt for ask in asks])
        return super().reply(asks)


class Echo(Dialogue):
    """Asks as often as its seed says, and is over after two actions."""

    def __init__(self, *, simulator: Scripted) -> None:
        self.simulator, self._seed, self._left = simulator, 0, 0

    def reset(self, seed: int, options: Mapping[str, Any] | None = None) -> str:
        self._seed, self._left = seed, 2
        return "Start\n"

    def talk(self, action: str) -> Talk:
        if not self._left:
            raise RuntimeError("call reset first")
        self._left -= 1
        told = ""
        for number in range(self._seed):
            reply = yield Ask(prompt=f"{action}{number}", scripted=partial(_rules, action, number), seed=self._seed)
            told += reply.text
        done = not self._left
        return Step(told + "\n", done=done, info={"understood": "?" in action} | ({"success": True} if done else {}))


def _rules(action: str, number: int) -> Reply:
    return Reply(f"<{action}{number}>", {"understood": "?" in action})


class Deaf:
    """An environment that asks nobody."""

    def reset(self, seed: int, options: Mapping[str, Any] | None = None) -> str:
        return "Start\n"

    def step(self, action: str) -> Step:
        return Step(action.upper())

    def legal_actions(self) -> Sequence[str]:
        return ()


def begun(seed: int, simulator: Scripted) -> Echo:
    env = Echo(simulator=simulator)
    env.reset(seed)
    return env


def test_all_that_ask_are_answered_together_until_each_has_its_step():
    recorder = Recorder()
    envs = [begun(seed, recorder) for seed in (2, 0, 3)]
    steps = answered(envs, ["a", "b", "c"])
    assert recorder.batches == [["a0", "c0"], ["a1", "c1"], ["c2"]]
    assert [step.observation for step in steps] == ["<a0><a1>\n", "\n", "<c0><c1><c2>\n"]


def test_those_that_ask_nobody_may_stand_among_them():
    steps = answered([Deaf(), begun(1, Recorder()), Deaf()], ["x", "y", "z"])
    assert [step.observation for step in steps] == ["X", "<y0>\n", "Z"]


def test_nobody_is_asked_for_nothing():
    recorder = Recorder()
    assert answered([begun(0, recorder)], ["a"])[0].observation == "\n"
    assert answered([], []) == []
    assert recorder.batches == []


def test_alone_it_steps_as_among_others():
    env, other = begun(2, Recorder()), begun(2, Recorder())
    assert env.step("a") == answered([other, begun(3, Recorder())], ["a", "b"])[0]


def test_what_an_environment_raises_reaches_who_stepped_it():
    env = begun(1, Recorder())
    env.step("a")
    env.step("b")
    with pytest.raises(RuntimeError, match="reset"):
        env.step("c")


def test_a_rollout_asks_once_a_turn_for_all_and_counts_what_was_not_understood():
    recorder = Recorder()

    class Player:
        def act(self, situations: Sequence[Situation]) -> list[Turn]:
            return [Turn("why?" if len(s.history) == 1 else "hm", True) for s in situations]

    played = rollout(partial(Echo, simulator=recorder), Player(), [Start(1), Start(1)], max_turns=5)
    assert [len(batch) for batch in recorder.batches] == [2, 2]
    assert [(t.info["not_understood"], t.info["success"], "understood" in t.info) for t in played] == [
        (1, True, False)
    ] * 2


def test_a_scripted_player_hears_the_last_text_alone():
    class Parrot:
        def say(self, told: str) -> str:
            return f"{told.strip()}!"

    game = converse(partial(Echo, simulator=Scripted()), Parrot(), Start(1), max_turns=5)
    assert [turn.text for turn in game.turns] == ["Start\n", "Start!", "<Start!0>\n", "<Start!0>!", "<<Start!0>!0>\n"]


def test_a_run_records_who_speaks_and_by_which_rules():
    assert facts(simulator=Scripted(), version=3) == {"simulator": "scripted 3"}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Is it a cat?\n", "Is it a cat?"),
        ("a\r\nb\x00c\u2028d\ud800e", "a b c de"),
        ("x" * 100_000, "x" * 50),
        (" " * 100_000 + "late", ""),
        ("", ""),
    ],
)
def test_what_is_heard_is_one_short_line_of_text(said: str, expected: str):
    assert heard(said, 50) == expected


@given(st.text(alphabet=st.characters(), max_size=300))
def test_whatever_is_said_is_heard_as_text(said: str):
    line = heard(said, 80)
    assert len(line) <= 80
    assert line == " ".join(line.split())
    assert line.encode("utf-8").decode() == line
    assert heard(line, 80) == line
