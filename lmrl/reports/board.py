"""Rows of runs as figures: a board for each task, and what can be said over several tasks."""

import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from lmrl.reports.aggregate import Estimate, Floats, Sample, improvement, iqm_of, mean_of, profile, rank_shares, samples
from lmrl.reports.paper import Verdict, figure, published, verdict
from lmrl.reports.rows import Row
from lmrl.scoring import Score

LEVELS = np.linspace(0, 100, 101)
"""Scores at which a profile is drawn."""


@dataclass(frozen=True)
class Line:
    """A row and its figures."""

    row: Row
    sample: Sample

    @property
    def name(self) -> str:
        """The algorithm, and how it acts if not as it was trained to."""
        return self.row.algo if self.row.policy == "sample" else f"{self.row.algo}, {self.row.policy}"

    @cached_property
    def mean(self) -> Estimate:
        """Of the raw return; of a single run that kept no episodes, with the interval that it logged."""
        found = mean_of(self.sample)
        if self.row.kept or len(self.row.runs) > 1:
            return found
        logged = self.row.runs[0].metrics
        return Estimate(found.value, *(logged.get(f"final/return_mean_{end}", found.value) for end in ("low", "high")))

    @property
    def iqm(self) -> Estimate:
        """Interquartile mean over seeds, of the raw return."""
        return iqm_of([self.sample])

    @property
    def scale(self) -> tuple[str, Score] | None:
        """The scale of the scores, with its name: the published one, or else our own, or else that of our data."""
        known = next((dict(played.scores) for played in self.row.played if played), {})
        facts = published().get(self.row.task)
        if not known and facts and facts.score and all("final/score_paper" in run.metrics for run in self.row.runs):
            known["paper"] = facts.score
        return next(((name, known[name]) for name in ("paper", "own", "data") if name in known), None)

    @property
    def score(self) -> Estimate | None:
        """Of the mean return, and of the ends of its interval: a score is monotone."""
        if self.scale is None:
            return None
        _, score = self.scale
        return Estimate(score(self.mean.value), score(self.mean.low), score(self.mean.high))

    @property
    def paper(self) -> float | None:
        """The published raw return."""
        return figure(self.row)

    @property
    def verdict(self) -> Verdict | None:
        """How they compare."""
        return verdict(self.row, self.mean)


@dataclass(frozen=True)
class Board:
    """A task, with its word list, speaker or opponent, and all who play it."""

    task: str
    facts: tuple[str, ...]
    lines: Sequence[Line]

    @cached_property
    def ranks(self) -> Floats:
        """[line, rank]: how often each line has each rank under resampling."""
        return rank_shares([line.sample for line in self.lines])

    @property
    def data_mean(self) -> float | None:
        """Mean return of the data that the newest of the runs learnt from."""
        runs = sorted((run for line in self.lines for run in line.row.runs), key=lambda run: -run.begun)
        return next((run.metrics["data/return_mean"] for run in runs if "data/return_mean" in run.metrics), None)

    def scored(self, model: str) -> dict[str, tuple[Sample, tuple[str, Score]]]:
        """By algorithm, returns and scale of a model that plays as it was trained to; without those that have none."""
        rows = [line for line in self.lines if (line.row.model, line.row.policy) == (model, "sample")]
        return {line.row.algo: (line.sample, line.scale) for line in rows if line.scale}

    @property
    def unlike(self) -> list[str]:
        """Models whose players are on unlike scales here, as of unlike data: their scores cannot be compared."""
        models = sorted({line.row.model for line in self.lines})
        return [model for model in models if len({scale for _, scale in self.scored(model).values()}) > 1]


@dataclass(frozen=True)
class Overall:
    """Algorithms of one model over the tasks that all of them play; scores on each task's one scale."""

    model: str
    tasks: Sequence[tuple[str, str]]
    """With the name of the scale."""
    by_algo: dict[str, list[Sample]]
    left_out: Sequence[str]
    """Algorithms that play too few of these tasks."""

    @property
    def iqm(self) -> dict[str, Estimate]:
        """Interquartile mean of the scores over all tasks and seeds, the best first."""
        found = {algo: iqm_of(scored) for algo, scored in self.by_algo.items()}
        return dict(sorted(found.items(), key=lambda item: -item[1].value))

    @property
    def improvements(self) -> dict[tuple[str, str], Estimate]:
        """For each pair, the one ahead in `iqm` first."""
        return {
            (one, other): improvement(list(zip(self.by_algo[one], self.by_algo[other], strict=True)))
            for one, other in combinations(self.iqm, 2)
        }

    @property
    def profiles(self) -> dict[str, tuple[Floats, Floats, Floats, Floats]]:
        """Share of runs above each level of the score."""
        return {algo: (LEVELS, *profile(self.by_algo[algo], LEVELS)) for algo in self.iqm}

    @property
    def ranks(self) -> Floats:
        """[algorithm, rank], mean over tasks, in the order of `iqm`."""
        by_task = [rank_shares([self.by_algo[algo][i] for algo in self.iqm]) for i in range(len(self.tasks))]
        return np.asarray(np.mean(by_task, axis=0))


def boards(rows: Sequence[Row]) -> list[Board]:
    """One for each task. Each task's episodes and seeds are drawn by themselves, whatever else is in the store."""
    by_task: dict[tuple[str, tuple[str, ...]], list[Row]] = defaultdict(list)
    for row in rows:
        by_task[row.task, row.facts].append(row)
    result = []
    for (task, facts), found in by_task.items():
        drawn = samples([row.returns for row in found], seed=zlib.crc32(task.encode()))
        result.append(Board(task, facts, [Line(row, sample) for row, sample in zip(found, drawn, strict=True)]))
    return result


def overall(found: Sequence[Board]) -> list[Overall]:
    """For each model, what its algorithms do over the tasks that all of them play; none where these are too few."""
    models = sorted({line.row.model for board in found for line in board.lines})
    return [made for model in models if (made := _overall(model, found)) is not None]


def _overall(model: str, found: Sequence[Board]) -> Overall | None:
    played = [(board.task, board.scored(model)) for board in found if model not in board.unlike]
    algos = _together([set(scored) for _, scored in played])
    common = [(task, scored) for task, scored in played if algos and algos <= scored.keys()]
    if not common:
        return None
    by_algo = {
        algo: [sample.scored(score) for sample, (_, score) in (scored[algo] for _, scored in common)]
        for algo in sorted(algos)
    }
    tasks = [(task, next(name for _, (name, _) in scored.values())) for task, scored in common]
    lines = [line for board in found for line in board.lines]
    rest = {line.row.algo for line in lines if (line.row.model, line.row.policy) == (model, "sample")} - algos
    return Overall(model, tasks, by_algo, sorted(rest))


def _together(players: Sequence[set[str]]) -> set[str]:
    """Of the sets of algorithms that play a task, those to compare: that most samples are compared, else most players.

    >>> sorted(_together([{"bc", "ppo", "ilql"}, {"bc", "ppo"}, {"bc", "ppo"}]))
    ['bc', 'ppo']
    """
    algos = sorted(set().union(*players))
    sets = [set(chosen) for size in range(len(algos), 1, -1) for chosen in combinations(algos, size)]
    return max(sets, key=lambda chosen: len(chosen) * sum(chosen <= here for here in players), default=set())
