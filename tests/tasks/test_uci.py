import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import chess
import psutil
import pytest

from lmrl.tasks import uci
from lmrl.tasks.uci import MATE, Engine, EngineError, Line, find_stockfish

START = chess.STARTING_FEN
AFTER_E4 = "rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq - 0 1"
MATE_IN_ONE = "7k/8/6K1/8/8/8/8/R7 w - - 0 1"


@pytest.fixture
def engine() -> Engine:
    """One that runs."""
    made = Engine({"Threads": 1, "Hash": 1, "MultiPV": 3})
    made.ask(START, "nodes 1")
    return made


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a script the engine."""

    def install(script: str) -> None:
        (tmp_path / "engine").write_text(script)
        (tmp_path / "engine").chmod(0o755)
        monkeypatch.setenv("STOCKFISH_PATH", str(tmp_path / "engine"))

    return install


def pid_of(engine: Engine) -> int:
    pid = engine.pid()
    assert pid
    return pid


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_the_lines_are_legal_moves_and_the_first_is_played(engine: Engine):
    best, lines = engine.ask(START, "depth 4")
    assert len(lines) == 3
    assert lines[0].move == best
    assert {chess.Move.from_uci(line.move) for line in lines} <= set(chess.Board().legal_moves)
    assert engine.name().startswith("Stockfish ")


def test_mates_count_as_more_than_any_material(engine: Engine):
    _, lines = engine.ask(MATE_IN_ONE, "depth 3")
    assert lines[0].score == MATE - 1
    assert engine.ask("7k/5K2/8/8/8/8/8/Q7 b - - 0 1", "depth 5")[1][0].score == -(MATE - 1)


def test_a_fresh_answer_depends_on_the_question_alone(engine: Engine):
    first = engine.ask(START, "nodes 200", fresh=True)
    for fen in (AFTER_E4, MATE_IN_ONE, START):
        engine.ask(fen, "nodes 5000")
    assert engine.ask(START, "nodes 200", fresh=True) == first == Engine(engine._options).ask(START, "nodes 200")


def test_what_the_engine_says_becomes_lines_by_rank_and_the_last_word_counts():
    said = [
        "info string NNUE evaluation using nn.nnue enabled",
        "info depth 1 multipv 1 score cp 10 nodes 20 pv e2e4",
        "info depth 1 multipv 2 score cp -5 nodes 20 pv a2a3 e7e5",
        "info depth 2 multipv 1 score mate -2 nodes 90 pv d2d4",
        "info depth 3 currmove e2e4 currmovenumber 1",
        "bestmove d2d4 ponder d7d5",
    ]
    assert uci._answer(said) == ("d2d4", [Line("d2d4", -MATE + 2), Line("a2a3", -5)])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_an_engine_that_is_killed_between_questions_is_started_again(engine: Engine, how: signal.Signals):
    answer = engine.ask(START, "nodes 500", fresh=True)
    before = pid_of(engine)
    os.kill(before, how)
    time.sleep(0.05)
    assert engine.ask(START, "nodes 500", fresh=True) == answer
    assert pid_of(engine) != before
    assert engine.starts == 2
    assert not alive(before)


def test_an_engine_that_is_killed_while_it_thinks_is_asked_again(engine: Engine):
    pid = pid_of(engine)
    threading.Timer(0.3, os.kill, (pid, signal.SIGKILL)).start()
    best, _ = engine.ask(START, "movetime 800")
    assert chess.Move.from_uci(best) in chess.Board().legal_moves
    assert engine.starts == 2


def test_an_engine_that_hangs_is_replaced(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    pid = pid_of(engine)
    os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr(uci, "PATIENCE", 0.3)
    assert engine.ask(MATE_IN_ONE, "depth 2")[0] == "a1a8"
    assert not alive(pid)


GREETING = "#!/bin/sh\nread uci; read isready; echo readyok; read position; read go\n"


def test_an_engine_that_dies_each_time_is_given_up_with_the_position(install: Callable[[str], None]):
    install(GREETING + "exit 1")
    engine = Engine({})
    with pytest.raises(EngineError, match=r"engine died or hung 10 times at position 'rnbq"):
        engine.ask(START, "depth 1")
    assert engine.starts == 10


def test_an_engine_that_talks_is_not_hung_however_long_it_thinks(
    install: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
):
    install(GREETING + "for depth in 1 2 3 4; do sleep 0.15; echo info depth $depth; done; echo bestmove e2e4")
    monkeypatch.setattr(uci, "PATIENCE", 0.4)
    assert Engine({}).ask(START, "depth 4") == ("e2e4", [])


def test_half_a_line_waits_for_its_end_or_dies_with_its_engine(install: Callable[[str], None], tmp_path: Path):
    install(f"{GREETING}printf 'bestmove '; mkdir {tmp_path}/died && exit; sleep 0.1; echo e2e4")
    engine = Engine({})
    assert engine.ask(START, "depth 1") == ("e2e4", [])
    assert engine.starts == 2


def test_a_program_that_cannot_run_is_named(install: Callable[[str], None]):
    install("no program")
    with pytest.raises(EngineError, match="engine cannot be started: Exec format error"):
        Engine({}).ask(START, "depth 1")


def test_a_program_that_is_no_engine_is_given_up_by_name(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STOCKFISH_PATH", "/bin/true")
    with pytest.raises(EngineError, match=r"/bin/true died or hung 10 times at position 'rnbq"):
        Engine({}).ask(START, "depth 1")


def test_without_the_binary_there_is_one_line_with_the_remedies(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STOCKFISH_PATH", "/nowhere/stockfish")
    with pytest.raises(EngineError, match=r"STOCKFISH_PATH = '/nowhere/stockfish' is no program: `make stockfish`"):
        find_stockfish()
    monkeypatch.delenv("STOCKFISH_PATH")
    monkeypatch.setattr(uci.shutil, "which", lambda name: None)
    with pytest.raises(EngineError, match=r"^stockfish is not installed: .*opponent=random needs none$"):
        Engine({}).ask(START, "depth 1")


def test_an_interrupted_question_does_not_answer_the_next(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    def interrupted(said: list[str]) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(uci, "_answer", interrupted)
        with pytest.raises(KeyboardInterrupt):
            engine.ask(START, "depth 2")
    assert engine.ask(MATE_IN_ONE, "depth 2")[0] == "a1a8"
    assert engine.starts == 2


def test_the_process_ends_with_its_object_or_when_it_is_closed(engine: Engine):
    pid = pid_of(engine)
    engine.close()
    assert not alive(pid)
    other = Engine({})
    other.name()
    pid = pid_of(other)
    del other
    gc.collect()
    assert not alive(pid)


ENDS = {
    "at the end": "",
    "by an error": "raise ValueError",
    "by sys.exit": "sys.exit(3)",
    "by SIGTERM": "os.kill(os.getpid(), signal.SIGTERM)",
    "by SIGKILL": "os.kill(os.getpid(), signal.SIGKILL)",
    "by a Ctrl-C": "os.kill(os.getpid(), signal.SIGINT)",
    "by os._exit": "os._exit(1)",
}


@pytest.mark.parametrize("last", ENDS.values(), ids=ENDS)
def test_no_engine_outlives_its_interpreter(last: str):
    program = "import os, signal, sys\nfrom lmrl.tasks.uci import Engine\nengine = Engine({})\nengine.name()\n"
    program += "print(engine.pid(), flush=True)\n"
    run = subprocess.run(
        [sys.executable, "-c", program + last], capture_output=True, text=True, timeout=60, check=False
    )
    pid, deadline = int(run.stdout), time.monotonic() + 5
    while alive(pid):
        assert time.monotonic() < deadline, "the engine still runs"
        time.sleep(0.02)


def test_a_process_that_is_forked_has_an_engine_of_its_own(engine: Engine):
    pid = pid_of(engine)

    def play() -> None:
        engine.ask(MATE_IN_ONE, "depth 2")
        sys.exit(engine.pid() == pid)

    child = get_context("fork").Process(target=play)
    child.start()
    child.join(timeout=60)
    assert child.exitcode == 0
    assert chess.Move.from_uci(engine.ask(START, "depth 2")[0]) in chess.Board().legal_moves
    assert (pid_of(engine), engine.starts) == (pid, 1)


def test_a_ctrl_c_in_the_terminal_does_not_reach_the_engine(engine: Engine):
    assert os.getpgid(pid_of(engine)) != os.getpgid(0)
