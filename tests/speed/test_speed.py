"""That every subject of `make speed` runs and prints; how fast it is, is nobody's business here."""

import math
from functools import partial
from pathlib import Path

import pytest

from tests.speed.__main__ import SUBJECTS, cells, measure
from tests.speed.measure import Effort, Figure, by_turns


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_measures_what_it_names(subject: str, tmp_path: Path) -> None:
    found = measure(subject, Effort(repetitions=1, share=0.001), tmp_path)
    assert found
    assert all(math.isfinite(value) and value > 0 for figure in found for value in figure.values)
    assert len({(figure.name, figure.unit) for figure in found}) == len(found)


def test_sides_are_measured_by_turns_after_one_that_does_not_count() -> None:
    order: list[str] = []

    def side(name: str) -> float:
        order.append(name)
        return float(len(order))

    found = by_turns({name: partial(side, name) for name in "ab"}, 2)
    assert order == list("ababab")
    assert found == {"a": [3.0, 5.0], "b": [4.0, 6.0]}


def test_a_row_says_what_was_to_reach_and_whether_it_was() -> None:
    slow = Figure("steps", "s", [3.0, 1.0, 2.0], at_most=1.5)
    assert cells(slow) == ["steps", "at most 1.50", "2.00 s", "1.00 to 3.00", "MISSED"]
    assert cells(Figure("steps", "s", [1.0]))[1::3] == ["", ""]
