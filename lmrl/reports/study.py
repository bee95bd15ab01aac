"""A study as a page: `lmrl-report study=sweeps/STUDY.yaml`.

What its runs left in their folders leads; where a folder is on another machine, what the study's storage knows of it.
"""

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from lmrl.config import suggest
from lmrl.pages import template
from lmrl.reports import pictures
from lmrl.reports.aggregate import Estimate
from lmrl.reports.arm import Arm
from lmrl.reports.survival import Difference, adjusted, discordant, paired
from lmrl.reports.tables import between, escaped, number
from lmrl.studies.plan import Plan, composed
from lmrl.studies.standings import figures_of, ranking, told
from lmrl.studies.study import Desk
from lmrl.studies.trial import outcomes_of

BEST = 10
CURVES = 6
"""Most survival curves in one picture."""
CHANCE = (
    "q: McNemar's exact test of the seeds that only one of both lost, after Benjamini and Hochberg over all arms; of "
    "arms with q below 0.05, one in twenty at most is expected to differ by chance alone."
)


@dataclass(frozen=True)
class StudyReport:
    """All that the page shows."""

    plan: Plan
    file: str
    study: optuna.Study
    against: str | None
    """Which arm the others are compared with; None: the first."""

    @cached_property
    def arms(self) -> list[Arm]:
        """The arms in order, or of a search the ten best settings."""
        trials = self.study.get_trials(deepcopy=False)
        chosen = [trial for trial in trials if outcomes_of(trial)] if self.plan.arms else ranking(self.study)[:BEST]
        return [self._arm(trial) for trial in chosen]

    def _arm(self, trial: FrozenTrial) -> Arm:
        name = str(trial.params["arm"]) if self.plan.arms else f"trial {trial.number}"
        cfg = composed(self.plan.setting(trial.params))
        outcomes = outcomes_of(trial)
        folders = {x.seed: self.plan.place / f"trial-{trial.number}" / f"seed-{x.seed}" for x in outcomes}
        left = {
            seed: json.loads(file.read_text())
            for seed, folder in folders.items()
            if (file := folder / "metrics.json").is_file()
        }
        budget = float(cfg.data.get("env_steps") or math.nan)
        return Arm(name, trial.params, outcomes, left, self.plan.objective.metric, budget)

    @property
    def base(self) -> Arm:
        """The arm that the others are compared with. Raises ValueError if there is no such."""
        names = [arm.name for arm in self.arms]
        if self.against is not None and self.against not in names:
            raise ValueError(f"against = {self.against}: no such arm{suggest(self.against, names)}")
        return self.arms[names.index(self.against) if self.against else 0]

    @property
    def differences(self) -> dict[str, Difference]:
        """Of each arm but the base."""
        found = {arm.name: paired(arm.returns, self.base.returns) for arm in self.arms if arm is not self.base}
        return {name: gap for name, gap in found.items() if gap is not None}

    @cached_property
    def chances(self) -> dict[str, float]:
        """Of each arm but the base, the q-value of its losing other seeds than the base, all arms being asked."""
        others = [arm for arm in self.arms if arm is not self.base]
        return adjusted({arm.name: discordant(arm.lost, self.base.lost) for arm in others})

    @cached_property
    def importances(self) -> dict[str, float]:
        """Shares of a search's variance in value, by fANOVA (Hutter et al. 2014); none where all values are alike."""
        if self.plan.arms or len({trial.values[0] for trial in ranking(self.study)}) < 2:
            return {}
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        return optuna.importance.get_param_importances(self.study, evaluator=evaluator)

    @property
    def best(self) -> list[dict[str, Any]]:
        """The ten best, with their figures."""
        return [
            {"trial": t.number, "params": told(t.params), **figures_of(t.values[0], outcomes_of(t))}
            for t in ranking(self.study)[:BEST]
        ]

    @property
    def states(self) -> Mapping[str, int]:
        """How many trials are complete, pruned, running."""
        return Counter(trial.state.name.lower() for trial in self.study.get_trials(deepcopy=False))


