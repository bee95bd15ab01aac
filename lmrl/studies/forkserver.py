"""Runs that begin at once: a fork server (as in `multiprocessing`) imports what a run needs, and forks each of them.

`python -m lmrl` imports for about six seconds of one core, which is a fifth of a short run.

    with forked() as command:       # in place of (sys.executable, "-m", "lmrl")
        subprocess.run([*command, "task=maze", "algo=bc", "trainer.max_steps=10"])

That command is this file, which then imports nothing of ours. It sends its arguments and open files, and the number of
a signal, over a socket, and ends as the run does; if it is killed, the run is stopped. Forked memory knows no CUDA, and
threads do not survive a fork: this is for runs on the CPU, on Linux.
"""

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from select import select
from threading import Thread

WARM = ("lmrl.train", "mlflow.store.tracking.sqlalchemy_store")
"""What brings nearly all that a run imports."""
GRACE = 30.0
"""Seconds in which a run saves what it has, as in `lmrl.studies.leash`, which a program cannot import from here."""
_KIND = socket.SOCK_SEQPACKET  # a message arrives whole
_LONGEST, _MOST = 1 << 20, 64  # bytes of a message, files that come with it


@contextmanager
def forked(warm: Sequence[str] = WARM, does: str = "lmrl.cli.train") -> Iterator[list[str]]:
    """The command, whose arguments become those of `does`, a function that returns the exit status.

    warm: the modules that are imported before.
    """
    with tempfile.TemporaryDirectory(prefix="lmrl-") as folder, socket.socket(socket.AF_UNIX, _KIND) as listener:
        listener.bind(path := f"{folder}/runs")
        listener.listen()
        line = [sys.executable, "-m", __name__, str(listener.fileno()), does, *warm]
        server = subprocess.Popen(line, stdin=subprocess.PIPE, pass_fds=[listener.fileno()], process_group=0)
        listener.close()  # else who asks a server that died would wait for an answer
        try:
            yield [sys.executable, "-IS", __file__, path]
        finally:
            server.terminate()
            server.communicate()


def ask(path: str, arguments: Sequence[str]) -> int:
    """Have a run forked and wait for its end; its exit status, 128 + N after signal N. Without a server, become it."""
    with socket.socket(socket.AF_UNIX, _KIND) as server:
        try:
            server.connect(path)
        except OSError:
            os.execv(sys.executable, [sys.executable, "-m", "lmrl", *arguments])
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _: server.send(bytes([number])))
        answer = b""
        with suppress(OSError):  # the server dies while it is asked
            socket.send_fds(server, [json.dumps(arguments).encode()], [1, 2, *_inherited(server.fileno())])
            answer = server.recv(1)
    return answer[0] if answer else 128 + signal.SIGKILL


def _inherited(own: int) -> list[int]:
    """What whoever started this process left open for it, such as a lock."""
    found = [int(name) for name in os.listdir("/proc/self/fd")]
    return [file for file in found if file > 2 and file != own and os.path.exists(f"/proc/self/fd/{file}")]


def serve(listener: socket.socket, does: str, warm: Sequence[str]) -> int:
    """Fork runs until standard input closes; in a fork, the run's exit status."""
    for name in warm:
        import_module(name)
    gc.freeze()  # what no collection touches stays shared
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no one asks after those that watch
    while listener in select([listener, sys.stdin], [], [])[0]:
        asker, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            return _watched(asker, does)
        asker.close()
    return 0


def _watched(asker: socket.socket, does: str) -> int:
    """Fork the run, hand signals on to it and its status back, and let nothing of it outlive it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    message, files, _, _ = socket.recv_fds(asker, _LONGEST, _MOST)
    run = os.fork()
    if run == 0:
        asker.close()
        return _run(json.loads(message), files, does)
    Thread(target=_tell, args=(asker, run), daemon=True).start()
    status = os.waitstatus_to_exitcode(os.waitpid(run, 0)[1])
    with suppress(ProcessLookupError):
        os.killpg(run, signal.SIGKILL)
    with suppress(OSError):
        asker.send(bytes([status if status >= 0 else 128 - status]))
    os._exit(0)


def _tell(asker: socket.socket, run: int) -> None:
    """Hand signals on; when there is no one left who asks, have it stop, and after GRACE seconds end it."""
    with suppress(ProcessLookupError):
        while number := asker.recv(1):
            os.kill(run, number[0])
        os.kill(run, signal.SIGTERM)
        time.sleep(GRACE)
        os.killpg(run, signal.SIGKILL)


def _run(arguments: Sequence[str], files: Sequence[int], does: str) -> int:
    os.setpgid(0, 0)
    for place, file in enumerate([os.open(os.devnull, os.O_RDONLY), *files[:2]]):  # the others are held, as a lock is
        os.dup2(file, place)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.argv = [str(Path(__file__).parents[1] / "__main__.py"), *arguments]
    module, _, name = does.rpartition(".")
    return int(getattr(import_module(module), name)())


if __name__ == "__main__":
    if sys.argv[1].isdigit():
        sys.exit(serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2], sys.argv[3:]))
    sys.exit(ask(sys.argv[1], sys.argv[2:]))
