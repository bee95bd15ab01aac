"""The published figures beside ours: a verdict for each, by a rule that the report states.

Ours is *better* or *worse* if its 95 % interval lies above or below the published figure, and its mean is further off
than `TOLERANCE` points of the paper's scale (0 the floor, 50 the data's mean, 100 the best). Otherwise the figure is
*reproduced*. They are *not comparable* if something differs by construction; what it is, is said.
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

TOLERANCE = 2.5
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
    return Verdict("not comparable", why) if why else Verdict(judged(ours, theirs, facts.score))


def judged(ours: Estimate, theirs: float, scale: Score | None) -> str:
    """The word, given that both are of the same task.

    >>> judged(Estimate(-6.9, -7.0, -6.8), -37.7, Score(floor=-101, mean=-83, best=-6.84))
    'better'
    """
    near = scale is not None and abs(scale(ours.value) - scale(theirs)) <= TOLERANCE
    if near or ours.low <= theirs <= ours.high:
        return "reproduced"
    return "better" if ours.low > theirs else "worse"


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
