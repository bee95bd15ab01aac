"""The figures of a report as text."""

import re
from dataclasses import replace

from lmrl.reports.board import boards
from lmrl.reports.tables import as_markdown, cells
from tests.stored import row

BARE = row("maze", "bc", [-50.0, -40.0])


def test_a_bar_in_a_name_moves_no_column() -> None:
    (board,) = boards([replace(BARE, model="my|model")])
    *_, line = as_markdown(board)
    assert len(re.split(r"(?<!\\)\|", line)) == 12
    assert r"| my\|model |" in line


def test_what_is_not_known_is_an_empty_cell() -> None:
    (run,) = BARE.runs
    metrics = {key: run.metrics[key] for key in ("final/return_mean", "final/episodes")}
    (board,) = boards([replace(BARE, runs=[replace(run, metrics=metrics)])])
    values = cells(board, board.lines[0])
    assert [values[name] for name in ("success", "invalid", "train_minutes")] == ["", "", ""]
    assert values["return_mean"] == -45
