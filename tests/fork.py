"""Fork: two turns, in which the way that ended worse in the data is the better one for whoever then plays well.

                         left      right     how the data's players answer it     worth in the data, and at its best
    fork                 to high   to low    either, half of the time
    high                 0         -4        left one time in four                -3, 0
    low                  -2        -3        either, half of the time             -2.5, -2

Who copies the data gets -2.75. Who trusts its returns goes low, since -2.5 is more than -3, and plays well there: -2.
Who asks what each turn could lead to goes high: 0.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lmrl.task import Step
from lmrl.trajectory import Trajectory, Turn

ACTIONS = ("left\n", "right\n")
PAID = {"high\n": {"left\n": 0.0, "right\n": -4.0}, "low\n": {"left\n": -2.0, "right\n": -3.0}}
LEFT = {"fork\n": 0.5, "high\n": 0.25, "low\n": 0.5}
"""How often the data's players go left."""
COPIED, TRUSTED, BEST = -2.75, -2.0, 0.0
INVALID = -5.0

CONF = """
_target_: lmrl.task.Task
name: fork
version: 1
env: {_target_: tests.fork.Fork, _partial_: true}
data:
  _target_: lmrl.datasets.Source
  make: {_target_: tests.fork.demonstrations, _partial_: true}
  read: {_target_: lmrl.trajectory.read_lines, _partial_: true}
  episodes: 1000
  seed: 0
  path: null
  cache: ${cache}
  workers: 1
  chunk: 1000
  version: 1
max_turns: 2
context: 1
max_new_tokens: 4
phrases: {_target_: tests.fork.phrases, _partial_: true}
score: {_target_: lmrl.scoring.Score, floor: -5, mean: -2.75, best: 0}
starts: null
"""


class Fork:
    """Left or right, twice; anything else ends the game."""

    def reset(self, seed: int, options: Mapping[str, Any] | None = None) -> str:
        self._state = "fork\n"
        return self._state

    def step(self, action: str) -> Step:
        if action not in ACTIONS:
            return Step("end\n", INVALID, done=True, info={"success": False, "invalid_action": True})
        if self._state == "fork\n":
            self._state = "high\n" if action == "left\n" else "low\n"
            return Step(self._state)
        return Step("end\n", PAID[self._state][action], done=True, info={"success": action == "left\n"})

    def legal_actions(self) -> Sequence[str]:
        return ACTIONS


def demonstrations(episodes: int, seed: int) -> Iterator[Trajectory]:
    """Players that choose by `LEFT`."""
    rng, env = random.Random(seed), Fork()
    for _ in range(episodes):
        turns, step = [Turn(env.reset(0), False)], Step("")
        while not step.done:
            action = ACTIONS[rng.random() >= LEFT[turns[-1].text]]
            step = env.step(action)
            turns += [Turn(action, True, step.reward), Turn(step.observation, False)]
        yield Trajectory(tuple(turns), True, {"success": step.info["success"], "invalid_actions": 0})


def phrases() -> tuple[str, ...]:
    return (*ACTIONS, *LEFT, "end\n")
