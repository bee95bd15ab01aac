from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from omegaconf import OmegaConf

from lmrl.kinds import Count, Mode, Positive, Share, fits


class Player: ...


@pytest.mark.parametrize(
    ("value", "hint", "answer"),
    [
        (1, float, True),
        (True, float, False),
        (1.0, int, False),
        (True, int, False),
        ("1", int, False),
        (None, str, False),
        (3, str, False),
        ("a", Path, True),
        ("a", str | Path, True),
        ("much", float | Player, False),
        ([0.9, 0.95], tuple[float, float], True),
        ([0.9], tuple[float, float], False),
        ([1, 2], tuple[int, ...], True),
        (["a"], list[int], False),
        (["a"], str, False),
        ("abc", Sequence[str], False),
        ([1], dict[str, int], False),
        ({"a": 1}, dict[str, int], True),
        ({"a": 1}, list[int], False),
        ({"a": 1}, float, False),
        ("f", Callable[[], int], False),
        ({"f": 1}, Callable[[], int], False),
        ({"_target_": "f"}, Callable[[], int], True),
        (True, Literal[1], False),
        ("x", Any, True),
        ("x", object, True),
        ([1], object, True),
        (0, Count, False),
        (1, Count, True),
        (1.0, Count, False),
        (None, Count | None, True),
        (0, Count | None, False),
        (1, Share, True),
        (1.01, Share, False),
        (-0.01, Share, False),
        (float("nan"), Share, False),
        (0.0, Positive, False),
        ("greddy", Mode, False),
    ],
)
def test_a_value_fits_what_an_annotation_says(value: Any, hint: Any, answer: bool) -> None:
    assert fits(OmegaConf.create({"v": value})["v"], hint) is answer
