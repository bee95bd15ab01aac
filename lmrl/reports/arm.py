"""An arm of a study, or a setting of a search: what its runs came to."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from lmrl.reports.aggregate import Estimate
from lmrl.reports.survival import Survival, share, survival
from lmrl.studies.trial import Outcome


@dataclass(frozen=True)
class Arm:
    """A trial's runs, a seed each."""

    name: str
    params: Mapping[str, Any]
    outcomes: Sequence[Outcome]
    left: Mapping[int, Mapping[str, float]]
    """`metrics.json` of the seeds whose folder is here."""
    metric: str
    budget: float

    @property
    def known(self) -> list[Outcome]:
        """Runs of which it is known whether they collapsed: not those that timed out or died."""
        return [outcome for outcome in self.outcomes if outcome.end not in ("timeout", "died")]

    @property
    def bad(self) -> list[Outcome]:
        """Those that collapsed or diverged."""
        return [outcome for outcome in self.known if outcome.end in ("collapsed", "diverged")]

    @property
    def lost(self) -> dict[int, bool]:
        """Whether the run collapsed or diverged, by seed, where that is known."""
        return {outcome.seed: outcome in self.bad for outcome in self.known}

    @property
    def collapse(self) -> Estimate | None:
        """Its probability; None where nothing is known."""
        return share(len(self.bad), len(self.known)) if self.known else None

    @property
    def survival(self) -> Survival | None:
        """None where it is not known of a collapsed run when, or of the others until when they were seen."""
        times = [self._collapsed_at(outcome) for outcome in self.bad]
        if not self.known or math.isnan(self.budget) or any(math.isnan(at) for at in times):
            return None
        return survival([*times, *[None] * (len(self.known) - len(times))], max([self.budget, *times]))

    def _collapsed_at(self, outcome: Outcome) -> float:
        kept = self.left.get(outcome.seed, outcome.figures).get("collapsed_at")
        return math.nan if kept is None else float(kept)

    @property
    def returns(self) -> dict[int, float]:
        """The metric at the end, by seed; of a run that left no figures, what it is worth to the study."""
        return {x.seed: float(self.left.get(x.seed, {}).get(self.metric, x.value)) for x in self.outcomes}

    @property
    def typical(self) -> float:
        """The median over seeds: a mean lies where no run of a bistable setting ends."""
        return median(self.returns.values())
