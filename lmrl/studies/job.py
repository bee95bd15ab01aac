"""One run of a study: a process of its own, in a folder of its own, watched until it ends or must be ended.

However it ends is data. The process ends with its worker (`lmrl.studies.leash`), and a lock on its folder, which it
inherits, keeps a second one out until it is gone.
"""

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import yaml
from hydra.core.override_parser.types import Quote, QuotedString
from omegaconf import DictConfig

from lmrl.cli import REFUSED
from lmrl.studies import leash
from lmrl.studies.forkserver import forked
from lmrl.studies.locks import locked

LMRL = (sys.executable, "-m", "lmrl")
TICK = 0.5
"""Seconds between two looks at a run."""
PATIENCE = 2 * leash.GRACE + 15
"""Seconds in which the folder's last run, and whoever watches it, has ended."""
DOUBT = 3.0
"""Seconds in which a signal that ended a run reaches this process too, if it was meant for both."""

End = Literal["finished", "diverged", "collapsed", "timeout", "died"]
"""How a run ended. timeout: after the study's `minutes`; died: by a signal or an error of its own."""


@contextmanager
def training(configs: Iterable[DictConfig], command: Sequence[str] | None = None) -> Iterator[Sequence[str]]:
    """The command for runs of these configs: the one that is given, else one that forks where that is safe."""
    safe = sys.platform == "linux" and all(cfg.trainer.accelerator == "cpu" for cfg in configs)
    if command is None and safe:
        with forked() as forks:
            yield forks
    else:
        yield command or LMRL


class Job:
    """What a folder holds of a run of these overrides, and the way to carry it to its end."""

    def __init__(self, folder: Path, overrides: Sequence[str], command: Sequence[str]) -> None:
        self.folder, self.overrides, self._command = folder, list(overrides), list(command)
        self.log, self._heard = folder.with_name(f"{folder.name}.log"), 0

    @property
    def done(self) -> bool:
        """Whether it has finished: `metrics.json` is there, of the same overrides, places aside."""
        note = self.folder / "overrides.yaml"
        if not (note.is_file() and (self.folder / "metrics.json").is_file()):
            return False
        return _deciding(yaml.safe_load(note.read_text(encoding="utf-8"))) == _deciding(self.overrides)

    def figures(self) -> dict[str, float]:
        """Every metric's last value, those of `metrics.json` above what was logged; nan where it was not finite."""
        last = {name: value for _, row in self._rows() for name, value in row.items()}
        if self.done:
            last |= json.loads((self.folder / "metrics.json").read_text(encoding="utf-8"))
        return {name: _number(value) for name, value in last.items()}

    def curve(self, metric: str) -> list[float]:
        """A logged metric by rising step, from the first that trained: a look that is taken again counts once."""
        points = {step: row[metric] for step, row in self._rows() if step and metric in row}
        return [_number(points[step]) for step in sorted(points)]

    def _rows(self) -> list[tuple[int, dict[str, float | None]]]:
        file, rows = self.folder / "metrics.jsonl", []
        for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
            with suppress(ValueError):  # one that is being written, or was cut off by a kill
                row = json.loads(line)
                rows.append((row["step"], row["metrics"]))
        return rows

    def carry(self, seconds: float, look: Callable[[], None]) -> End:
        """Let it run to its end, and tell how that was.

        look: called twice a second; what it raises stops the run. Raises ValueError if the run was refused, which
        its config or this machine is to blame for, and if the folder's last run does not end.
        """
        with self._alone() as lock:
            if self.done:
                return self._end(0)
            with self._running(lock) as process:
                until = time.monotonic() + seconds
                while process.poll() is None and time.monotonic() < until:
                    look()
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(TICK)
                late = process.poll() is None
            return "timeout" if late and not self.done else self._end(0 if late else process.returncode)

    @contextmanager
    def _running(self, lock: int) -> "Iterator[subprocess.Popen[bytes]]":
        """The process, which is ended with the block; it inherits the lock."""
        line = [sys.executable, leash.__file__, *self._command, *self.overrides, placed(self.folder)]
        with self.log.open("ab") as log:
            self._heard = log.tell()
            process = subprocess.Popen(
                line, stdin=subprocess.PIPE, stdout=log, stderr=log, process_group=0, pass_fds=[lock]
            )
        try:
            yield process
        finally:
            _stop(process)

    @contextmanager
    def _alone(self) -> Iterator[int]:
        """The lock on the folder, whose last run may still be saving what it had."""
        until, path = time.monotonic() + PATIENCE, self.folder.with_name(f"{self.folder.name}.lock")
        while (lock := locked(path)) is None:
            if time.monotonic() > until:
                raise ValueError(f"{self.folder}: a process of an earlier worker still works here; end it")
            time.sleep(0.1)
        try:
            yield lock
        finally:
            os.close(lock)

    def _end(self, status: int) -> End:
        if status == REFUSED:
            raise ValueError(f"{self.folder}: {self._refusal()}")
        if status or not self.done:
            if status > 128:
                time.sleep(DOUBT)
            return "died"
        figures = self.figures()
        return "diverged" if figures.get("diverged") else "collapsed" if figures.get("collapsed") else "finished"

    def _refusal(self) -> str:
        """Why this start of the run was refused. A progress bar may stand before, output after."""
        said = self.log.read_bytes()[self._heard :].decode(errors="replace")
        why: list[str] = re.findall("error: (.*)", said)
        return why[-1] if why else f"refused; {self.log} says why"


def placed(folder: Path) -> str:
    """The override that has a run use a folder, whatever is in its name.

    >>> placed(Path("runs/a,b"))
    "hydra.run.dir='runs/a,b'"
    """
    return f"hydra.run.dir={QuotedString(str(folder), Quote.single).with_quotes()}"


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _deciding(overrides: Sequence[str]) -> list[str]:
    return [text for text in overrides if not text.startswith(("tracking", "cache=", "workers="))]


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End a process and all that it started, giving it time to save."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(leash.GRACE)
    with suppress(ProcessLookupError):  # what is left of its group, if anything
        os.killpg(process.pid, signal.SIGKILL)
    assert process.stdin
    process.stdin.close()
    process.wait()
