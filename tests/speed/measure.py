"""How a speed is measured: the sides of a comparison by turns, in one process, on one thread, several times.

Rates are per second of processor time (of one core), which other processes on a busy machine disturb less than the
clock on the wall; what they do to caches and memory hits neighbouring turns alike, so a ratio is taken turn by turn.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """How much work goes into a figure."""

    repetitions: int
    share: float
    """Of each repetition's usual work; small where only the measuring is tested."""

    def of(self, count: int) -> int:
        """So many times the work: at least once."""
        return max(1, round(count * self.share))


@dataclass(frozen=True)
class Figure:
    """A measured speed, a value per repetition, beside what it is to reach.

    >>> Figure("env steps", "steps/s", [4.0, 6.0, 5.0], at_least=5.0).met
    True
    """

    name: str
    unit: str
    values: Sequence[float]
    at_least: float | None = None
    at_most: float | None = None

    @property
    def reached(self) -> float:
        """The median of the repetitions."""
        return statistics.median(self.values)

    @property
    def met(self) -> bool | None:
        """None where there is nothing to reach."""
        if self.at_least is not None:
            return self.reached >= self.at_least
        return self.reached <= self.at_most if self.at_most is not None else None


def rate(work: Callable[[], int]) -> float:
    """Units per second of processor time; `work` returns how many it did."""
    begun = time.process_time()
    units = work()
    return units / (time.process_time() - begun)


def by_turns(sides: Mapping[str, Callable[[], float]], repetitions: int) -> dict[str, list[float]]:
    """What each side measures in each repetition, after one turn that does not count."""
    for side in sides.values():
        side()
    turns = [{name: side() for name, side in sides.items()} for _ in range(repetitions)]
    return {name: [turn[name] for turn in turns] for name in sides}


def ratio(over: Sequence[float], under: Sequence[float]) -> list[float]:
    """Turn by turn.

    >>> ratio([4.0, 9.0], [2.0, 3.0])
    [2.0, 3.0]
    """
    return [a / b for a, b in zip(over, under, strict=True)]
