"""Being told to stop: the run finishes the step that it is in, saves, closes its record, and ends."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType


class Stopped(KeyboardInterrupt):
    """A run that was told to stop, and has saved what it had."""


class Stop:
    """Whether SIGINT or SIGTERM has come. A second one ends the process at once."""

    def __init__(self) -> None:
        self.asked = False

    def check(self, _: object = None) -> None:
        """Raise Stopped if the run was told to stop: for places where nothing would be lost."""
        if self.asked:
            raise Stopped

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        print(f"\n{signal.Signals(number).name}: saving and closing the run; again to end it at once")


@contextmanager
def listening() -> Iterator[Stop]:
    """Listen for signals inside the block; only a main thread can."""
    stop = Stop()
    if current_thread() is not main_thread():
        yield stop
        return
    before = {number: signal.signal(number, stop._hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
