"""A trial's setting with fresh seeds: what the study promised beside what it holds.

The best of many trials is in part the luckiest of them, so it promises too much (the winner's curse).
"""

import math
from collections.abc import Sequence

from optuna.trial import FrozenTrial

from lmrl.scoring import across_seeds
from lmrl.studies.ledger import Ledger
from lmrl.studies.plan import composed
from lmrl.studies.space import integers
from lmrl.studies.standings import ranking, told
from lmrl.studies.study import Desk
from lmrl.studies.trial import Outcome, Setting, aggregate


def retrain(desk: Desk, which: str, seeds: str | None, command: Sequence[str]) -> dict[str, float]:
    """Train the best trial's setting, or that of trial N, and print the gap to its value; the figures.

    `promised`; `value` and `mean` of the fresh seeds; `gap`, their mean less what was promised, with its 95 % interval
    over the fresh seeds. Runs that have finished are not repeated. Raises ValueError.
    """
    plan, trial = desk.plan, _found(desk, which)
    fresh = _fresh(plan.each_seed, seeds)
    setting = plan.setting(trial.params)
    ledger = Ledger(plan, composed(setting).tracking)
    print(f"trial {trial.number} again, seeds {', '.join(map(str, fresh))}: {told(trial.params)}", flush=True)
    with ledger.page("retrain", f"retrain-{trial.number}", desk.study, trial.params) as page:
        folder = plan.place / f"retrain-{trial.number}"
        again = Setting(plan, setting, folder, [*ledger.overrides, *page.overrides], command)
        outcomes = []
        for seed in fresh:
            outcomes.append(again.run(seed, lambda job: None))
            print(f"  seed {seed}: {outcomes[-1].value:.4g} ({outcomes[-1].end})", flush=True)
        figures = compared(trial.values[0], outcomes, setting=again)
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
    fresh = integers(asked) if asked else [max(used) + 1 + i for i in range(len(used))]
    if seen := sorted(set(fresh) & set(used)):
        raise ValueError(f"--seeds {asked}: the study has used {seen}; fresh ones tell something new")
    return fresh


def compared(promised: float, outcomes: Sequence[Outcome], *, setting: Setting) -> dict[str, float]:
    """The figures of `retrain`."""
    values = [outcome.value for outcome in outcomes]
    gap, low, high = across_seeds([value - promised for value in values])
    figures = {
        "promised": promised,
        "value": aggregate(values, setting.plan.objective),
        "mean": promised + gap,
        "gap": gap,
        "gap_low": low,
        "gap_high": high,
        "seeds": float(len(values)),
    }
    return {name: value for name, value in figures.items() if math.isfinite(value)}


def _verdict(figures: dict[str, float]) -> str:
    ends = f" [{figures['gap_low']:.4g}, {figures['gap_high']:.4g}]" if "gap_low" in figures else " (one seed)"
    return (
        f"promised {figures['promised']:.4g}; {figures['seeds']:.0f} fresh seeds: {figures['value']:.4g}, "
        f"mean {figures['mean']:.4g}; gap of the mean {figures['gap']:.4g}{ends}"
    )
