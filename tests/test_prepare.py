import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from lmrl.config import ConfigError, conf_dir
from lmrl.parquet import read_parquet
from lmrl.prepare import prepare
from lmrl.trajectory import read_lines


def config(folder: Path, *overrides: str) -> DictConfig:
    small = ["task=maze", "task.data.episodes=20", f"cache={folder / 'cache'}", "workers=1"]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return compose("prepare", overrides=[*small, *overrides])


def test_data_are_made_and_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stats = prepare(config(tmp_path), tmp_path)
    assert stats["episodes"] == 20
    assert "episodes  20\n" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


def test_both_kinds_of_file_hold_the_same_episodes(tmp_path: Path) -> None:
    lines, table = tmp_path / "a.jsonl", tmp_path / "a.parquet"
    prepare(config(tmp_path, f"export={lines}"), tmp_path)
    prepare(config(tmp_path, f"export={table}"), tmp_path)
    assert list(read_lines(lines)) == list(read_parquet(table))
    assert len(lines.read_text().splitlines()) == 20
    assert json.loads(lines.read_text().splitlines()[0])["turns"]


def test_an_unknown_kind_of_file_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"export = .*a.csv: a file ends in .parquet or .jsonl"):
        prepare(config(tmp_path, f"export={tmp_path / 'a.csv'}"), tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_export_that_cannot_be_written_is_told_by_its_key(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"export = .*/file/a.jsonl: cannot be written \(.*\); name another file"):
        prepare(config(tmp_path, f"export={tmp_path / 'file/a.jsonl'}"), tmp_path)


def test_a_wrong_value_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"task.data.episodes = 'many'"):
        prepare(config(tmp_path, "task.data.episodes=many"), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "everybody"), [(signal.SIGTERM, False), (signal.SIGINT, True)])
def test_what_is_told_to_stop_leaves_no_finished_file_and_no_worker(
    tmp_path: Path, number: signal.Signals, everybody: bool
) -> None:
    program = "import sys; from lmrl.cli import data; sys.exit(data())"
    line = [
        sys.executable,
        "-c",
        program,
        "task=wordle",
        "task.data.episodes=3000000",
        f"cache={tmp_path}",
        "workers=2",
    ]
    # a session of its own: SIGINT goes to all of it, as a terminal's does
    process = subprocess.Popen(
        line, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1], start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not any(log.read_text().count("\n") > 1 for log in tmp_path.glob("*.log")):  # a chunk, beyond doubt
        assert time.monotonic() < deadline, "nothing was written"
        time.sleep(0.01)
    workers = psutil.Process(process.pid).children(recursive=True)
    (os.killpg if everybody else os.kill)(process.pid, number)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert complaint.endswith("interrupted\n")
    assert "Traceback" not in complaint
    assert len(workers) >= 2
    assert psutil.wait_procs(workers, timeout=10)[1] == []
    assert {path.suffix for path in tmp_path.iterdir()} == {".lock", ".log", ".part"}  # which the next one goes on from
