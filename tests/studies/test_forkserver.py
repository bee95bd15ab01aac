"""Runs that are forked end as those that are started do, and leave no more behind."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lmrl.studies import forkserver
from lmrl.studies.forkserver import forked
from lmrl.studies.locks import locked
from tests.studies.test_job import until

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def command() -> Iterator[list[str]]:
    with forked(["tests.studies.forks"], "tests.studies.forks.run") as command:
        yield command


def begun(command: list[str], *arguments: str, files: tuple[int, ...] = ()) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen([*command, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, text=True, pass_fds=files)


def said(run: "subprocess.Popen[str]") -> str:
    assert run.stdout
    return run.stdout.readline().strip()


def test_a_fork_has_its_own_arguments_and_no_input_and_imports_nothing_again(command: list[str]) -> None:
    first, second = (begun(command, "well", text) for text in ("a=b c", "é\n"))
    outs = [run.communicate()[0].split(maxsplit=2) for run in (first, second)]
    assert [out[2] for out in outs] == ["well a=b c ''\n", "well é\n ''\n"]
    assert len({out[0] for out in outs}) == 1, "what was imported before is shared"
    assert len({pid for out in outs for pid in out[:2]}) == 3
    assert (first.returncode, second.returncode) == (0, 0)


def test_the_status_and_the_end_by_a_signal_are_the_runs_own(command: list[str]) -> None:
    assert begun(command, "status").wait() == 7
    assert begun(command, "killed").wait() == 128 + 9


def test_what_goes_wrong_is_said_where_the_run_speaks() -> None:
    with forked([], "tests.studies.forks.nothing") as command:
        _, error = begun(command, "well").communicate()
    assert error.strip().endswith("AttributeError: module 'tests.studies.forks' has no attribute 'nothing'")


def test_nothing_that_a_run_started_outlives_it(command: list[str]) -> None:
    run = begun(command, "leaves")
    said(run)
    left = int(said(run))
    assert run.wait() == 0
    until(lambda: not psutil.pid_exists(left))


def test_a_signal_is_handed_on(command: list[str]) -> None:
    run = begun(command, "saves")
    said(run), said(run)
    run.terminate()
    assert run.wait() == 9


def test_a_run_whose_asker_is_killed_is_stopped_and_its_lock_is_held_till_then(
    command: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "lock"
    lock = locked(path)
    assert lock is not None
    run = begun(command, "saves", files=(lock,))
    os.close(lock)
    pid = int(said(run).split()[1])
    said(run)
    assert locked(path) is None
    run.kill()
    until(lambda: locked(path) is not None)
    assert not psutil.pid_exists(pid)


def test_one_that_does_not_hear_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forkserver, "GRACE", 0.2)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
    run = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE, text=True, process_group=0)
    said(run)
    asked, asker = socket.socketpair()
    asker.close()
    forkserver._tell(asked, run.pid)
    assert run.wait() == -signal.SIGKILL


def test_a_server_ends_with_whoever_has_it() -> None:
    program = (
        "import os; from lmrl.studies.forkserver import forked\n"
        "with forked(['tests.studies.forks'], 'tests.studies.forks.run') as command:\n"
        "    print(os.popen(' '.join([*command, 'well'])).read(), flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL
    server = int(done.stdout.split()[0])
    until(lambda: not psutil.pid_exists(server))


def test_a_server_that_dies_at_its_imports_kills_who_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken.py").write_text("import time; time.sleep(2); raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    with forked(["broken"], "tests.studies.forks.run") as command:
        run = begun(command, "well")
        _, error = run.communicate()
    assert (run.returncode, error) == (128 + 9, "")


def test_without_a_server_the_run_is_started() -> None:
    with forked([], "tests.studies.forks.run") as command:
        pass
    out, _ = begun(command, "--help").communicate()
    assert "task=TASK" in out
