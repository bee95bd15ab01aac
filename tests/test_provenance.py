import subprocess
from pathlib import Path

import pytest

from lmrl.provenance import flat, git_tags


def test_a_config_becomes_its_leaves_by_full_key() -> None:
    assert flat({"a": {"b": 1, "c": [1, {"d": 2}]}, "e": {}}) == {"a.b": "1", "a.c": '[1, {"d": 2}]', "e": "{}"}
    assert flat({}) == {}


def test_a_key_that_mlflow_would_refuse_is_mended() -> None:
    assert flat({"task@data": 1}) == {"task_data": "1"}


def test_a_commit_is_dirty_once_a_file_is_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert git_tags() == {}
    author = ("-c", "user.name=a", "-c", "user.email=a@b")
    for command in (("init", "-q"), (*author, "commit", "-q", "--allow-empty", "-m", "first")):
        subprocess.run(("git", *command), check=True)
    clean = git_tags()
    assert len(clean["git_commit"]) == 40
    assert clean["git_dirty"] == "false"
    (tmp_path / "new").touch()
    assert git_tags() == {**clean, "git_dirty": "true"}