def gathered(plan: Plan, file: str, against: str | None) -> StudyReport:
    """From the study's storage. Raises ValueError if it has not begun, or no trial has a run that ended."""
    made = StudyReport(plan, file, Desk(plan, begin=False).study, against)
    if not made.arms:
        raise ValueError(f"study = {plan.study}: no {'arm' if plan.arms else 'trial'} has ended yet")
    _ = made.base
    return made


def write(made: StudyReport, folder: Path) -> list[Path]:
    """`study.html` and `study.md`."""
    html, markdown = folder / "study.html", folder / "study.md"
    folder.mkdir(parents=True, exist_ok=True)
    html.write_text(page(made), encoding="utf-8")
    markdown.write_text(as_markdown(made), encoding="utf-8")
    return [html, markdown]


def page(made: StudyReport) -> str:
    """One self-contained page."""
    tell = {"number": number, "between": between}
    return template("study.html").render(made=made, drawn=drawn(made), tell=tell, chance=CHANCE)


def drawn(made: StudyReport) -> dict[str, str]:
    """The pictures that there is something to draw for."""
    risks = [(arm.name, arm.name, arm.collapse) for arm in made.arms if arm.collapse]
    gaps = [(name, name, gap.mean) for name, gap in made.differences.items()]
    found = {}
    if risks:
        label = f"{made.plan.study}: probability of collapse"
        found["collapse"] = pictures.intervals(risks, "probability of collapse", label)
    if gaps:
        label, line = f"{made.plan.study}: paired differences", ("no difference", 0.0)
        found["differences"] = pictures.intervals(gaps, "difference", label, line=line)
    if curves := _told_apart(made):
        found["survival"] = pictures.curves(
            curves, "environment steps", "share not collapsed", f"{made.plan.study}: survival", steps=True
        )
    if made.importances:
        bars = [(name, name, Estimate(value, 0.0, value)) for name, value in made.importances.items()]
        found["importances"] = pictures.intervals(
            bars, "importance", f"{made.plan.study}: importance of each parameter"
        )
    return found


def _told_apart(made: StudyReport) -> dict[str, tuple[Any, Any, Any, Any]]:
    """Survival of the base and of the arms that collapse most; the others say little and would hide them."""
    ranked = sorted(made.arms, key=lambda arm: (arm is not made.base, -(arm.collapse.value if arm.collapse else 0)))
    known = [(arm.name, curve) for arm in ranked[:CURVES] if (curve := arm.survival) is not None]
    return {name: (curve.at, curve.share, curve.low, curve.high) for name, curve in known}


def as_markdown(made: StudyReport) -> str:
    """The question, the arms, the best settings."""
    lines = [
        f"# {made.plan.study}",
        "",
        made.plan.question,
        "",
        "| arm | runs | collapsed | 95 % interval | q | median | difference | seeds |",
    ]
    lines.append("|---|---|---|---|---|---|---|---|")
    for arm in made.arms:
        risk, gap = arm.collapse, made.differences.get(arm.name)
        known = f"{100 * risk.value:.0f} % | [{100 * risk.low:.0f}, {100 * risk.high:.0f}]" if risk else " | "
        ends = f" {between(gap.mean)}" if gap and gap.seeds > 1 else ""
        apart = f"{number(gap.mean.value)}{ends} | {gap.seeds}" if gap else " | "
        chance = f"{made.chances[arm.name]:.2g}" if arm.name in made.chances else ""
        lines.append(
            f"| {escaped(arm.name)} | {len(arm.known)} | {known} | {chance} | {number(arm.typical)} | {apart} |"
        )
    metric = made.plan.objective.metric
    lines += ["", f"Medians and differences are of {metric}, these by seed, against {made.base.name}. {CHANCE}", ""]
    lines += ["| trial | value | setting |", "|---|---|---|"]
    lines += [f"| {row['trial']} | {number(row['value'])} | `{escaped(row['params'])}` |" for row in made.best]
    return "\n".join([*lines, "", f"    lmrl-sweep {made.file} --retrain best", ""])
