r"""The tasks as Gymnasium environments, for whoever trains with another library.

    >>> import gymnasium, lmrl
    >>> env = gymnasium.make("lmrl/Maze-v0")
    >>> text, info = env.reset(seed=0, options={"start": [7, 6]})
    >>> env.step("move down\n")[:4]
    ('Success\n', 0.0, True, False)

A thin adapter at the edge; inside, everything speaks `lmrl.task.TextEnv`. An observation is the new text alone.
"""

import string
from pkgutil import resolve_name
from typing import Any

import gymnasium
from gymnasium.spaces import Text

from lmrl.dialogue import Scripted
from lmrl.task import Step, TextEnv

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


HOUSE = {"objective": "ours", "engine": "own", "horizon": 15, "cache": "outputs/cache"}
WORDS = {"words": None, "rules": "lmrl", "bad_word_reward": -1.0}
GAME = {"opponent": "stockfish_nodes", "max_moves": 400}
TALK = {"simulator": Scripted()}
SALE = {"mode": "revenue", "reject": "capped", "horizon": 25}
ENVS: dict[str, tuple[str, dict[str, Any]]] = {
    "lmrl/Maze-v0": ("lmrl.tasks.maze:Maze", {"observed": "fully"}),
    "lmrl/MazePO-v0": ("lmrl.tasks.maze:Maze", {"observed": "partially"}),
    "lmrl/TextNav-v0": ("lmrl.tasks.text_nav:TextNav", {"observed": "fully", **HOUSE}),
    "lmrl/TextNavPO-v0": ("lmrl.tasks.text_nav:TextNav", {"observed": "partially", **HOUSE}),
    "lmrl/Wordle-v0": ("lmrl.tasks.wordle:Wordle", WORDS),
    "lmrl/Chess-v0": ("lmrl.tasks.chess:Chess", {"pieces": None, **GAME}),
    "lmrl/Endgames-v0": ("lmrl.tasks.chess:Chess", {"pieces": ("kQK", "kRK", "kQRK", "kRRK"), **GAME}),
    "lmrl/TwentyQuestions-v0": ("lmrl.tasks.twenty_questions:TwentyQuestions", TALK),
    "lmrl/GuessCity-v0": ("lmrl.tasks.guess_city:GuessCity", TALK),
    "lmrl/CarDealer-v0": ("lmrl.tasks.car_dealer:CarDealer", {**TALK, **SALE}),
}
"""What is registered: the environment's class, and its settings as `conf/task` has them."""


def make(*, env: str, **settings: Any) -> TextGym:
    """The environment of that class, behind Gymnasium's interface."""
    return TextGym(resolve_name(env)(**settings))


def register() -> None:
    """Make the tasks known to `gymnasium.make`; its keyword arguments overrule the settings here."""
    for name, (env, settings) in ENVS.items():
        gymnasium.register(name, entry_point="lmrl.gym:make", kwargs={"env": env, **settings})
