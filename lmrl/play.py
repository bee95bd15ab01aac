"""A person plays a task in the terminal, through the same scorer; the same record comes out.

What is typed is one action; its newline is the action's own. Ctrl-D and Ctrl-C end the games; those that were played to
their end count.
"""

import io
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig

from lmrl.config import check
from lmrl.evaluate import data_row, keep_transcripts, prefixed, refuse_taken, scores_of, show, write_metrics
from lmrl.rollout import Situation, rollout
from lmrl.scoring import summarise
from lmrl.task import Start, Task
from lmrl.tracking import Tracker
from lmrl.trajectory import Trajectory, Turn, write_lines


class Person:
    """Whoever sits at the keyboard. Shows what was said, and how to play where actions can be listed."""

    def __init__(self, show: Callable[[str], str]) -> None:
        self._show = show

    def act(self, situations: Sequence[Situation]) -> list[Turn]:
        return [self._ask(s) for s in situations]

    def _ask(self, situation: Situation) -> Turn:
        legal = situation.legal_actions()
        if len(situation.history) == 1 and legal:
            few = ", ".join(action.strip() for action in legal[:6])
            print(f"You may say: {few}{f', … ({len(legal)} in all)' if len(legal) > 6 else ''}")
        print(self._show(situation.history[-1].text), end="")
        return Turn(input("> ") + "\n", True)


def play(cfg: DictConfig, folder: Path, overrides: Sequence[str] = ()) -> dict[str, float]:
    """Let a person play `cfg.games` games; the figures, which also stand in `folder/metrics.json`.

    What could go wrong with the data, the folder or the store is told before the first game.
    """
    check(cfg)
    refuse_taken(folder)
    task: Task = instantiate(cfg.task, _convert_="all")
    data = task.data.dataset().stats
    tracker: Tracker = instantiate(cfg.tracking)(folder=folder, run_name=f"{task.name}-person")
    first_seed = int(time.time()) if cfg.first_seed is None else cfg.first_seed
    with tracker.recording(cfg, overrides, {"task": task.name, "algo": "person", "kind": "play", **task.facts()}):
        played = _games(task, cfg.games, first_seed, folder / "games.jsonl")
        if not played:
            tracker.finish("KILLED")
            return {}
        figures = summarise(played, scores_of(task, data))
        tracker.log_metrics(prefixed(figures, "final"), 0)
        keep_transcripts(tracker, task, played, figures, "final")
        write_metrics(folder, prefixed(figures, "final"))
    show({"you": figures, "data": data_row(task)})
    return prefixed(figures, "final")


def _games(task: Task, games: int, first_seed: int, path: Path) -> list[Trajectory]:
    """Games until they are all played or the person ends them; each is in the file as soon as it is over."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # a byte that is no text makes a bad action, not an error
    played: list[Trajectory] = []
    try:
        for start in task.episodes(games, first_seed):
            (game,) = rollout(task.env, Person(task.show), [_anywhere(start)], max_turns=task.max_turns)
            played.append(game)
            write_lines(path, played)
            print(task.show(game.turns[-1].text), end="")
            print(f"return {game.total:g}, {'won' if game.info.get('success') else 'not won'}\n")
    except (EOFError, KeyboardInterrupt):
        print()
    return played


def _anywhere(start: Start) -> Start:
    """A person meets whatever the seed brings, not the first cell of the protocol."""
    return Start(start.seed)
