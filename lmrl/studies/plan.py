"""What a study's YAML asks for, held against what its runs take before anything starts.

    # How much of PPO's instability is step size?                  the first comment: the question
    study: steps
    overrides: [task=maze, algo=ppo]                               as for `python -m lmrl`
    seeds: range(0, 5)                                             each trial runs all of them
    trials: 60
    objective: {metric: final/return_mean, over_seeds: iqm, direction: maximize}
    space:                                                         Hydra's sweep grammar
      algo.clip: interval(0.05, 0.4)

In place of `space` and `trials` stand the `arms` of an ablation, `{name: [overrides...]}`: each arm is one trial.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import yaml
from hydra.errors import HydraException, InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from optuna.distributions import BaseDistribution, CategoricalDistribution

from lmrl.config import ConfigError, check, checked
from lmrl.errors import in_a_line
from lmrl.files import text_of
from lmrl.kinds import Count, Positive
from lmrl.overrides import explain, parsed, searching
from lmrl.signatures import from_source
from lmrl.studies.space import distribution, ends, seeds_of, spelt

PLACES = ("cache=", "workers=", "tracking")
"""Overrides that change no result: who joins a study may have others."""


@dataclass(frozen=True, kw_only=True)
class Objective:
    """What is made as good as can be: a metric of the runs, over a trial's seeds."""

    metric: str
    """Of `metrics.json`, or else the last one that was logged."""
    over_seeds: Literal["iqm", "mean", "median", "lower"]
    """lower: the worse end of the mean's 95 % interval."""
    direction: Literal["maximize", "minimize"]
    floor: float | None = None
    """What a run is worth that diverges, collapses, hangs or dies; None: the floor of the task's score."""
    watch: str | None = None
    """The metric that pruners see while a run goes on; None: `eval/x` where `metric` is `final/x`, else `metric`."""

    @property
    def watched(self) -> str:
        return self.watch or re.sub("^final/", "eval/", self.metric)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A study, as its YAML says."""

    study: str
    overrides: Sequence[str]
    seeds: Sequence[int] | str
    objective: Objective
    trials: Count | None = None
    space: Mapping[str, Any] | None = None
    arms: Mapping[str, Sequence[str]] | None = None
    beside: Sequence[str] = ()
    """Metrics that are reported and never optimised."""
    storage: str = "sqlite:///outputs/studies.db"
    """Or journal:///FILE, or postgresql://USER@HOST/DATABASE."""
    folder: str | None = None
    """Of the runs; None: `outputs/studies/<study>`."""
    minutes: Positive = 60.0
    """After which a run is ended, from its last start; so many that only one that hangs takes them."""
    sampler: Mapping[str, Any] | None = None
    """None: Optuna's TPE with seed 0."""
    pruner: Mapping[str, Any] | None = None
    """None: nothing is pruned."""
    question: str = ""

    def __post_init__(self) -> None:
        for key in ("sampler", "pruner"):
            if "_target_" not in (getattr(self, key) or ("_target_",)):
                raise ValueError(f"{key} = {getattr(self, key)}: needs a _target_, one of optuna.{key}s")
        if not re.fullmatch(r"[\w.-]+", self.study):
            raise ValueError(f"study = {self.study!r}: a name has letters, digits, '_', '.' and '-' only")
        _ = self.each_seed
        if bool(self.space) == bool(self.arms):
            raise ValueError("space: a study has either a space or arms")
        if self.space and self.trials is None:
            raise ValueError("trials: say how many settings of the space are tried")
        if self.arms and self.trials not in (None, len(self.arms)):
            raise ValueError(f"trials = {self.trials}: there are {len(self.arms)} arms, each of which is one trial")

    @cached_property
    def each_seed(self) -> list[int]:
        """The seeds as numbers. Raises ValueError."""
        return seeds_of(self.seeds)

    @property
    def place(self) -> Path:
        """Where the runs lie."""
        return Path(self.folder or f"outputs/studies/{self.study}")

    @property
    def size(self) -> int:
        """How many trials there will be."""
        return self.trials or len(self.arms or ())

    @cached_property
    def distributions(self) -> dict[str, BaseDistribution]:
        """What a trial's parameters are drawn from. Raises ValueError."""
        if self.arms:
            return {"arm": CategoricalDistribution(list(self.arms))}
        return {key: distribution(key, str(text)) for key, text in (self.space or {}).items()}

    def setting(self, params: Mapping[str, Any]) -> list[str]:
        """A trial's overrides, but for the seed."""
        own = [str(text) for text in self.arms[params["arm"]]] if self.arms else spelt(params)
        return [*self.overrides, *own]

    @property
    def identity(self) -> str:
        """What workers must agree on, and a study never changes: all that decides a trial's value."""
        kept = [text for text in self.overrides if not text.startswith(PLACES)]
        parts = {"overrides": kept, "seeds": self.each_seed, "objective": asdict(self.objective)}
        arms = list((self.arms or {}).items())  # of which the first is the first trial
        return json.dumps(parts | {"space": self.space, "arms": arms}, sort_keys=True)

    def settings(self) -> list[list[str]]:
        """Overrides to try before the study starts: every arm, or few in which each end and choice of the space is."""
        if self.arms:
            return [self.setting({"arm": name}) for name in self.arms]
        tried = {key: ends(kind) for key, kind in self.distributions.items()}
        most = max(map(len, tried.values()))
        return [self.setting({key: values[i % len(values)] for key, values in tried.items()}) for i in range(most)]

    def check(self) -> list[DictConfig]:
        """The configs of every arm, or of the ends of the space, as runs have them. Raises ConfigError, ValueError."""
        configs = [composed(overrides) for overrides in self.settings()]
        for cfg in configs:
            self.floor(cfg)
        return configs

    def floor(self, cfg: DictConfig) -> float:
        """What a run of this config is worth that came to nothing. Raises ValueError where nobody has said."""
        if self.objective.floor is not None:
            return self.objective.floor
        figure = self.objective.metric.partition("/")[2]
        if self.objective.direction == "maximize" and figure in ("success", "score_paper", "score_own", "score_data"):
            return 0.0
        floor = OmegaConf.select(cfg, "task.score.floor")
        if self.objective.direction == "minimize" or figure not in ("return_mean", "return_iqm") or floor is None:
            metric = self.objective.metric
            raise ValueError(f"objective.floor: say what {metric} is worth in a run that diverges, collapses or dies")
        return float(floor)


