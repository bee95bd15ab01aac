"""Echo: say the letter that you are told, three times. The smallest task with turns, for tests of learning."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lmrl.task import Step
from lmrl.trajectory import Trajectory, Turn

LETTERS = ("a\n", "b\n", "c\n", "d\n")
TURNS = 3
RANDOM = -TURNS * (1 - 1 / len(LETTERS))
"""Mean return of a player that says any of the four letters: -2.25."""

CONF = """
_target_: lmrl.task.Task
name: echo
version: 1
env: {_target_: tests.echo.Echo, _partial_: true}
data:
  _target_: lmrl.datasets.Source
  make: {_target_: tests.echo.demonstrations, _partial_: true, skill: 0.0}
  read: {_target_: lmrl.trajectory.read_lines, _partial_: true}
  episodes: 1600
  seed: 0
  path: null
  cache: ${cache}
  workers: 1
  chunk: 1000
  version: 1
max_turns: 3
context: null
max_new_tokens: 4
phrases: {_target_: tests.echo.phrases, _partial_: true}
score: {_target_: lmrl.scoring.Score, floor: -3, mean: -2.25, best: 0}
starts: null
"""


class Echo:
    """The right letter pays 0, anything else -1."""

    def reset(self, seed: int, options: Mapping[str, Any] | None = None) -> str:
        self._rng, self._turn = random.Random(seed), 0
        return self._ask()

    def _ask(self) -> str:
        self._letter = self._rng.choice(LETTERS)
        return f"say {self._letter}"

    def step(self, action: str) -> Step:
        reward = 0.0 if action == self._letter else -1.0
        self._turn += 1
        if self._turn < TURNS:
            return Step(self._ask(), reward)
        return Step("thanks\n", reward, done=True, info={"success": True})

    def legal_actions(self) -> Sequence[str]:
        return LETTERS


def demonstrations(episodes: int, seed: int, *, skill: float) -> Iterator[Trajectory]:
    """Players that know the answer with probability `skill` a turn and otherwise say any letter."""
    rng, env = random.Random(seed), Echo()
    for _ in range(episodes):
        turns = [Turn(env.reset(rng.getrandbits(32)), False)]
        for _ in range(TURNS):
            known = turns[-1].text.removeprefix("say ")
            action = known if rng.random() < skill else rng.choice(LETTERS)
            step = env.step(action)
            turns += [Turn(action, True, step.reward), Turn(step.observation, False)]
        yield Trajectory(tuple(turns), True, {"success": True, "invalid_actions": 0})


def phrases() -> tuple[str, ...]:
    return (*LETTERS, *(f"say {letter}" for letter in LETTERS), "thanks\n")
