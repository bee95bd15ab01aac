"""Every study in sweeps/ is one that would run: its file is read, and what it asks of its runs is composed."""

from pathlib import Path

import pytest

from lmrl.studies.plan import read

FILES = [f for f in sorted((Path(__file__).parents[2] / "sweeps").glob("*.yaml")) if "\nstudy:" in f.read_text()]
"""The others are tables, of `lmrl-benchmark`."""


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_study_would_run(file: Path) -> None:
    plan = read(file)
    plan.check()
    assert plan.question
    assert plan.study == file.stem


def test_there_is_one() -> None:
    assert FILES
