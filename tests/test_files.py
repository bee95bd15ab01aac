import os
from pathlib import Path

import pytest

from lmrl.files import whole


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    with whole(tmp_path / "new" / "a") as part:
        part.write_text("half")
        assert not (tmp_path / "new" / "a").exists()
        assert str(os.getpid()) in part.name
    assert (tmp_path / "new" / "a").read_text() == "half"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a"]


def test_a_file_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with whole(tmp_path / "a") as part:
        part.write_text("new")
    assert (tmp_path / "a").read_text() == "new"


@pytest.mark.parametrize("folder", [False, True])
def test_what_fails_half_way_leaves_nothing(tmp_path: Path, folder: bool) -> None:
    def half() -> None:
        with whole(tmp_path / "a") as part:
            file = part / "b" if folder else part
            file.parent.mkdir(exist_ok=True)
            file.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert not list(tmp_path.iterdir())


def test_of_two_folders_the_first_stays(tmp_path: Path) -> None:
    with whole(tmp_path / "a") as part:
        part.mkdir()
        (part / "mine").touch()
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "theirs").touch()
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["a", "a/theirs"]


def test_a_file_never_takes_the_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(IsADirectoryError), whole(tmp_path / "a") as part:
        part.write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
