"""The benchmark as a page: `lmrl-report` reads the finished runs of a store and sets them beside the published figures.

Three files, of the same figures: `report.html`, which needs nothing beside it, `report.md` and `report.csv`. They are
artifacts of a summary run (tag kind=report) too, whose metrics are the means with their intervals.
"""

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig

from lmrl.config import check
from lmrl.evaluate import refuse_taken
from lmrl.pages import template
from lmrl.reports import glance, pictures, tables
from lmrl.reports.aggregate import DRAWS
from lmrl.reports.archive import StoredRun, stored_runs
from lmrl.reports.board import Board, Line, Overall, boards, overall
from lmrl.reports.glance import SIGNS, best, glances
from lmrl.reports.paper import NEAR, WIDE, published
from lmrl.reports.rows import KINDS, rows
from lmrl.reports.tables import between, cells, number, percent, rank, seeds
from lmrl.studies.plan import read
from lmrl.tracking import Tracker

LEGEND = (
    "Mean raw returns with 95 % bootstrap intervals by seeds and episodes, of one seed (1 ×) over episodes alone; "
    "of few seeds they are too narrow: of three they hold the true mean in about 72 % of cases. "
    "IQM is over seeds. The paper's figures are raw returns of single runs of GPT-2 sizes. At a glance: the highest "
    f"mean is bold; a sign stands before the paper's figure, {', '.join(f'{x} {word}' for word, x in SIGNS.items())}."
)


@dataclass(frozen=True)
class Report:
    """All that the pages show."""

    boards: Sequence[Board]
    read: int
    """Finished runs of the store that were read."""

    @cached_property
    def overall(self) -> list[Overall]:
        """Over tasks, a model each."""
        return overall(self.boards)

    @property
    def lines(self) -> list[Line]:
        """Of all boards."""
        return [line for board in self.boards for line in board.lines]

    @property
    def verdicts(self) -> Mapping[str, int]:
        """How many figures have each verdict."""
        return Counter(found.word for line in self.lines if (found := line.verdict))


def report(cfg: DictConfig, folder: Path, overrides: Sequence[str] = ()) -> dict[str, float]:
    """Write the three files into the folder and into the store; the means, as the summary run has them.

    With `cfg.study`, a study's two files. Raises ValueError if there is no store or no finished run in it.
    """
    check(cfg)
    refuse_taken(folder)
    if cfg.study:
        return _of_study(cfg, folder, overrides)
    if not cfg.tracking.uri:
        raise ValueError("tracking.uri = null: a report reads a store; name the one that runs were recorded in")
    made = gathered(cfg.tracking.uri, stored_runs(cfg.tracking.uri, cfg.tracking.experiment))
    if not made.boards:
        raise ValueError(f"tracking.uri = {cfg.tracking.uri}: no finished run in experiment {cfg.tracking.experiment}")
    tracker: Tracker = instantiate(cfg.tracking)(folder=folder, run_name="report")
    with tracker.recording(cfg, overrides, {"kind": "report"}):
        figures = metrics(made)
        for path in write(made, folder):
            tracker.log_file(path)
        tracker.log_metrics(figures, 0)
    print(f"{sum(len(x.row.runs) for x in made.lines)} of {made.read} finished runs; {folder / 'report.html'}")
    return figures


def _of_study(cfg: DictConfig, folder: Path, overrides: Sequence[str]) -> dict[str, float]:
    """The pages of a study, which become a run of its experiment."""
    from lmrl.reports import study as study_page

    plan = read(Path(cfg.study), cfg.changes)
    made = study_page.gathered(plan, cfg.study, cfg.against)
    tracker: Tracker = instantiate(cfg.tracking, experiment=plan.study)(folder=folder, run_name="report")
    with tracker.recording(cfg, overrides, {"kind": "report", "study": plan.study}):
        for path in study_page.write(made, folder):
            tracker.log_file(path)
    print(folder / "study.html")
    return {}


