"""Being told to stop: a run finishes the step that it is in, saves, closes its record, and ends; all else just ends."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import parent_process
from threading import Thread, current_thread, main_thread
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):
    """A run that was told to stop, and has saved what it had."""


class Stop:
    """Whether SIGINT or SIGTERM has come. A second one ends the process at once."""

    def __init__(self) -> None:
        self.asked = False
        self._at_once = False

    def check(self, _: object = None) -> None:
        """Raise Stopped if the run was told to stop: for places where nothing would be lost."""
        if self.asked:
            raise Stopped

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Inside the block the first signal raises Stopped: what it does is kept as it goes."""
        self.check()
        self._at_once = True
        try:
            yield
        finally:
            self._at_once = False

    def listen(self) -> None:
        """Be the one who hears both signals, if this is the main thread: no other may."""
        if current_thread() is main_thread():
            for number in SIGNALS:
                signal.signal(number, self._hear)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        if self._at_once:
            raise Stopped
        print(f"\n{signal.Signals(number).name}: saving and closing the run; again to end it at once")


@contextmanager
def listening() -> Iterator[Stop]:
    """Listen for signals inside the block; only a main thread can."""
    stop = Stop()
    with _handlers_kept():
        stop.listen()
        yield stop


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM ends the block as SIGINT does, by a KeyboardInterrupt: what is half done is cleared away."""
    with _handlers_kept():
        if current_thread() is main_thread():
            signal.signal(signal.SIGTERM, signal.default_int_handler)
        yield


@contextmanager
def held_back(number: signal.Signals) -> Iterator[None]:
    """A signal waits for the end of the block; the processes that are started in it never hear it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent() -> None:
    """From now on this process ends when the one that started it does, by SIGKILL too. For a pool's workers."""

    def wait() -> None:
        parent = parent_process()
        assert parent
        parent.join()
        os._exit(1)

    Thread(target=wait, daemon=True).start()


@contextmanager
def _handlers_kept() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        if current_thread() is main_thread():
            for number, handler in before.items():
                signal.signal(number, handler)