def made(key: str, node: Mapping[str, Any]) -> Any:
    """A sampler or pruner of Optuna's. Raises ValueError naming the key."""
    try:
        return instantiate(dict(node), _convert_="all")
    except InstantiationException as error:
        raise ValueError(f"{key} = {node['_target_']}: {error.__cause__ or error}") from error


def composed(overrides: Sequence[str]) -> DictConfig:
    """The config of `python -m lmrl <overrides>`, checked without importing what it names. Raises ConfigError."""
    args = parsed(overrides)
    try:
        with searching(args) as compose:
            cfg = compose("train", list(overrides))
        check(cfg, from_source)
    except HydraException as error:
        raise ConfigError(f"overrides: {explain(error, 'train', args)}") from error
    except OmegaConfBaseException as error:
        raise ConfigError(f"overrides: {str(error).splitlines()[0]}") from error
    return cfg


def read(path: Path, changes: Sequence[str] = ()) -> Plan:
    """The plan in a file, checked but for its overrides; changes: `key=value`, of the study or else of its runs.

    Raises ConfigError and ValueError, OSError if the file cannot be read.
    """
    text = text_of(path)
    node = yaml.safe_load(text)
    if not isinstance(node, dict):
        raise ValueError(f"{path}: not a study; it needs keys such as study, overrides, seeds and objective")
    node = _changed({"question": _question(text), **node}, changes)
    node = checked(node, "lmrl.studies.plan.Plan", objective="lmrl.studies.plan.Objective")
    plan = Plan(**{**node, "objective": Objective(**node["objective"])})
    _ = plan.distributions
    return plan


def _question(text: str) -> str:
    """The first comment, up to its question mark if it has one."""
    lines = re.match(r"(?:#.*\n)*", text)
    assert lines
    comment = " ".join(line.strip("# ") for line in lines[0].splitlines()).strip()
    asked, mark, _ = comment.partition("?")
    return asked + mark


def _value(change: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"{change}: not a value of YAML: {in_a_line(error)[:100]}") from error


def _changed(node: dict[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    runs: list[str] = []
    for change in changes:
        key, sign, value = change.partition("=")
        top, _, rest = key.partition(".")
        if not sign:
            raise ValueError(f"{change}: not a key=value")
        if top not in Plan.__dataclass_fields__:
            runs.append(change)
        elif rest and not isinstance(node.get(top) or {}, dict):
            raise ValueError(f"{key}: {top} has no keys of its own")
        elif rest:
            node[top] = {**(node.get(top) or {}), rest: _value(change, value)}
        else:
            node[top] = _value(change, value)
    return {**node, "overrides": [*node.get("overrides", []), *runs]} if runs else node
