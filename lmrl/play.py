"""A person plays a task in the terminal, through the same scorer; the same record comes out.

What is typed is one action; its newline is the action's own. End of input (Ctrl-D) ends the games.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig

from lmrl.config import check
from lmrl.evaluate import data_row, keep_transcripts, prefixed, scores_of, show, write_metrics
from lmrl.rollout import Situation, rollout
from lmrl.scoring import summarise
from lmrl.task import Start, Task
from lmrl.tracking import Tracker
from lmrl.trajectory import Trajectory, Turn, write_lines


class Person:
    """Whoever sits at the keyboard. Says what was said, and how to play where actions can be listed."""

    def act(self, situations: Sequence[Situation]) -> list[Turn]:
        return [self._ask(s) for s in situations]

    def _ask(self, situation: Situation) -> Turn:
        legal = situation.legal_actions()
        if len(situation.history) == 1 and legal:
            few = ", ".join(action.strip() for action in legal[:6])
            print(f"You may say: {few}{f', … ({len(legal)} in all)' if len(legal) > 6 else ''}")
        print(situation.history[-1].text, end="")
        return Turn(input("> ") + "\n", True)


def play(cfg: DictConfig, folder: Path, overrides: Sequence[str] = ()) -> dict[str, float]:
    """Let a person play `cfg.games` games; the figures, which also stand in `folder/metrics.json`."""
    check(cfg)
    if cfg.games < 1:
        raise ValueError(f"games = {cfg.games}: at least 1")
    task: Task = instantiate(cfg.task, _convert_="all")
    played = _games(task, cfg.games, int(time.time()) if cfg.first_seed is None else cfg.first_seed)
    if not played:
        return {}
    figures = summarise(played, scores_of(task, task.data.dataset().stats))
    tracker: Tracker = instantiate(cfg.tracking)(folder=folder, run_name=f"{task.name}-person")
    tracker.start(cfg, overrides, {"task": task.name, "algo": "person", "kind": "play", **task.facts()})
    tracker.log_metrics(prefixed(figures, "final"), 0)
    keep_transcripts(tracker, played, figures, "final")
    tracker.finish("FINISHED")
    write_metrics(folder, prefixed(figures, "final"))
    write_lines(folder / "games.jsonl", played)
    show({"you": figures, "data": data_row(task)})
    return prefixed(figures, "final")


def _games(task: Task, games: int, first_seed: int) -> list[Trajectory]:
    """Games until they are all played or the input ends; one that the input's end cut short does not count."""
    played = []
    for start in task.episodes(games, first_seed):
        try:
            (game,) = rollout(task.env, Person(), [_anywhere(start)], max_turns=task.max_turns)
        except EOFError:
            print()
            break
        print(game.turns[-1].text, end="")
        print(f"return {game.total:g}, {'won' if game.info.get('success') else 'not won'}\n")
        played.append(game)
    return played


def _anywhere(start: Start) -> Start:
    """A person meets whatever the seed brings, not the first cell of the protocol."""
    return Start(start.seed)