def gathered(uri: str, stored: Sequence[StoredRun]) -> Report:
    """The boards of stored runs, oldest first."""
    return Report(boards(rows(uri, stored)), sum(run.tags.get("kind") in KINDS for run in stored))


def write(made: Report, folder: Path) -> list[Path]:
    """The three files."""
    html, markdown, table = (folder / f"report.{kind}" for kind in ("html", "md", "csv"))
    folder.mkdir(parents=True, exist_ok=True)
    html.write_text(page(made), encoding="utf-8")
    markdown.write_text(as_markdown(made.boards), encoding="utf-8")
    with table.open("w", encoding="utf-8", newline="") as out:
        flat = [cells(board, line) for board in made.boards for line in board.lines]
        writer = csv.DictWriter(out, flat[0].keys())
        writer.writeheader()
        writer.writerows(flat)
    return [html, markdown, table]


def as_markdown(found: Sequence[Board]) -> str:
    """All tables: at a glance, then task by task."""
    parts = ["# Benchmark", "", LEGEND, ""]
    for seen in glances(found):
        parts += [*glance.as_markdown(seen), ""]
    for board in found:
        facts = [" · ".join(board.facts), ""] if board.facts else []
        parts += [f"## {board.task}", "", *facts, *tables.as_markdown(board), ""]
    return "\n".join(parts)


def metrics(made: Report) -> dict[str, float]:
    """`report/<task>/<player>/return_mean` with its ends; what another row has as well is told apart by its model."""
    result: dict[str, float] = {}
    for board in made.boards:
        for line in board.lines:
            place = "/".join(["report", board.task, *board.facts, line.row.model, line.name])
            name = re.sub(r"[^\w\-./ ]+", " ", place, flags=re.ASCII)[:220]
            ends = (line.mean.value, line.mean.low, line.mean.high)
            result |= dict(zip((f"{name}/return_mean{end}" for end in ("", "_low", "_high")), ends, strict=True))
    return result


def page(made: Report) -> str:
    """One self-contained page."""
    return template("report.html").render(
        made=made,
        when=datetime.now(UTC).strftime("%Y-%m-%d"),
        signs=SIGNS,
        glances=glances(made.boards),
        best=best,
        published=published(),
        near=NEAR,
        wide=WIDE,
        draws=DRAWS,
        board_picture=board_picture,
        overall_pictures=overall_pictures,
        tell={"number": number, "between": between, "percent": percent, "seeds": seeds, "rank": rank},
    )


def board_picture(board: Board) -> str:
    """Means with their intervals, the best on top, the paper's figures, and the data's mean."""
    lines = sorted(board.lines, key=lambda line: -line.mean.value)
    several = len({line.row.model for line in lines}) > 1
    names = [f"{line.name} ({line.row.model})" if several else line.name for line in lines]
    marks = {i: line.paper for i, line in enumerate(lines) if line.paper is not None and _comparable(line)}
    dashed = None if board.data_mean is None else ("our data", board.data_mean)
    told = [(name, line.row.algo, line.mean) for name, line in zip(names, lines, strict=True)]
    return pictures.intervals(told, "raw return", f"{board.task}: mean returns", marks=marks, line=dashed)


def _comparable(line: Line) -> bool:
    return line.verdict is not None and line.verdict.word != "not comparable"


def overall_pictures(found: Overall) -> dict[str, str]:
    """Over tasks: scores, profiles, who beats whom, and ranks."""
    best = [(algo, algo, estimate) for algo, estimate in found.iqm.items()]
    pairs = [(f"{one} > {other}", one, estimate) for (one, other), estimate in found.improvements.items()]
    return {
        "iqm": pictures.intervals(best, "score", f"{found.model}: interquartile mean of the scores"),
        "profiles": pictures.curves(
            found.profiles, "score", "share of runs above it", f"{found.model}: performance profiles"
        ),
        "improvements": pictures.intervals(
            pairs, "probability", f"{found.model}: probability of improvement", line=("even", 0.5)
        ),
        "ranks": pictures.stacked(list(found.iqm), found.ranks, f"{found.model}: ranks over tasks"),
    }
