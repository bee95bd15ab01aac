"""Tasks x algorithms in one table: a model's players side by side, each beside the published figure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lmrl.reports.board import Board, Line
from lmrl.reports.tables import between, markdown_row, number

SIGNS = {"better": "▲", "worse": "▼", "reproduced": "≈", "not comparable": "·"}
"""Of a verdict's words."""


@dataclass(frozen=True)
class Glance:
    """What one model's players return, task by task."""

    model: str
    players: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Line | None]]]
    """A task, and the line of each player; None where it has not played."""


def glances(boards: Sequence[Board]) -> list[Glance]:
    """One for each model."""
    models = sorted({line.row.model for board in boards for line in board.lines})
    return [_glance(model, boards) for model in models]


def _glance(model: str, boards: Sequence[Board]) -> Glance:
    times = Counter(board.task for board in boards)
    rows = []
    for board in boards:
        label = board.task if times[board.task] == 1 else f"{board.task} ({' · '.join(board.facts)})"
        rows.append((label, {line.name: line for line in board.lines if line.row.model == model}))
    players = sorted({name for _, lines in rows for name in lines})
    return Glance(model, players, [(label, [*map(lines.get, players)]) for label, lines in rows if lines])


def best(lines: Sequence[Line | None]) -> Line | None:
    """Whose mean is the highest."""
    return max((line for line in lines if line), key=lambda line: line.mean.value, default=None)


def as_markdown(found: Glance) -> Iterator[str]:
    """The table, line by line: the mean with its interval, then the verdict's sign and the published figure."""
    yield markdown_row([found.model, *found.players])
    yield f"|{'---|' * (len(found.players) + 1)}"
    for task, lines in found.rows:
        first = best(lines)
        yield markdown_row([task, *(_told(line, line is first) if line else "" for line in lines)])


def _told(line: Line, first: bool) -> str:
    mean = f"**{number(line.mean.value)}**" if first else number(line.mean.value)
    theirs = f" {SIGNS[line.verdict.word]} {line.paper:g}" if line.verdict else ""
    return f"{mean} {between(line.mean)}{theirs}"
