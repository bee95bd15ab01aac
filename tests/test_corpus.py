"""A corpus on disk, and its actions."""

import os
from pathlib import Path

import numpy as np
import pytest

from lmrl.corpus import Corpus
from lmrl.tokenizing import tokenize
from tests.letters import CODEC, LATEST, game


def test_a_corpus_comes_back_from_disk_as_it_was(tmp_path: Path) -> None:
    corpus = tokenize([game(-1, 0), game(0, done=False)], CODEC, LATEST)
    corpus.save(tmp_path / "tokens")
    again = Corpus.load(tmp_path / "tokens")
    assert all(np.array_equal(getattr(corpus, name), getattr(again, name)) for name in vars(corpus))
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("left", [None, 0, 100, 150])
def test_a_damaged_corpus_is_named_with_the_remedy(tmp_path: Path, left: int | None) -> None:
    """The bytes that are left of one of its files; None: not even the file."""
    tokenize([game(-1, 0)], CODEC, LATEST).save(tmp_path / "tokens")
    file = tmp_path / "tokens" / "ids.npy"
    kept = file.read_bytes()[:left]
    file.unlink()
    if left is not None:
        file.write_bytes(kept)
    with pytest.raises(ValueError, match=rf"{tmp_path}/tokens: damaged .*; delete the folder, and it is made anew"):
        Corpus.load(tmp_path / "tokens")


def test_a_killed_process_of_the_same_number_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / f"tokens.{os.getpid()}.part").mkdir()
    tokenize([game(-1)], CODEC, LATEST).save(tmp_path / "tokens")
    assert len(Corpus.load(tmp_path / "tokens")) == 1


def test_a_corpus_that_another_process_has_just_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    move = Path.replace

    def later(self: Path, target: Path) -> Path:
        target.mkdir()
        (target / "written").touch()
        return move(self, target)

    monkeypatch.setattr(Path, "replace", later)
    tokenize([game(-1)], CODEC, LATEST).save(tmp_path / "tokens")
    assert [path.name for path in tmp_path.iterdir()] == ["tokens"]


def test_actions_are_flat_and_in_time_order() -> None:
    actions = tokenize([game(-1, 0), game(-2)], CODEC, LATEST).actions()
    assert actions.reward_N.tolist() == [-1, 0, -2]
    assert actions.episode_N.tolist() == [0, 0, 1]
    assert actions.window_N.tolist() == [0, 1, 2]
