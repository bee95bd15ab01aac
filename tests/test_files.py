import os
from pathlib import Path

import pytest

from lmrl.files import Growing, text_of, whole


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


def test_what_grows_goes_on_after_the_last_whole_chunk(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a"
    growing = Growing(path)
    growing.add("één\n", [1])
    growing.add("two\n", [2])
    (tmp_path / "new" / "a.part").open("a").write("thr")
    (tmp_path / "new" / "a.log").open("a").write("[12, ")
    again = Growing(path)
    assert again.notes == [[1], [2]]
    again.add("three\n", [3])
    assert Growing(path).notes == [[1], [2], [3]]
    assert not path.exists()
    again.finish()
    assert path.read_text() == "één\ntwo\nthree\n"
    assert [*path.parent.iterdir()] == [path]


def test_a_chunk_whose_text_is_lost_counts_no_more(tmp_path: Path) -> None:
    growing = Growing(tmp_path / "a")
    growing.add("één\n", 1)
    growing.add("two\n", 2)
    (tmp_path / "a.part").write_text("één\ntw")
    again = Growing(tmp_path / "a")
    assert again.notes == [1]
    assert (tmp_path / "a.part").read_text() == "één\n"
    again.discard()
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("lost", ["a.part", "a.log"])
def test_what_has_lost_its_text_or_its_notes_begins_anew(tmp_path: Path, lost: str) -> None:
    Growing(tmp_path / "a").add("one\n", 1)
    (tmp_path / lost).unlink()
    again = Growing(tmp_path / "a")
    assert again.notes == []
    again.add("two\n", 2)
    again.finish()
    assert (tmp_path / "a").read_text() == "two\n"


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (file := tmp_path / "a.yaml").write_bytes(b"k\xff")
    with pytest.raises(ValueError, match=r"a.yaml: not text in UTF-8: invalid start byte at byte 1"):
        text_of(file)
