"""One trial of a study: a setting, run with each of the study's seeds, and what that is worth.

Pruners see a trial at steps that go on from seed to seed: with T evaluations a run (`evaluation.times`), evaluation e
(from 1, the first after training has begun) of the seed at place i (from 0) is step i (T + 1) + e, and the end of that
seed is step (i + 1)(T + 1). The value there is the study's aggregate over the seeds that have ended and the last
evaluation of the one that runs, so a step means the same in all trials, even where a seed ended early. In place of
`lower` stands the mean: two seeds have an interval of 13 standard errors to each side, which would let chance prune.

Optuna's MedianPruner judges a trial by its best step so far, which is its first seed's if the others fall; its
SuccessiveHalvingPruner by the step at hand: `min_resource` T + 1 is one seed.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean, median
from typing import Any

from optuna import Trial, TrialPruned
from optuna.trial import FrozenTrial

from lmrl.studies.job import End, Job
from lmrl.studies.plan import Objective, Plan, composed


@dataclass(frozen=True)
class Outcome:
    """What one seed came to."""

    seed: int
    value: float
    end: End
    seconds: float
    figures: Mapping[str, float | None]
    """Of the study's `beside`; None where there is none."""


def aggregate(values: Sequence[float], objective: Objective) -> float:
    """A trial's value from those of its seeds.

    >>> aggregate([0, 1, 2, 9], Objective(metric="x", over_seeds="iqm", direction="maximize"))
    1.5
    """
    match objective.over_seeds:
        case "mean":
            return fmean(values)
        case "median":
            return float(median(values))
        case "iqm":
            from scipy.stats import trim_mean

            return float(trim_mean(values, 0.25))
    from lmrl.scoring import across_seeds

    mean, low, high = across_seeds(values)
    end = low if objective.direction == "maximize" else high
    return mean if math.isnan(end) else end  # one seed has no interval


class Setting:
    """A setting of a plan below a folder: `seed-S` each."""

    def __init__(
        self, plan: Plan, overrides: Sequence[str], folder: Path, extra: Sequence[str], command: Sequence[str]
    ) -> None:
        """extra: overrides that change no result. Raises ConfigError."""
        self.plan, self.folder = plan, folder
        self.overrides, self._command = [*overrides, *extra], command
        cfg = composed(self.overrides)
        self.times, self.floor = int(cfg.evaluation.times), plan.floor(cfg)

    def job(self, seed: int) -> Job:
        return Job(self.folder / f"seed-{seed}", [*self.overrides, f"seed={seed}"], self._command)

    def run(self, seed: int, look: Callable[[Job], None]) -> Outcome:
        """Carry one seed to its end; `look` sees it on the way, and may raise."""
        begun, job = time.monotonic(), self.job(seed)
        end = job.carry(60 * self.plan.minutes, lambda: look(job))
        figures = job.figures()
        beside = {name: _finite(figures.get(name, math.nan)) for name in self.plan.beside}
        seconds = figures.get("train_seconds", time.monotonic() - begun)
        return Outcome(seed, self._worth(end, job, figures), end, seconds, beside)

    def _worth(self, end: End, job: Job, figures: Mapping[str, float]) -> float:
        """The metric of a run that finished; else the floor, or its last evaluation where that is worse still."""
        objective = self.plan.objective
        value = figures.get(objective.metric, math.nan)
        if end == "finished" and math.isfinite(value):
            return value
        if end == "finished":
            raise ValueError(f"objective.metric = {objective.metric}: {job.folder} has none; it has {sorted(figures)}")
        return self.worse(value if math.isfinite(value) else next(reversed(job.curve(objective.watched)), math.nan))

    def worse(self, value: float) -> float:
        """The floor, or the value where that is worse."""
        worst = min if self.plan.objective.direction == "maximize" else max
        return worst(self.floor, value) if math.isfinite(value) else self.floor


class Attempt:
    """A worker's work on one trial of Optuna's; what other workers did of it counts."""

    def __init__(self, trial: Trial, setting: Setting, hold: Callable[[], None]) -> None:
        """hold: raises if the trial may have become another's."""
        self._trial, self._setting, self._hold = trial, setting, hold
        self._objective, self._seeds = setting.plan.objective, setting.plan.each_seed
        self._seen = (
            replace(self._objective, over_seeds="mean") if self._objective.over_seeds == "lower" else self._objective
        )
        self._reported = set(trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values)
        self.outcomes: list[Outcome] = []

    def carry(self) -> float:
        """Run what has not been run; the trial's value. Raises TrialPruned."""
        for place, seed in enumerate(self._seeds):
            outcome = self._kept(seed) or self._run(place, seed)
            self.outcomes.append(outcome)
            self._report((place + 1) * (self._setting.times + 1), [])
            if seed != self._seeds[-1]:
                self._prune()
        return aggregate(self._values, self._objective)

    @property
    def _values(self) -> list[float]:
        return [outcome.value for outcome in self.outcomes]

    def _kept(self, seed: int) -> Outcome | None:
        kept: dict[str, Any] | None = self._trial.user_attrs.get(_key(seed))
        return Outcome(**kept) if kept else None

    def _run(self, place: int, seed: int) -> Outcome:
        outcome = self._setting.run(seed, lambda job: self._look(place, job))
        self._hold()
        self._evaluations(place, self._setting.job(seed))
        self._trial.set_user_attr(_key(seed), asdict(outcome))
        print(f"  trial {self._trial.number}, seed {seed}: {outcome.value:.4g} ({outcome.end})", flush=True)
        return outcome

    def _look(self, place: int, job: Job) -> None:
        self._hold()
        if self._evaluations(place, job):
            self._prune()

    def _evaluations(self, place: int, job: Job) -> bool:
        """Report a run's evaluations so far; whether there was a new one."""
        times, before = self._setting.times, len(self._reported)
        for count, value in enumerate(job.curve(self._objective.watched)[:times], 1):
            value = value if math.isfinite(value) else self._setting.worse(value)
            self._report(place * (times + 1) + count, [value])
        return len(self._reported) > before

    def _report(self, step: int, running: Sequence[float]) -> None:
        if step not in self._reported:
            self._reported.add(step)
            self._trial.report(aggregate([*self._values, *running], self._seen), step)

    def _prune(self) -> None:
        if self._trial.should_prune():
            raise TrialPruned


def outcomes_of(trial: FrozenTrial) -> list[Outcome]:
    """What is known of a trial's seeds, by seed."""
    kept = [value for key, value in trial.user_attrs.items() if key.startswith(_key(""))]
    return sorted((Outcome(**value) for value in kept), key=lambda outcome: outcome.seed)


def _key(seed: int | str) -> str:
    return f"seed {seed}"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
