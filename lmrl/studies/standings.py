"""How a study stands: its trials from the best to the worst, and its figures."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from lmrl.scoring import across_seeds
from lmrl.studies.job import End
from lmrl.studies.trial import Outcome, outcomes_of

if TYPE_CHECKING:
    from rich.table import Table

ENDS: tuple[End, ...] = ("diverged", "collapsed", "timeout", "died")
"""How a run can come to nothing."""


def shares(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """The share of runs that ended so, for each bad end; none of no runs."""
    counts = Counter(outcome.end for outcome in outcomes)
    return {end: counts[end] / len(outcomes) for end in ENDS} if outcomes else {}


def figures_of(value: float | None, outcomes: Sequence[Outcome]) -> dict[str, float]:
    """A trial's: `value`, the seeds' mean with its ends, `seeds`, the share of each bad end, and what is beside."""
    mean, low, high = across_seeds([outcome.value for outcome in outcomes]) if outcomes else (math.nan,) * 3
    figures = {"value": math.nan if value is None else value, "mean": mean, "mean_low": low, "mean_high": high}
    figures["seeds"] = float(len(outcomes))
    for name in outcomes[0].figures if outcomes else ():
        known = [x for outcome in outcomes if (x := outcome.figures.get(name)) is not None]
        figures[name] = sum(known) / len(known) if known else math.nan
    figures |= shares(outcomes)  # of all runs, where a figure beside is of those that left one
    return {name: x for name, x in figures.items() if math.isfinite(x)}


def figures_of_study(study: optuna.Study) -> dict[str, float]:
    """`trials` that ended, the share that was `pruned`, `runs`, the share of each bad end, and the `best` value."""
    ended = [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]
    runs = [outcome for trial in ended for outcome in outcomes_of(trial)]
    figures = {"trials": float(len(ended)), "runs": float(len(runs)), **shares(runs)}
    if ended:
        figures["pruned"] = sum(trial.state == TrialState.PRUNED for trial in ended) / len(ended)
    ranked = ranking(study)
    return figures | ({"best": ranked[0].values[0]} if ranked else {})


def ranking(study: optuna.Study) -> list[FrozenTrial]:
    """Complete trials, the best first."""
    sign = -1 if study.direction == optuna.study.StudyDirection.MAXIMIZE else 1
    complete = [trial for trial in study.get_trials(deepcopy=False) if trial.state == TrialState.COMPLETE]
    return sorted(complete, key=lambda trial: sign * trial.values[0])


def standings(study: optuna.Study, size: int, *, most: int | None = 10) -> "Table":
    """The best settings with the interval of each, and below them how many trials there are of each state."""
    from rich.box import HORIZONTALS
    from rich.table import Table

    states = Counter(trial.state.name.lower() for trial in study.get_trials(deepcopy=False))
    so_far = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "no trial yet"
    caption = f"{so_far}, of {size}; in brackets: 95 % interval of the mean over seeds"
    table = Table(
        box=HORIZONTALS,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        title=study.user_attrs.get("question") or study.study_name,
        caption=caption,
    )
    for title in ("trial", "value", "mean over seeds", "seeds"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("bad runs")
    table.add_column("setting", overflow="fold")
    for trial in ranking(study)[:most]:
        table.add_row(*_row(trial))
    return table


def show(study: optuna.Study, size: int) -> None:
    """Print the standings."""
    from rich.console import Console

    Console().print(standings(study, size))


def _row(trial: FrozenTrial) -> list[str]:
    figures = figures_of(trial.values[0], outcomes_of(trial))
    bad = ", ".join(f"{100 * figures[end]:.0f} % {end}" for end in ENDS if figures.get(end))
    numbers = [str(trial.number), f"{figures['value']:.4g}", bracketed(figures), f"{figures['seeds']:.0f}"]
    return [*numbers, bad, told(_short(trial.params))]


def _short(params: Mapping[str, Any]) -> dict[str, Any]:
    """By the last parts of their keys, where these differ."""
    short = {key.rpartition(".")[2]: value for key, value in params.items()}
    return short if len(short) == len(params) else dict(params)


def bracketed(figures: Mapping[str, float]) -> str:
    """`-7.2 [-7.4, -7.0]`; one seed has no interval."""
    if "mean" not in figures:
        return ""
    ends = f" [{figures['mean_low']:.4g}, {figures['mean_high']:.4g}]" if "mean_low" in figures else ""
    return f"{figures['mean']:.4g}{ends}"


def told(params: Mapping[str, Any]) -> str:
    """A setting in a line.

    >>> told({"algo.clip": 0.123456, "data.passes": 2})
    'algo.clip=0.1235 data.passes=2'
    """
    return " ".join(
        f"{key}={value:.4g}" if isinstance(value, float) else f"{key}={value}" for key, value in params.items()
    )
