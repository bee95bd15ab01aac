"""What the tests have a fork server do: `run` says what it finds, and does what its first argument names."""

import fcntl
import os
import signal
import subprocess
import sys
import time

BORN = os.getpid()
"""Whose import this was."""


def run() -> int:
    print(BORN, os.getpid(), *sys.argv[1:], repr(sys.stdin.read()), flush=True)
    what = sys.argv[1]
    if what == "status":
        return 7
    if what == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "leaves":
        print(subprocess.Popen(["sleep", "600"]).pid, flush=True)
    if what == "saves":
        signal.signal(signal.SIGTERM, save)
        print("ready", flush=True)
        time.sleep(600)
    return 0


def save(*_: object) -> None:
    time.sleep(0.5)
    os._exit(9)


def free(file: int) -> bool:
    """Whether no one holds a lock on what is open as `file`."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    fcntl.flock(file, fcntl.LOCK_UN)
    return True
