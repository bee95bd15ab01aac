"""Environments, stepping alone: legal actions drawn beforehand, one episode after another, resets included.

Text-Nav lists what is legal anew at each step, so its actions are those of games that were played once before.
"""

import random
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import count, islice
from pathlib import Path

from hydra.utils import instantiate

from lmrl.task import Task, TextEnv
from tests.speed.measure import Effort, Figure, by_turns, rate
from tests.speed.setting import config


def figures(effort: Effort, folder: Path) -> list[Figure]:
    targets = {"maze": 400_000, "wordle": 200_000, "text_nav": 50_000}
    found = by_turns({name: stepping(name, effort, folder) for name in targets}, effort.repetitions)
    return [Figure(f"{name} env", "steps/s", found[name], at_least=least) for name, least in targets.items()]


def stepping(name: str, effort: Effort, folder: Path) -> partial[float]:
    """What measures a task's environment."""
    task: Task = instantiate(config(folder, f"task={name}", "algo=bc").task, _convert_="all")
    env = task.env()
    actions = list(islice(drawn(env), effort.of(100_000)))
    return partial(rate, partial(steps, env, actions))


def drawn(env: TextEnv) -> Iterator[str]:
    """Legal actions of one episode after another, from seed 0 on, each as likely as any other."""
    rng = random.Random(0)
    for seed in count():
        env.reset(seed)
        done = False
        while not done:
            action = rng.choice(env.legal_actions())
            yield action
            done = env.step(action).done


def steps(env: TextEnv, actions: Sequence[str]) -> int:
    """Say every action; the number of them."""
    seed = 0
    env.reset(seed)
    for action in actions:
        if env.step(action).done:
            seed += 1
            env.reset(seed)
    return len(actions)
