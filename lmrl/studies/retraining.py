"""A trial's setting with fresh seeds: what the study promised beside what it holds.

The best of many trials is in part the luckiest of them, so it promises too much (the winner's curse).
"""

import math
from collections.abc import Sequence
from statistics import fmean

from optuna.trial import FrozenTrial

from lmrl.scoring import apart
from lmrl.studies.job import training
from lmrl.studies.ledger import Ledger
from lmrl.studies.plan import Objective, composed
from lmrl.studies.space import seeds_of
from lmrl.studies.standings import ranking, told
from lmrl.studies.study import Desk
from lmrl.studies.trial import Outcome, Setting, aggregate, outcomes_of


def retrain(desk: Desk, which: str, seeds: str | None, command: Sequence[str] | None = None) -> dict[str, float]:
    """Train the best trial's setting, or that of trial N, and print the gap to its value; the figures.

    `promised`, the trial's value, and `value`, that of the fresh seeds; the means of both, `promised_mean` and `mean`,
    and `gap`, the second less the first, with its 95 % interval by Welch's t. (An aggregate such as the lower end of an
    interval lies below the seeds that it is made of, so a mean less a value would flatter.) Runs that have finished are
    not repeated. Raises ValueError.
    """
    plan, trial = desk.plan, _found(desk, which)
    fresh = _fresh(plan.each_seed, seeds)
    setting = plan.setting(trial.params)
    cfg = composed(setting)
    ledger = Ledger(plan, cfg.tracking)
    print(f"trial {trial.number} again, seeds {', '.join(map(str, fresh))}: {told(trial.params)}", flush=True)
    named = f"retrain-{trial.number}"
    with training([cfg], command) as command, ledger.page("retrain", named, desk.study, trial.params) as page:
        again = Setting(plan, setting, plan.place / named, [*ledger.overrides, *page.overrides], command)
        outcomes = []
        for seed in fresh:
            outcomes.append(again.run(seed, lambda job: None))
            print(f"  seed {seed}: {outcomes[-1].value:.4g} ({outcomes[-1].end})", flush=True)
        figures = compared(trial.values[0], outcomes_of(trial), outcomes, plan.objective)
        page.write(figures, {})
    print(_verdict(figures))
    return figures


def _found(desk: Desk, which: str) -> FrozenTrial:
    ranked = ranking(desk.study)
    if which == "best" and ranked:
        return ranked[0]
    for trial in ranked:
        if str(trial.number) == which:
            return trial
    numbers = ", ".join(str(trial.number) for trial in sorted(ranked, key=lambda trial: trial.number))
    raise ValueError(f"--retrain {which}: no such trial is complete; write best, or one of {numbers or 'none yet'}")


def _fresh(used: Sequence[int], asked: str | None) -> list[int]:
    """The seeds asked for, or as many as the study has, after its own. Raises ValueError if it has seen one."""
    fresh = seeds_of(asked) if asked else [max(used) + 1 + i for i in range(len(used))]
    if seen := sorted(set(fresh) & set(used)):
        raise ValueError(f"--seeds {asked}: the study has used {seen}; fresh ones tell something new")
    return fresh


def compared(
    promised: float, before: Sequence[Outcome], after: Sequence[Outcome], objective: Objective
) -> dict[str, float]:
    """The figures of `retrain`."""
    then, now = ([outcome.value for outcome in outcomes] for outcomes in (before, after))
    gap, low, high = apart(now, then)
    figures = {
        "promised": promised,
        "promised_mean": fmean(then),
        "value": aggregate(now, objective),
        "mean": fmean(now),
        "gap": gap,
        "gap_low": low,
        "gap_high": high,
        "seeds": float(len(now)),
    }
    return {name: value for name, value in figures.items() if math.isfinite(value)}


def _verdict(figures: dict[str, float]) -> str:
    ends = f" [{figures['gap_low']:.4g}, {figures['gap_high']:.4g}]" if "gap_low" in figures else ""
    return (
        f"promised {figures['promised']:.4g}, mean {figures['promised_mean']:.4g}; {figures['seeds']:.0f} fresh seeds: "
        f"{figures['value']:.4g}, mean {figures['mean']:.4g}; gap of the means {figures['gap']:.4g}{ends}"
    )
