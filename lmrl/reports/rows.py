"""Which stored runs make a row of the report: one player of one task, by its newest setting, a run a seed.

Runs of other settings are told, never mixed in. A player is an algorithm, a model and a way to choose an action;
another list of words, another speaker or another opponent is another task.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lmrl.episodes import EPISODES, Played, read_played
from lmrl.identity import algo_name, setting
from lmrl.reports.archive import StoredRun, files
from lmrl.scoring import Score

FACTS = ("words", "simulator", "opponent")
"""Tags that tell one task from another of its name."""
KINDS = ("training", "evaluation")


@dataclass(frozen=True)
class Row:
    """A line of the report."""

    task: str
    facts: tuple[str, ...]
    algo: str
    model: str
    policy: str
    setting: str
    runs: Sequence[StoredRun]
    """The newest of each seed, by rising seed."""
    played: Sequence[Played | None]
    """Of each run; None for those that kept no episodes."""
    others: Mapping[str, int]
    """Other settings of the same, and how many runs they have."""

    @property
    def kept(self) -> bool:
        """Whether every run has its episodes."""
        return None not in self.played

    @cached_property
    def returns(self) -> list[NDArray[np.float64]]:
        """Of each run, what its episodes returned; of one that kept none, their mean alone."""
        return [
            played.returns if played else np.array([run.metrics["final/return_mean"]])
            for run, played in zip(self.runs, self.played, strict=True)
        ]

    @property
    def episodes(self) -> tuple[int, int]:
        """The fewest and the most that a run played."""
        counts = [int(run.metrics["final/episodes"]) for run in self.runs]
        return min(counts), max(counts)

    @property
    def scale(self) -> tuple[str, Score] | None:
        """The published scale, or else our own, or else that of our data, with its name."""
        known = next((played.scores for played in self.played if played), {})
        return next(((name, known[name]) for name in ("paper", "own", "data") if name in known), None)

    def share(self, metric: str) -> float:
        """Mean over runs of a metric of the last evaluation; nan where a run lacks it."""
        return float(np.mean([run.metrics.get(f"final/{metric}", np.nan) for run in self.runs]))

    @property
    def minutes(self) -> float:
        """Mean over runs of the time that training took; nan for what was not trained."""
        return float(np.mean([run.metrics.get("train_seconds", np.nan) for run in self.runs])) / 60


def rows(uri: str, stored: Iterable[StoredRun]) -> list[Row]:
    """All of them, by task, algorithm, model and policy. stored: oldest first."""
    groups: dict[tuple[str, ...], dict[str, dict[int, StoredRun]]] = defaultdict(lambda: defaultdict(dict))
    for run in stored:
        if run.tags.get("kind") in KINDS and "final/return_mean" in run.metrics:
            by_setting = groups[_key(run)]
            by_seed = by_setting.pop(name := setting(run.params), {})  # back in as the newest
            by_setting[name] = by_seed | {int(run.params["seed"]): run}
    chosen = [run for by_setting in groups.values() for run in _newest(by_setting)]
    places = files(uri, chosen, EPISODES)
    return [_row(key, groups[key], lambda run: places.get(run.id)) for key in sorted(groups)]


def _key(run: StoredRun) -> tuple[str, ...]:
    params = run.params
    facts = " · ".join(run.tags[name] for name in FACTS if name in run.tags)
    algo = algo_name(params["algo._target_"], params.get("data._target_", ""))
    return params["task.name"], facts, algo, _model(params), params["policy"]


def _model(params: Mapping[str, str]) -> str:
    """`tiny`, or the name of what was loaded; of a folder, its last part."""
    kind = params["model._target_"].rpartition(".")[2]
    return Path(params.get("model.name") or params.get("model.model") or kind).name


def _newest(by_setting: Mapping[str, Mapping[int, StoredRun]]) -> list[StoredRun]:
    by_seed = by_setting[list(by_setting)[-1]]
    return [by_seed[seed] for seed in sorted(by_seed)]


def _row(
    key: tuple[str, ...], by_setting: Mapping[str, Mapping[int, StoredRun]], place: Callable[[StoredRun], Path | None]
) -> Row:
    task, facts, algo, model, policy = key
    *older, newest = by_setting
    runs = _newest(by_setting)
    played = [read_played(path) if (path := place(run)) else None for run in runs]
    others = {name: len(by_setting[name]) for name in reversed(older)}
    return Row(task, tuple(filter(None, facts.split(" · "))), algo, model, policy, newest, runs, played, others)
