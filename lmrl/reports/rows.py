"""Which stored runs make a row of the report: one player of one task, by its newest setting, a run a seed.

Runs of other settings are told, never mixed in. A player is an algorithm, a model and a way to choose an action;
another list of words, another speaker, another opponent or another environment is another task. A seed's figures are
those of its training; those of a later evaluation stand where there is no training.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from omegaconf import OmegaConf

from lmrl.config import ConfigError
from lmrl.episodes import EPISODES, Played, read_played
from lmrl.identity import algo_name, setting
from lmrl.provenance import flat
from lmrl.reports.archive import StoredRun, files
from lmrl.store import connect
from lmrl.studies.plan import composed

FACTS = ("words", "simulator", "opponent")
"""Tags that tell one task from another of its name."""
KINDS = ("training", "evaluation")
Key = tuple[str, tuple[str, ...], str, str, str]
"""Task, facts, algorithm, model and policy."""
Settings = Mapping[str, Mapping[int, StoredRun]]
"""By setting, the newest last, and by seed."""


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

    def share(self, metric: str) -> float:
        """Mean over runs of a metric of the last evaluation; nan where a run lacks it."""
        return float(np.mean([run.metrics.get(f"final/{metric}", np.nan) for run in self.runs]))

    @property
    def minutes(self) -> float:
        """Mean over runs of the time that training took; nan for what was not trained."""
        return float(np.mean([run.metrics.get("train_seconds", np.nan) for run in self.runs])) / 60


def rows(uri: str, stored: Sequence[StoredRun]) -> list[Row]:
    """All of them, by task, algorithm, model and policy. stored: oldest first."""
    groups = _grouped(uri, stored)
    chosen = {key: _newest(groups[key]) for key in sorted(groups)}
    places = files(uri, chain.from_iterable(chosen.values()), EPISODES)
    return [_row(key, groups[key], runs, places) for key, runs in chosen.items()]


def _grouped(uri: str, stored: Sequence[StoredRun]) -> Mapping[Key, Settings]:
    groups: dict[Key, dict[str, dict[int, StoredRun]]] = defaultdict(dict)
    known = {run.id for run in stored}
    for run in stored:
        if run.tags.get("kind") not in KINDS or "final/return_mean" not in run.metrics or _unfinished(uri, run, known):
            continue
        by_setting, name, seed = groups[_key(run)], setting(run.params), int(run.params["seed"])
        before = by_setting.get(name, {}).get(seed)
        if before and before.tags["kind"] == "training" and run.tags["kind"] == "evaluation":
            continue  # a training's own figures stand, whatever its checkpoint was let play later
        by_seed = by_setting.pop(name, {})  # back in as the newest
        by_setting[name] = by_seed | {seed: run}
    return groups


def _unfinished(uri: str, run: StoredRun, known: Collection[str]) -> bool:
    """Whether it is an evaluation of a training that did not end well; of another store's that cannot be known."""
    if run.tags["kind"] != "evaluation" or "checkpoint" not in run.tags:
        return False
    try:
        made_by = Path(run.tags["checkpoint"]).with_name("run_id").read_text(encoding="utf-8").strip()
    except OSError:  # on another machine, or not for us to read
        return False
    return made_by not in known and _status(uri, made_by) != "FINISHED"


def _status(uri: str, run: str) -> str:
    from mlflow.exceptions import MlflowException

    try:
        return str(connect(uri).get_run(run).info.status)
    except MlflowException:  # a run of another store
        return "FINISHED"


def _key(run: StoredRun) -> Key:
    params = run.params
    facts = (*(run.tags[name] for name in FACTS if run.tags.get(name)), *_unusual(params))
    algo = algo_name(params["algo._target_"], params.get("data._target_", ""))
    return params["task.name"], facts, algo, _model(params), params["policy"]


def _unusual(params: Mapping[str, str]) -> Iterator[str]:
    """What of the environment is not as the task's file has it, `mode=fancy`."""
    for key, value in _usual(params["task.name"]).items():
        given = params.get(key)
        usual = params.get(value[2:-1], given) if value.startswith("${") else value
        if given not in (None, usual) and key.rpartition(".")[2] not in FACTS:
            yield f"{key.rpartition('.')[2]}={given}"


@cache
def _usual(task: str) -> Mapping[str, str]:
    """The flat `task.env` and `task.max_turns` of a task as it is; none of a task that our config tree lacks."""
    try:
        node = composed([f"task={task}", "algo=bc"]).task
    except ConfigError:
        return {}
    whole = OmegaConf.to_container(node, resolve=False)
    assert isinstance(whole, dict)
    return flat({"task": {key: whole[key] for key in ("env", "max_turns") if key in whole}})


def _model(params: Mapping[str, str]) -> str:
    """`tiny`, or the name of what was loaded; of a folder, its last part."""
    kind = params["model._target_"].rpartition(".")[2]
    return Path(params.get("model.name") or params.get("model.model") or kind).name


def _newest(by_setting: Settings) -> list[StoredRun]:
    by_seed = by_setting[list(by_setting)[-1]]
    return [by_seed[seed] for seed in sorted(by_seed)]


def _row(key: Key, by_setting: Settings, runs: Sequence[StoredRun], places: Mapping[str, Path]) -> Row:
    *older, newest = by_setting
    played = [read_played(places[run.id]) if run.id in places else None for run in runs]
    return Row(*key, newest, runs, played, {name: len(by_setting[name]) for name in reversed(older)})
