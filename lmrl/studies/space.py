"""Hydra's sweep grammar as Optuna's distributions, and their values as overrides."""

from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, Override, RangeSweep
from hydra.errors import HydraException
from optuna import Trial
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution


def distribution(key: str, text: str) -> BaseDistribution:
    """The distribution that a sweep names. Raises ValueError naming the key.

    >>> distribution("algo.clip", "tag(log, interval(0.05, 0.4))")
    FloatDistribution(high=0.4, log=True, low=0.05, step=None)
    >>> distribution("data.passes", "range(1, 9, 2)")  # as in Hydra, the end is not part of it
    IntDistribution(high=7, log=False, low=1, step=2)
    """
    try:
        sweep = _override(key, text)
        match sweep.value():
            case ChoiceSweep():
                return CategoricalDistribution(_choices(sweep))
            case IntervalSweep(start=float() | int() as low, end=float() | int() as high, tags=tags):
                whole = "int" in tags or isinstance(low, int)
                return _between(low, high, None, "log" in tags, whole)
            case RangeSweep(step=step, tags=tags):
                points = [float(str(value)) for value in sweep.sweep_iterator()]
                whole = all(value.is_integer() for value in points)
                return _between(min(points), max(points), abs(step), "log" in tags, whole)
    except ValueError as error:
        line = str(error)
        raise ValueError(f"space.{line}" if line.startswith(key) else f"space.{key} = {text}: {line}") from error
    raise ValueError(f"space.{key} = {text}: is one value; write choice(...), interval(...) or range(...)")


def _override(key: str, text: str) -> Override:
    try:
        return OverridesParser.create().parse_override(f"{key}={text}")
    except HydraException as error:
        reason = "a list has null, choice(...) has not: null, 0.2" if "NoneType" in str(error) else str(error)
        raise ValueError(f"{key} = {text}: Hydra cannot read it: {reason.splitlines()[0]}") from error


def _choices(sweep: Override) -> list[None | bool | int | float | str]:
    """Numbers and the like as they are; what Optuna has no kind for, such as a list, as it is written."""
    plain = (type(None), int, float)
    pairs = zip(sweep.sweep_iterator(), sweep.sweep_string_iterator(), strict=True)
    return [value if isinstance(value, plain) else text for value, text in pairs]


def _between(low: float, high: float, step: float | None, log: bool, whole: bool) -> BaseDistribution:
    if log and step not in (None, 1):
        raise ValueError("a logarithmic range has no steps; write tag(log, interval(...))")
    if whole:
        return IntDistribution(int(low), int(high), step=int(step or 1), log=log)
    return FloatDistribution(low, high, step=None if log else step, log=log)


def draw(trial: Trial, name: str, kind: BaseDistribution) -> None:
    """Let a trial have a value of the parameter, which it keeps."""
    match kind:
        case CategoricalDistribution(choices=choices):
            trial.suggest_categorical(name, choices)
        case IntDistribution(low=low, high=high, step=step, log=log):
            trial.suggest_int(name, low, high, step=step, log=log)
        case FloatDistribution(low=low, high=high, step=step, log=log):
            trial.suggest_float(name, low, high, step=step, log=log)


def spelt(params: Mapping[str, Any]) -> list[str]:
    """A trial's parameters as overrides.

    >>> spelt({"algo.clip": 0.2, "algo.whiten": True, "algo.stop_kl": None})
    ['algo.clip=0.2', 'algo.whiten=true', 'algo.stop_kl=null']
    """
    words = {True: "true", False: "false", None: "null"}
    exact = (bool, type(None))
    return [f"{key}={words[value] if isinstance(value, exact) else value}" for key, value in params.items()]


def ends(kind: BaseDistribution) -> list[Any]:
    """The values that tell whether a distribution's others are right: both ends, or all choices."""
    match kind:
        case CategoricalDistribution(choices=choices):
            return list(choices)
        case IntDistribution(low=low, high=high) | FloatDistribution(low=low, high=high):
            return [low, high]
    raise TypeError(f"{kind}: not a distribution that a sweep names")


def seeds_of(given: Sequence[int] | str) -> list[int]:
    """Numbers, or what says them: `range(0, 20)`, `3, 5, 8` or `3`. Raises ValueError."""
    found = _written(given) if isinstance(given, str) else list(given)
    if not found or len(set(found)) < len(found) or min(found) < 0:
        raise ValueError(f"seeds = {given}: at least one, none twice, none below 0")
    return found


def _written(text: str) -> list[int]:
    parsed = _override("seeds", text)
    values = list(parsed.sweep_iterator()) if parsed.is_discrete_sweep() else [parsed.value()]
    whole = [value for value in values if isinstance(value, int)]
    if len(whole) < len(values):
        raise ValueError(f"seeds = {text}: write [0, 1, 2] or range(0, 3)")
    return whole
