"""The published figures beside ours: a verdict for each, by a rule that the report states.

All of it is told in raw returns. What is near and what is wide is measured on each task by the range of the published
figures of its trained players. Ours is *better* or *worse* if its 95 % interval lies above or below the published
figure, and its mean is further off than `NEAR` of that range. Otherwise the figure is *reproduced*, unless the interval
is wider than `WIDE` of the range: it would hold almost any figure. Then they are *not comparable*, as they are if
something differs by construction; what it is, is said.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from lmrl.reports.aggregate import Estimate
from lmrl.reports.rows import Row
from lmrl.scoring import Score

NEAR, WIDE = 0.025, 0.25
"""Shares of the range of the published figures."""
FILE = Path(__file__).with_name("paper.yaml")


@dataclass(frozen=True, kw_only=True)
class Published:
    """What was published of a task; the keys of `lmrl/reports/paper.yaml`."""

    model: str
    scale: tuple[float, float, float] | None
    raw: Mapping[str, float]
    needs: Mapping[str, Any] = field(default_factory=dict)
    differs: str = ""
    never: str = ""

    @property
    def score(self) -> Score | None:
        """The scale as one."""
        return Score(floor=self.scale[0], mean=self.scale[1], best=self.scale[2]) if self.scale else None

    @property
    def range(self) -> float:
        """Of the raw figures of the trained players; GPT-4, which was prompted, may lie far from all of them."""
        trained = [value for algo, value in self.raw.items() if algo != "prompting"]
        return max(trained) - min(trained)


@dataclass(frozen=True)
class Verdict:
    """A word and, where it is not comparable, why."""

    word: str
    why: str = ""


@lru_cache
def published() -> Mapping[str, Published]:
    """By task."""
    return {task: Published(**facts) for task, facts in yaml.safe_load(FILE.read_text(encoding="utf-8")).items()}


def figure(row: Row) -> float | None:
    """The published raw return of a row's algorithm; None if there is none."""
    facts = published().get(row.task)
    return facts.raw.get(row.algo) if facts else None


def verdict(row: Row, ours: Estimate) -> Verdict | None:
    """How our mean compares with the published figure; None if there is none."""
    theirs = figure(row)
    if theirs is None:
        return None
    facts = published()[row.task]
    why = _hindrance(row, facts)
    return Verdict("not comparable", why) if why else judged(ours, theirs, facts.range)


def judged(ours: Estimate, theirs: float, span: float) -> Verdict:
    """What is said, given that both are of the same task. span: the range of what was published of it.

    >>> judged(Estimate(-6.9, -7.0, -6.8), -37.7, 65.13).word
    'better'
    """
    beyond = not ours.low <= theirs <= ours.high
    if beyond and abs(ours.value - theirs) > NEAR * span:
        return Verdict("better" if ours.low > theirs else "worse")
    width = ours.high - ours.low
    if width > WIDE * span:
        why = f"the interval is too wide: {width:.3g}; at most {WIDE * span:.3g} would tell something"
        return Verdict("not comparable", why)
    return Verdict("reproduced")


def _hindrance(row: Row, facts: Published) -> str:
    """Why a row is not of the published task, or not of the published player; empty if it is."""
    if facts.never:
        return facts.never
    if row.algo == "prompting":
        return "published is GPT-4"
    if row.policy != "sample":
        return f"plays by policy={row.policy}; published players sample"
    run = row.runs[-1]
    for key, wanted in facts.needs.items():
        given = run.params.get(key) or run.tags.get(key, "")
        allowed = [str(value) for value in (wanted if isinstance(wanted, list) else [wanted])]
        if given not in allowed:
            return f"{key}: {given or 'not recorded'}; published: {' or '.join(allowed)}"
    return ""
