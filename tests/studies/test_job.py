"""Runs as a study starts them, with a stand-in for the training."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import psutil
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from lmrl.studies import job, leash
from lmrl.studies.forkserver import forked
from lmrl.studies.job import End, Job, placed
from tests.studies.worker import COMMAND

ROOT = Path(__file__).parents[2]
command: Sequence[str] = COMMAND
GIVEN = ["task=maze", "algo.gamma=0.5", "evaluation.times=2", "seed=3"]


@contextmanager
def starting(how: str) -> Iterator[None]:
    """Jobs are started as a program each, or forked."""
    global command
    with forked([], "tests.studies.standin.run") if how == "forked" else nullcontext(COMMAND) as command:
        yield


@pytest.fixture(params=["started", "forked"], autouse=True)
def how(request: pytest.FixtureRequest) -> Iterator[str]:
    with starting(request.param):
        yield request.param


def a_job(folder: Path, end: str = "well", *more: str) -> Job:
    return Job(folder / "seed-3", [*GIVEN, f"task.name={end}", *more], command)


def nothing() -> None:
    """Look at nothing."""


def starts(run: Job) -> list[int]:
    """The processes that have begun in its folder."""
    file = run.folder / "starts"
    return [int(line) for line in file.read_text().splitlines()] if file.is_file() else []


def until(holds: object, seconds: float = 20) -> None:
    assert callable(holds)
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def test_a_finished_run_is_not_repeated_and_its_figures_are_the_last(tmp_path: Path) -> None:
    run = a_job(tmp_path)
    assert not run.done
    assert [run.carry(60, nothing), run.carry(60, nothing)] == ["finished", "finished"]
    assert len(starts(run)) == 1
    assert run.figures() == {
        "eval/return_mean": 4.0,
        "train/entropy": 0.5,
        "final/return_mean": 8.0,
        "diverged": 0.0,
        "collapsed": 0.0,
    }
    assert run.curve("eval/return_mean") == [3.5, 4.0]
    assert a_job(tmp_path, "well", "tracking.uri=null", "cache=elsewhere").done
    assert not a_job(tmp_path, "well", "algo.lam=0.5").done, "these figures are another run's"


@pytest.mark.parametrize(
    ("end", "wanted"), [("diverges", "diverged"), ("collapses", "collapsed"), ("dies", "died"), ("killed", "died")]
)
def test_however_a_run_ends_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, wanted: End) -> None:
    monkeypatch.setattr(job, "DOUBT", 0.1)
    assert a_job(tmp_path, end).carry(60, nothing) == wanted


def test_a_run_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    run = a_job(tmp_path, "hangs")
    assert run.carry(2, nothing) == "timeout"
    assert not psutil.pid_exists(starts(run)[0])


def test_a_run_that_is_refused_tells_why(tmp_path: Path) -> None:
    run = a_job(tmp_path, "refused")
    run.log.write_text("Traceback (most recent call last):\nerror: of an earlier start\n")
    with pytest.raises(ValueError, match=r"seed-3: hardware = gpu: no GPU here$"):
        run.carry(60, nothing)
    silent = Job(tmp_path / "silent", GIVEN, [sys.executable, "-c", "raise SystemExit(2)"])
    with pytest.raises(ValueError, match=r"silent: refused; \S+/silent.log says why$"):
        silent.carry(60, nothing)


@pytest.mark.parametrize("name", ["a,b", "a(b)", "a=b", "it's", "a b", "a\\", "[a]"])
def test_a_folder_may_have_any_name(name: str) -> None:
    assert OverridesParser.create().parse_override(placed(Path(name))).value() == name


def test_whoever_looks_may_stop_a_run(tmp_path: Path) -> None:
    run = a_job(tmp_path, "hangs")

    def look() -> None:
        if run.curve("eval/return_mean") == [3.5, 4.0]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.carry(60, look)
    assert not psutil.pid_exists(starts(run)[0])


def test_a_torn_line_of_the_metrics_does_not_count_nor_what_was_before_training(tmp_path: Path) -> None:
    run = a_job(tmp_path)
    run.folder.mkdir()
    begun = '{"step": 0, "metrics": {"loss": 9.0}}\n'
    lines = begun + '{"step": 1, "metrics": {"loss": 2.0}}\n{"step": 1, "metrics": {"loss": null}}\n{"step": 2, "met'
    (run.folder / "metrics.jsonl").write_text(lines)
    (value,) = run.curve("loss")
    assert value != value, "what was not finite is nan"


def test_a_run_ends_with_its_worker_and_the_next_one_waits_for_that(tmp_path: Path, how: str) -> None:
    program = (
        "import sys; from pathlib import Path; from tests.studies.test_job import a_job, nothing, starting\n"
        "with starting(sys.argv[2]): a_job(Path(sys.argv[1]), 'saves').carry(600, nothing)"
    )
    worker = subprocess.Popen([sys.executable, "-c", program, str(tmp_path), how], cwd=ROOT)
    run = a_job(tmp_path, "saves")
    until(lambda: len(run.curve("eval/return_mean")) == 2)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert run.carry(1, nothing) == "timeout"
    first, saved, second, _ = starts(run)
    assert saved == 0, "and begins after it has saved"
    assert not psutil.pid_exists(first)
    assert not psutil.pid_exists(second)


def test_a_leash_hands_on_the_status_and_the_signals_of_its_command() -> None:
    def led(program: str) -> "subprocess.Popen[bytes]":
        line = [sys.executable, leash.__file__, sys.executable, "-c", program]
        return subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0)

    assert led("raise SystemExit(7)").wait() == 7
    assert led("import os; os.kill(os.getpid(), 9)").wait() == 128 + 9
    saving = led(
        "import time\n"
        "try:\n print(1, flush=True)\n while True: time.sleep(0.1)\n"
        "except KeyboardInterrupt: raise SystemExit(3)"
    )
    assert saving.stdout
    saving.stdout.readline()
    os.killpg(saving.pid, signal.SIGINT)
    assert saving.wait() == 3
