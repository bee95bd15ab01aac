"""Making offline episodes, from the scripted players to the finished file in the cache, in one process."""

from pathlib import Path

from hydra.utils import instantiate

from lmrl.task import Task
from tests.speed.measure import Effort, Figure, by_turns, rate
from tests.speed.setting import config


def figures(effort: Effort, folder: Path) -> list[Figure]:
    seeds = iter(range(1, effort.repetitions + 2))
    count = effort.of(40_000)

    def make() -> int:
        # another seed each time: the same data would be found in the cache
        chosen = (f"task.data.episodes={count}", f"task.data.seed={next(seeds)}")
        task: Task = instantiate(config(folder, "task=wordle", "algo=bc", *chosen).task, _convert_="all")
        return int(task.data.dataset().stats["episodes"])

    found = by_turns({"games": lambda: rate(make)}, effort.repetitions)
    return [Figure("wordle games into the cache", "games/s", found["games"], at_least=20_000)]
