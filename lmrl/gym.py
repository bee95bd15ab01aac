r"""The tasks as Gymnasium environments, for whoever trains with another library.

    >>> import gymnasium, lmrl
    >>> env = gymnasium.make("lmrl/Maze-v0")
    >>> text, info = env.reset(seed=0, options={"start": [7, 6]})
    >>> env.step("move down\n")[:4]
    ('Success\n', 0.0, True, False)

A thin adapter at the edge; inside, everything speaks `lmrl.task.TextEnv`. An observation is the new text alone.
"""

import string
from typing import Any, Literal

import gymnasium
from gymnasium.spaces import Text

from lmrl.task import Step, TextEnv
from lmrl.tasks.maze import Maze
from lmrl.tasks.text_nav import TextNav
from lmrl.tasks.wordle import Wordle

MAX_CHARACTERS = 2048
"""Longer than anything these tasks say, and than any action worth saying."""


class TextGym(gymnasium.Env[str, str]):
    """A `TextEnv` behind Gymnasium's interface.

    `info` has `success`, `invalid_action`, `turn` (actions so far) and, where they can be listed, `legal_actions`;
    what the task adds on its last step, such as Wordle's hidden `word`, stands beside them.
    """

    def __init__(self, env: TextEnv) -> None:
        self._env, self._turn = env, 0
        self.observation_space = Text(MAX_CHARACTERS, charset=string.printable)
        self.action_space = Text(MAX_CHARACTERS, min_length=0, charset=string.printable)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begin an episode: the seed's, or without one the next that this environment's own generator draws.

        Raises ValueError on a bad option; the episode that was running goes on then.
        """
        super().reset(seed=seed)
        episode = int(self.np_random.integers(2**31)) if seed is None else seed
        observation = self._env.reset(episode, options)
        self._turn = 0
        return observation, self._info(Step(observation))

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Say one utterance. Raises RuntimeError before `reset` and after the end, ValueError for what is no text."""
        if not isinstance(action, str):
            raise ValueError(f"action = {action!r}: an action is a text")
        step = self._env.step(action)
        self._turn += 1
        return step.observation, step.reward, step.done and not step.truncated, step.truncated, self._info(step)

    def _info(self, step: Step) -> dict[str, Any]:
        info = {"success": False, "invalid_action": False, "turn": self._turn, **step.info}
        legal = self._env.legal_actions()
        return info | {"legal_actions": legal} if legal else info


def maze(*, observed: Literal["fully", "partially"]) -> TextGym:
    """`lmrl/Maze-v0` and `lmrl/MazePO-v0`."""
    return TextGym(Maze(observed=observed))


def text_nav(
    *,
    observed: Literal["fully", "partially"],
    objective: Literal["ours", "reference"],
    engine: Literal["own", "textworld"],
    horizon: int,
    cache: str,
) -> TextGym:
    """`lmrl/TextNav-v0` and `lmrl/TextNavPO-v0`."""
    return TextGym(TextNav(observed=observed, objective=objective, engine=engine, horizon=horizon, cache=cache))


def wordle(*, words: str | None, rules: Literal["lmrl", "official"], bad_word_reward: float) -> TextGym:
    """`lmrl/Wordle-v0`."""
    return TextGym(Wordle(words=words, rules=rules, bad_word_reward=bad_word_reward))


def register() -> None:
    """Make the tasks known to `gymnasium.make`; its keyword arguments overrule the ones here."""
    gymnasium.register("lmrl/Maze-v0", entry_point="lmrl.gym:maze", kwargs={"observed": "fully"})
    gymnasium.register("lmrl/MazePO-v0", entry_point="lmrl.gym:maze", kwargs={"observed": "partially"})
    house = {"objective": "ours", "engine": "own", "horizon": 15, "cache": "outputs/cache"}
    gymnasium.register("lmrl/TextNav-v0", entry_point="lmrl.gym:text_nav", kwargs={"observed": "fully", **house})
    gymnasium.register("lmrl/TextNavPO-v0", entry_point="lmrl.gym:text_nav", kwargs={"observed": "partially", **house})
    defaults = {"words": None, "rules": "lmrl", "bad_word_reward": -1.0}
    gymnasium.register("lmrl/Wordle-v0", entry_point="lmrl.gym:wordle", kwargs=defaults)
