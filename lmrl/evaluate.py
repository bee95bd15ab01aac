"""A policy plays a task's protocol, and what it did becomes figures, pages and one line each in the record.

`lmrl-eval ckpt=outputs/…/last.ckpt` does it for a checkpoint, which knows its own config.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from lmrl.algos.base import Algorithm
from lmrl.checkpoints import read_checkpoint
from lmrl.config import check
from lmrl.episodes import EPISODES, write_played
from lmrl.files import whole
from lmrl.models import LanguageModel, rebuild
from lmrl.pages import table, transcript_html, transcript_text
from lmrl.rollout import Policy, play
from lmrl.scoring import Score, scored, summarise
from lmrl.signals import listening
from lmrl.task import Task
from lmrl.tracking import Tracker
from lmrl.trajectory import Trajectory, write_lines
from lmrl.view import View


def scores_of(task: Task, stats: Mapping[str, float]) -> dict[str, Score]:
    """The published normaliser, if there is one, that of our own rules, and of our data: its mean stands at 50."""
    scores = {} if task.score.mean is None else {"paper": task.score}
    if task.own_score:
        scores["own"] = task.own_score
    if task.score.floor < stats["return_mean"] < task.score.best:
        scores["data"] = replace(task.score, mean=stats["return_mean"])
    return scores


def data_row(task: Task) -> dict[str, float]:
    """The data's figures, with their scores, to stand below those of a player."""
    stats = task.data.dataset().stats
    return scored(stats, scores_of(task, stats))


def view_of(task: Task, model: LanguageModel) -> View:
    """What the model sees of this task's episodes."""
    return View(task.context, model.positions, task.max_new_tokens)


def assess(
    task: Task,
    policy: Policy,
    episodes: int,
    first_seed: int,
    *,
    label: str,
    on_turn: Callable[[int], None] = lambda live: None,
) -> tuple[list[Trajectory], dict[str, float]]:
    """Play the protocol: the episodes, and their figures as `lmrl.scoring.summarise` names them."""
    played = play(task, policy, task.episodes(episodes, first_seed), label=label, on_turn=on_turn)
    return played, summarise(played, scores_of(task, task.data.dataset().stats))


def keep_transcripts(
    tracker: Tracker, task: Task, played: Sequence[Trajectory], figures: Mapping[str, float], name: str
) -> None:
    """Episodes to read: text, a self-contained page, and JSON lines, in the run's folder and among its artifacts."""
    folder = tracker.folder / "transcripts"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.txt").write_text(transcript_text(played), encoding="utf-8")
    page = transcript_html(played, title=f"{tracker.run_name} · {name}", summary=figures, show=task.show)
    (folder / f"{name}.html").write_text(page, encoding="utf-8")
    write_lines(folder / f"{name}.jsonl", played)
    for suffix in ("txt", "html", "jsonl"):
        tracker.log_text((folder / f"{name}.{suffix}").read_text(encoding="utf-8"), f"transcripts/{name}.{suffix}")


def keep_episodes(tracker: Tracker, task: Task, played: Sequence[Trajectory]) -> None:
    """What each episode came to, in the run's folder and among its artifacts."""
    write_played(tracker.folder / EPISODES, played, scores_of(task, task.data.dataset().stats))
    tracker.log_file(tracker.folder / EPISODES)


def score_final(
    tracker: Tracker, task: Task, policy: Policy, protocol: Any, *, label: str, on_turn: Callable[[int], None]
) -> dict[str, float]:
    """Play a protocol's last episodes and leave figures, episodes and transcripts in the record; the figures.

    protocol: `final_episodes`, `first_seed` and `transcripts`, as `conf/train.yaml` has them.
    """
    episodes, first = protocol.final_episodes, protocol.first_seed
    played, figures = assess(task, policy, episodes, first, label=label, on_turn=on_turn)
    tracker.log_metrics(prefixed(figures, "final"), 0)
    keep_episodes(tracker, task, played)
    keep_transcripts(tracker, task, played[: protocol.transcripts], figures, "final")
    write_metrics(tracker.folder, prefixed(figures, "final"))
    return figures


def prefixed(figures: Mapping[str, float], prefix: str) -> dict[str, float]:
    """`{"return_mean": …}` as `{"final/return_mean": …}`."""
    return {f"{prefix}/{key}": value for key, value in figures.items()}


