"""Runs a command that ends with whoever asked for it, by SIGKILL too: `python leash.py COMMAND...`.

Whoever asks holds the other end of standard input. When that closes the command is told to stop by SIGTERM, and after
GRACE seconds its whole process group is killed. Else the command's status is this process's: 128 + N after signal N.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

GRACE = 30.0
"""Seconds in which a run saves what it has."""


def main() -> int:
    """Start the command in this process group, and wait for its end or for that of standard input."""
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the command; one that is ignored it would ignore too
        signal.signal(number, lambda *_: None)
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, close_fds=False)  # with the lock on its folder
    threading.Thread(target=_end_with_input, args=(child,), daemon=True).start()
    status = child.wait()
    return status if status >= 0 else 128 - status


def _end_with_input(child: "subprocess.Popen[bytes]") -> None:
    while os.read(0, 1024):
        pass
    with suppress(ProcessLookupError):
        child.terminate()
    with suppress(subprocess.TimeoutExpired):
        child.wait(GRACE)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
