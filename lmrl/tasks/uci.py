"""A chess engine in a process of its own, spoken to over UCI (the universal chess interface).

python-chess has such a client too; over its event loop a move of few nodes takes five times as long as over this pipe.
"""

import os
import select
import shutil
import subprocess
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

PATIENCE = 10.0
"""Seconds without a line after which an engine is called hung."""
TRIES = 10
"""Times that a question is put before its answer is given up."""
START = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1"
MATE = 32_000
"""Centipawns of a mate at once; one in n moves is n less."""


class EngineError(RuntimeError):
    """The engine cannot be started, or died at the same question again and again."""


class _Gone(Exception):
    """This engine process does not answer any more."""


@dataclass(frozen=True, slots=True)
class Line:
    """A move, as UCI writes it, and what the engine gives it: centipawns for whoever is to move."""

    move: str
    score: int


def find_stockfish() -> str:
    """The binary: `STOCKFISH_PATH`, or on the PATH, or where Debian puts games. Raises EngineError with the remedy."""
    named = os.environ.get("STOCKFISH_PATH")
    found = shutil.which(named) if named else shutil.which("stockfish") or shutil.which("/usr/games/stockfish")
    if found is None:
        where = f"STOCKFISH_PATH = {named!r} is no program" if named else "stockfish is not installed"
        raise EngineError(
            f"{where}: `make stockfish` installs it, STOCKFISH_PATH names it, task.env.opponent=random needs none"
        )
    return found


class Engine:
    """One engine, started at the first question and again whenever it dies, hangs or is killed.

    A question holds its whole position, so a repeated one loses nothing. The process ends with this object or with
    the interpreter, and by itself where the interpreter is killed, since its input ends then.
    """

    def __init__(self, options: Mapping[str, str | int]) -> None:
        """`options` are set once, by their UCI names."""
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._end: Callable[[], object] = lambda: None
        self._rest = b""
        self.starts = 0
        """How often a process was started."""
        self._name = ""

    def ask(self, fen: str, go: str, *, fresh: bool = False) -> tuple[str, list[Line]]:
        """The move that the engine would play, and its deepest lines, best first.

        go: limits, such as "nodes 100"; fresh: forget everything first, so that the answer depends on the question
        alone. Raises EngineError if the engine cannot be had or dies each time.
        """
        question = "ucinewgame\n" * fresh + f"position fen {fen}\ngo {go}\n"
        if self._process and self._process.poll() is not None:  # dead, or another's: of whom this process was forked
            self.close()
        for _ in range(TRIES):
            try:
                return _answer(self._talk(question, "bestmove"))
            except _Gone:
                self.close()
            except BaseException:  # such as Ctrl-C: what it still says must not answer the next question
                self.close()
                raise
        raise EngineError(f"{find_stockfish()} died or hung {TRIES} times at position {fen!r}")

    def name(self) -> str:
        """What the engine calls itself. Raises EngineError."""
        if not self._process:
            self.ask(START, "nodes 1")
        return self._name

    def pid(self) -> int | None:
        """Of the process, if one runs."""
        return self._process.pid if self._process else None

    def close(self) -> None:
        """End the process; the next question starts another."""
        self._end()
        self._process, self._rest = None, b""

    def _start(self) -> subprocess.Popen[bytes]:
        binary, pipe = find_stockfish(), subprocess.PIPE
        try:  # a group of its own: a Ctrl-C in the terminal is for the run, which finishes its step
            process = subprocess.Popen([binary], stdin=pipe, stdout=pipe, bufsize=0, process_group=0)
        except OSError as error:
            raise EngineError(f"{binary} cannot be started: {error.strerror}") from error
        self._end = weakref.finalize(self, _end, process)
        self._process, self.starts = process, self.starts + 1
        settings = "".join(f"setoption name {name} value {value}\n" for name, value in self._options.items())
        said = self._talk(f"uci\n{settings}isready\n", "readyok")
        self._name = next((line.removeprefix("id name ") for line in said if line.startswith("id name ")), "unnamed")
        return process

    def _talk(self, text: str, last: str) -> list[str]:
        """Send `text`; the lines that came until one begins with `last`. Raises _Gone."""
        process = self._process or self._start()
        assert process.stdin
        try:
            process.stdin.write(text.encode())
        except OSError as error:
            raise _Gone from error
        lines = []
        for line in self._lines(process):
            lines.append(line)
            if line.startswith(last):
                break
        return lines

    def _lines(self, process: subprocess.Popen[bytes]) -> Iterator[str]:
        assert process.stdout
        while True:
            *whole, self._rest = self._rest.split(b"\n")
            yield from (line.decode(errors="replace").strip() for line in whole)
            ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
            more = os.read(process.stdout.fileno(), 1 << 16) if ready else b""
            if not more:  # nothing in time, or the end of its output
                raise _Gone
            self._rest += more


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process that may have ended; it has nothing to save."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()


def _answer(said: list[str]) -> tuple[str, list[Line]]:
    """What the last `info` of each line said; fewer lines than asked for where the search was too short."""
    lines: dict[int, Line] = {}
    for words in map(str.split, said):
        if words[:1] == ["info"] and "pv" in words and "score" in words:
            kind, number = words[words.index("score") + 1 :][:2]
            rank = int(words[words.index("multipv") + 1]) if "multipv" in words else 1
            lines[rank] = Line(words[words.index("pv") + 1], _centipawns(kind, int(number)))
    return said[-1].split()[1], [lines[rank] for rank in sorted(lines)]


def _centipawns(kind: str, number: int) -> int:
    return number if kind == "cp" else MATE - number if number > 0 else -MATE - number
