"""A step of ILQL beside a step of behaviour cloning: the same model, the same episodes, batches of the same size."""

from pathlib import Path

from tests.speed.measure import Effort, Figure, by_turns, ratio
from tests.speed.setting import setting


def figures(effort: Effort, folder: Path) -> list[Figure]:
    return [times(task, effort, folder) for task in ("wordle", "maze")]


def times(task: str, effort: Effort, folder: Path) -> Figure:
    """How many steps of behaviour cloning a step of ILQL costs, each in a bare loop."""
    episodes, steps = effort.of(5000 if task == "wordle" else 500), effort.of(16)
    ilql, bc = (setting(folder, f"task={task}", f"algo={algo}", episodes=episodes) for algo in ("ilql", "bc"))
    costs = by_turns({"ilql": lambda: ilql.bare(steps), "bc": lambda: bc.bare(steps)}, effort.repetitions)
    return Figure(f"{task}, an ILQL step over a BC step", "times", ratio(costs["ilql"], costs["bc"]), at_most=2.5)
