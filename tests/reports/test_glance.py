"""Tasks beside algorithms in one table."""

from dataclasses import replace

from lmrl.reports.board import boards
from lmrl.reports.glance import as_markdown, glances
from lmrl.reports.report import Report, page
from tests.stored import row

ROWS = [
    row("maze", "bc", [-72.0, -72.2], [-72.1, -72.1]),
    row("maze", "ppo", [-7.0, -7.0], [-7.2, -7.2]),
    row("maze_po", "bc", [-90.0, -90.2], [-90.1, -90.1]),
    replace(row("maze", "ilql", [-6.9, -6.9]), model="gpt2"),
]


def test_a_models_players_stand_side_by_side_and_the_best_is_bold() -> None:
    gpt2, tiny = (list(as_markdown(found)) for found in glances(boards(ROWS)))
    assert gpt2[0] == "| gpt2 | ilql |"
    assert len(gpt2) == 3, "a task that it has not played has no row"
    assert tiny == [
        "| tiny | bc | ppo |",
        "|---|---|---|",
        "| maze | -72.1 [-72.2, -72.0] ≈ -72.1 | **-7.10** [-7.20, -7.00] ▲ -37.7 |",
        "| maze_po | **-90.1** [-90.2, -90.0] ▼ -79.5 |  |",
    ]


def test_a_task_that_stands_twice_says_what_sets_it_apart() -> None:
    other = [replace(row("wordle", "bc", [-4.0]), facts=(words,)) for words in ("40|words", "512 words")]
    (found,) = glances(boards(other))
    assert [task for task, _ in found.rows] == ["wordle (40|words)", "wordle (512 words)"]
    assert r"| wordle (40\|words) |" in list(as_markdown(found))[2]


def test_the_page_shows_it() -> None:
    html = page(Report(boards(ROWS), 7))
    head, _, rest = html.partition("At a glance")
    assert head
    glance, _, _ = rest.partition("<h2>")
    assert glance.count("<table>") == 2
    assert "<b>-7.10</b>" in glance
    assert '<small class="better">▲ -37.7</small>' in glance
