"""Locks that end with the process that holds them, however it ends: among one machine's, or through PostgreSQL."""

import fcntl
import os
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

ALIVE = {
    "keepalives_idle": 30,  # so both sides hear within a minute that the other machine is gone
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,  # milliseconds; nothing is kept alive while an answer is waited for
    "options": "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3",
}
"""How to connect to PostgreSQL."""


class Locks(Protocol):
    """Locks by name. They are not counted: who has one cannot take it again."""

    def take(self, name: str) -> bool:
        """Whether the lock was free, and now is ours."""

    def give(self, name: str) -> None: ...

    def hold(self) -> None:
        """Raise SQLAlchemyError if what was taken may have been lost."""


def locked(path: Path) -> int | None:
    """An open descriptor that holds the lock on a file until it and its copies are closed; None if another has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def alone(locks: Locks, name: str) -> Iterator[None]:
    """Wait for a lock, and have it for the block."""
    while not locks.take(name):
        time.sleep(0.05)
    try:
        yield
    finally:
        locks.give(name)


class FileLocks:
    """Locks on files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, int] = {}

    def take(self, name: str) -> bool:
        descriptor = None if name in self._held else locked(self._folder / name)
        if descriptor is not None:
            self._held[name] = descriptor
        return descriptor is not None

    def give(self, name: str) -> None:
        os.close(self._held.pop(name))

    def hold(self) -> None:
        """Nothing: they are lost with the process alone."""


class ServerLocks:
    """Advisory locks of one connection to PostgreSQL, which end with it."""

    def __init__(self, url: str) -> None:
        engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=ALIVE)
        self._connection = engine.connect()
        self._held = set[str]()

    def take(self, name: str) -> bool:
        if name in self._held or not self._ask("pg_try_advisory_lock", name):
            return False
        self._held.add(name)
        return True

    def give(self, name: str) -> None:
        self._held.remove(name)
        with suppress(SQLAlchemyError):  # a lost connection has given all its locks
            self._ask("pg_advisory_unlock", name)

    def hold(self) -> None:
        self._connection.execute(text("SELECT 1"))

    def _ask(self, function: str, name: str) -> bool:
        space, _, last = name.rpartition(".")
        keys = {"space": _number(space), "name": _number(last)}
        return bool(self._connection.execute(text(f"SELECT {function}(:space, :name)"), keys).scalar())


def _number(name: str) -> int:
    """PostgreSQL's locks are named by two signed numbers of 32 bits."""
    return zlib.crc32(name.encode()) - 2**31
