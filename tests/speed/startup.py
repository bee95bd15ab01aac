"""The commands' first answer, on the clock on the wall, since people wait for it."""

import subprocess
import sys
import time
from pathlib import Path

from tests.speed.measure import Effort, Figure, by_turns


def figures(effort: Effort, folder: Path) -> list[Figure]:
    found = by_turns({"help": lambda: seconds("--help"), "error": lambda: seconds("nonsense=1")}, effort.repetitions)
    return [
        Figure("python -m lmrl --help", "s", found["help"], at_most=1.0),
        Figure("python -m lmrl nonsense=1", "s", found["error"], at_most=1.0),
    ]


def seconds(argument: str) -> float:
    """From the start of the process to its end."""
    begun = time.monotonic()
    subprocess.run([sys.executable, "-m", "lmrl", argument], capture_output=True, check=False)
    return time.monotonic() - begun
