"""What the tests have a fork server do: `run` says what it finds, and does what its first argument names."""

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
        while True:  # a signal just before a single long sleep would be handled after it
            time.sleep(0.1)
    return 0


def save(*_: object) -> None:
    time.sleep(0.5)
    os._exit(9)
