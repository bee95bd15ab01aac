"""Every page in a real Chromium: no error, nothing asked of a network, nothing wider than a phone."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lmrl.fidelity import page_of
from lmrl.pages import transcript_html
from lmrl.reports.board import boards
from lmrl.reports.report import Report, page
from lmrl.reports.study import page as study_page
from lmrl.trajectory import Trajectory, Turn
from tests.browser import DESK, PHONE, Browser, binary, browser
from tests.reports.test_study import SOUND, WILD, begun, carried
from tests.stored import ALGOS, row
from tests.test_fidelity import pair
from tests.test_pages import LOST, WON

pytestmark = [pytest.mark.slow, pytest.mark.skipif(binary() is None, reason="no Chromium: make chromium")]
LONG = Trajectory((Turn("w" * 300, False), Turn("a " * 300, True)), False, {"success": False, "note": "n" * 300})


@pytest.fixture(scope="module")
def tab() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One of each kind, with texts that could break it."""
    place, rng = tmp_path_factory.mktemp("pages"), np.random.default_rng(0)
    rows = [row(task, algo, *rng.normal(-50, 9, (3, 40))) for task in ("maze", "maze_po") for algo in ALGOS]
    texts = {
        "transcript": transcript_html([WON, LOST, LONG], title="t" * 200, summary={"return_mean": -1.0}),
        "fidelity": page_of([pair("Yes.", "No."), pair("a" * 300, "b", "size")], title="task: speaker"),
        "report": page(Report(boards([*rows, row("t" * 99, "bc", [1.0, 2.0], policy="greedy")]), 37)),
    }
    texts["study"] = study_page(carried(begun(place), SOUND, WILD, SOUND))
    for name, text in texts.items():
        (place / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: place / f"{name}.html" for name in texts}


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("name", ["transcript", "fidelity", "report", "study"])
def test_a_page_opens_without_an_error_a_request_or_a_scroll_to_the_side(
    tab: Browser, pages: dict[str, Path], name: str, width: int
) -> None:
    seen = tab.see(pages[name], width)
    assert (seen.errors, seen.requests, seen.overflow) == ([], [], 0)
    assert len(seen.text) > 100
    assert seen.picture.startswith(b"\x89PNG")


def test_what_is_wrong_with_a_page_is_seen(tab: Browser, tmp_path: Path) -> None:
    bad = '<p style="width:999px">x</p><img src="http://localhost:9/x.png"><script>nobody()</script>'
    (tmp_path / "bad.html").write_text(bad)
    seen = tab.see(tmp_path / "bad.html", PHONE)
    assert any("Uncaught" in error for error in seen.errors)
    assert seen.requests == ["http://localhost:9/x.png"]
    assert seen.overflow > 0


def test_a_transcript_can_be_filtered(tab: Browser, pages: dict[str, Path]) -> None:
    tab.see(pages["transcript"], DESK)
    shown = "[...document.querySelectorAll('details')].filter(e => !e.hidden).length"
    assert tab.value(shown) == 3
    tab.value("document.querySelector('[data-show=success]').click()")
    assert tab.value(shown) == 1
