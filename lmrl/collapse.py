"""Whether an online run collapsed, and when: pure functions on the curves that it logged.

Returns have no unit of their own, so a fall is measured by what the run had gained. An evaluation x has *fallen* if

    best - x >= fall * (best - start),    best - x >= room * span,    high of x < low of best

where `best` is the best evaluation before it, `start` the one before any training, and `span` what lies between floor
and best of the task's score. The first condition does not change with scale or zero of the returns. A run that gained
nothing would meet it with any loss, hence the second; and so that the luck of a few games is no fall, the intervals
must not meet. A run has collapsed if it has fallen from some evaluation on to the last.

The other signs are of what is said in a round: invalid actions, one text, no entropy. A good policy may say little
else than one thing. So a sign counts if it was not there in the first round, stays to the last, and no evaluation
under it is better than the first.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lmrl.kinds import Share

Curve = Sequence[tuple[float, float]]
"""(environment steps, value), in order."""


class Look(NamedTuple):
    """An evaluation: environment steps before it, mean return and the ends of its interval."""

    at: float
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Collapse:
    """A sign of collapse that stands to the end of a run."""

    kind: str
    """`diverged`, `invalid`, `repeated`, `entropy` or `fall`."""
    at: float
    """Environment steps after which it was first seen."""
    why: str


def by_env_steps(history: Mapping[str, Sequence[tuple[int, float]]]) -> dict[str, list[tuple[float, float]]]:
    """Curves over steps of the optimiser as curves over the environment steps that had been played by then.

    history: as `Tracker.history` has it; `round/env_steps` tells how many. Before the first round it is none.

    >>> by_env_steps({"round/env_steps": [(4, 100.0), (8, 250.0)], "eval/turns": [(0, 9.0), (8, 7.0)]})["eval/turns"]
    [(0.0, 9.0), (250.0, 7.0)]
    """
    rounds = history.get("round/env_steps", ())
    steps = [step for step, _ in rounds]
    played = [0.0, *(count for _, count in rounds)]
    return {name: [(played[bisect_right(steps, s)], value) for s, value in curve] for name, curve in history.items()}


def looks(curves: Mapping[str, Curve], name: str = "eval/return_mean") -> list[Look]:
    """The evaluations among the curves."""
    columns = [curves.get(f"{name}{end}", ()) for end in ("", "_low", "_high")]
    return [Look(at, mean, low, high) for (at, mean), (_, low), (_, high) in zip(*columns, strict=True)]


def fall(evaluations: Sequence[Look], *, span: float, fall: float, room: float) -> int | None:
    """Which evaluation is the first after the fall; None if there was none, or the run came back.

    >>> curve = [Look(0, -80, -82, -78), Look(1, -10, -11, -9), Look(2, -90, -91, -89)]
    >>> fall(curve, span=94, fall=0.5, room=0.1)
    2
    >>> fall([*curve, Look(3, -12, -13, -11)], span=94, fall=0.5, room=0.1)
    """
    best, fallen = None, []
    for look in evaluations:
        best = best or look
        lost, gained = best.mean - look.mean, best.mean - evaluations[0].mean
        fallen.append(look.high < best.low and lost >= fall * gained and lost >= room * span)
        best = max(best, look, key=lambda x: x.mean)
    return lasting(fallen)


def lasting(signs: Sequence[bool]) -> int | None:
    """Where the last unbroken row of signs begins, if it goes on to the end.

    >>> lasting([True, False, True, True]), lasting([True, False])
    (2, None)
    """
    length = next((i for i, sign in enumerate(reversed(signs)) if not sign), len(signs))
    return len(signs) - length if length else None


def took_over(curve: Curve, sign: Callable[[float], bool], evaluations: Sequence[Look]) -> float | None:
    """The environment steps from which on a sign stands that did not in the first round; None if none does.

    Nor does it where it may be good: an evaluation under it is better than the first, beyond both intervals.
    """
    first = lasting([sign(value) for _, value in curve])
    if not first:
        return None
    at = curve[first][0]
    better = any(look.low > evaluations[0].high for look in evaluations if look.at >= at)
    return None if better else at


@dataclass(frozen=True, kw_only=True)
class Detector:
    """Limits from which on a run has collapsed; `conf/data/online.yaml`."""

    fall: Share
    """Share of what the run had gained over its start that an evaluation must have lost,"""
    room: Share
    """and of what lies between floor and best of the task's score."""
    invalid: Share
    """Share of a round's actions that are invalid."""
    repeated: Share
    """Share of a round's actions that are the commonest text."""
    entropy: Share
    """Entropy of a round as a share of the first round's."""

    def __call__(
        self, history: Mapping[str, Sequence[tuple[int, float]]], *, span: float, diverged: bool
    ) -> list[Collapse]:
        """All signs that stand to the end of the run, the earliest first. span: of the task's score, floor to best."""
        curves = by_env_steps(history)
        found = [*(_diverged(curves) if diverged else ()), *self._signs(curves), *self._fall(curves, span)]
        return sorted(found, key=lambda sign: sign.at)

    def _signs(self, curves: Mapping[str, Curve]) -> Iterator[Collapse]:
        begun = next((value for _, value in curves.get("round/entropy", ())), 0.0)
        signs: dict[str, tuple[Callable[[float], bool], str]] = {
            "invalid": (lambda x: x >= self.invalid, f"at least {self.invalid:.0%} of the actions are invalid"),
            "repeated": (lambda x: x >= self.repeated, f"at least {self.repeated:.0%} of the actions are one text"),
            "entropy": (lambda x: x <= self.entropy * begun, f"at most {self.entropy:.0%} of the entropy is left"),
        }
        for kind, (sign, words) in signs.items():
            at = took_over(curves.get(f"round/{kind}", ()), sign, looks(curves))
            if at is not None:
                yield Collapse(kind, at, f"from {at:.0f} environment steps on {words}")

    def _fall(self, curves: Mapping[str, Curve], span: float) -> Iterator[Collapse]:
        evaluations = looks(curves)
        first = fall(evaluations, span=span, fall=self.fall, room=self.room)
        if first is not None:
            best, at = max(look.mean for look in evaluations[:first]), evaluations[first].at
            then, last = evaluations[first].mean, evaluations[-1].mean
            words = (
                f"by {at:.0f} environment steps the return fell from {best:.4g} to {then:.4g}; {last:.4g} at the end"
            )
            yield Collapse("fall", at, words)


def _diverged(curves: Mapping[str, Curve]) -> Iterator[Collapse]:
    at = max((at for at, _ in curves.get("round/env_steps", ())), default=0.0)
    yield Collapse("diverged", at, f"by {at:.0f} environment steps a loss or gradient was not finite")


def verdict(found: Sequence[Collapse]) -> dict[str, float]:
    """What was found as metrics: `collapsed`, and `collapsed_at` if it did.

    >>> verdict([]), verdict([Collapse("fall", 900.0, "...")])
    ({'collapsed': 0.0}, {'collapsed': 1.0, 'collapsed_at': 900.0})
    """
    return {"collapsed": 1.0, "collapsed_at": found[0].at} if found else {"collapsed": 0.0}