def without(metrics: Mapping[str, float], prefix: str) -> dict[str, float]:
    """The way back from `prefixed`; other metrics are left out."""
    return {key.removeprefix(f"{prefix}/"): v for key, v in metrics.items() if key.startswith(f"{prefix}/")}


def write_metrics(folder: Path, metrics: Mapping[str, float]) -> None:
    """`metrics.json`: the final figures, flat; the file appears whole."""
    with whole(folder / "metrics.json") as part:
        part.write_text(json.dumps(dict(metrics), indent=1, sort_keys=True) + "\n", encoding="utf-8")


def refuse_taken(folder: Path) -> None:
    """Raise ValueError if the folder is that of a run already."""
    if (folder / "config.yaml").is_file():
        raise ValueError(f"hydra.run.dir = {folder}: holds a run of its own; name another folder")


def restore(ckpt: Path, overrides: Mapping[str, Any]) -> tuple[DictConfig, Task, Algorithm]:
    """What a checkpoint holds, ready to play; `overrides` are merged into its config first.

    Raises ValueError if it is missing, broken or not ours, ConfigError if its config no longer fits the code.
    """
    saved = read_checkpoint(ckpt)
    if not isinstance(saved["lmrl"].get("config"), str):
        raise ValueError(f"{ckpt}: does not hold the config of its run; name the last.ckpt of one")
    cfg = OmegaConf.create(saved["lmrl"]["config"])
    if "simulator" in overrides and not cfg.pop("simulator", None):  # replaced whole: each kind has keys of its own
        raise ValueError(f"simulator: task={cfg.task.name} has no other side to speak for")
    cfg = OmegaConf.merge(cfg, OmegaConf.create(dict(overrides)))
    assert isinstance(cfg, DictConfig)
    check(cfg)
    task: Task = instantiate(cfg.task, _convert_="all")
    facts = task.facts()
    made_with = saved["lmrl"].get("facts", facts)
    if facts != made_with and not (overrides.get("task") or overrides.get("simulator")):
        raise ValueError(f"{ckpt}: trained with {made_with}, and now there is {facts}; say so by task.KEY=VALUE")
    model = rebuild(saved["lmrl"], cfg.hardware.attention)
    algo: Algorithm = instantiate(cfg.algo, _convert_="all")(model)
    algo.load_state_dict(saved["state_dict"])
    return cfg, task, algo.eval()


def evaluate(cfg: DictConfig, folder: Path, overrides: Sequence[str] = ()) -> dict[str, float]:
    """Let a checkpoint play: a run of its own in the store, whose tag `checkpoint` says who played.

    Raises ValueError for what a user can mend, Stopped after SIGINT or SIGTERM.
    """
    check(cfg)
    refuse_taken(folder)
    torch.set_num_threads(cfg.hardware.threads)
    device = _device(cfg.hardware.device)
    changes = {key: cfg[key] for key in ("algo", "task", "cache", "workers", "simulator") if cfg.get(key) is not None}
    made, task, algo = restore(Path(cfg.ckpt), changes)
    algo.to(device)
    tracker: Tracker = instantiate(cfg.tracking)(folder=folder, run_name=f"eval-{Path(cfg.ckpt).parent.name}")
    asked = {key: value for key, value in cfg.evaluation.items() if value is not None and key != "_target_"}
    record = OmegaConf.merge(made, {"evaluation": asked, "policy": cfg.policy})
    assert isinstance(record, DictConfig)
    tags = {"kind": "evaluation", "checkpoint": str(Path(cfg.ckpt).resolve()), **task.facts()}
    with listening() as stop, tracker.recording(record, overrides, tags):
        policy = algo.policy(view_of(task, algo.model), cfg.policy)
        figures = score_final(tracker, task, policy, record.evaluation, label="evaluation", on_turn=stop.check)
    show({f"{made.task.name} {cfg.policy}": figures, "data": data_row(task)})
    return prefixed(figures, "final")


def _device(name: str) -> torch.device:
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"hardware.device = {name}: no such device here; use hardware.device=cpu") from error


def show(rows: Mapping[str, Mapping[str, float]]) -> None:
    """Print a table of figures."""
    from rich.console import Console

    Console().print(table(rows))
