"""The storages of studies: SQLite and Optuna's journal for one machine, PostgreSQL for several."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.storages.journal._file import BaseJournalFileLock  # which its package does not hand on
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from lmrl.errors import in_a_line
from lmrl.studies.locks import ALIVE, FileLocks


@contextmanager
def told(storage: str) -> Iterator[None]:
    """Turn what a storage that is away raises into one line for the user, without its password: a ValueError."""
    try:
        yield
    except ImportError as error:
        if not (error.name or "").startswith("psycopg"):
            raise
        raise ValueError(f"storage = {_shown(storage)}: {error}; pip install 'lmrl[postgres]'") from error
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        reason = in_a_line(getattr(error, "orig", None) or error.__cause__ or error)[:200]
        raise ValueError(f"storage = {_shown(storage)}: {reason}; the same command goes on") from error


def _shown(storage: str) -> str:
    """Without a password, where it can be read as an address."""
    with suppress(ArgumentError):
        return make_url(storage).render_as_string()
    return storage


def address(storage: str) -> str:
    """SQLAlchemy's address, with the driver that is tested."""
    return make_url(storage).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def file_of(storage: str) -> Path | None:
    """The file of a storage on one machine; None for a server's. Raises ValueError for what is neither."""
    kind, _, place = storage.partition(":///")
    if kind in ("sqlite", "journal") and place:
        return Path(place).absolute()
    if not storage.startswith(("postgresql://", "postgresql+psycopg://")):
        raise ValueError(
            f"storage = {_shown(storage)}: write sqlite:///FILE, journal:///FILE or postgresql://USER@HOST/NAME"
        )
    return None


def opened(storage: str, file: Path | None) -> BaseStorage:
    """The storage of that address, and of that file if it is one; it is made where there is none."""
    if file is None:
        return RDBStorage(address(storage), engine_kwargs={"pool_pre_ping": True, "connect_args": ALIVE})
    file.parent.mkdir(parents=True, exist_ok=True)
    if storage.startswith("journal"):
        return JournalStorage(JournalFileBackend(str(file), _JournalLock(file)))
    return RDBStorage(f"sqlite:///{file}", engine_kwargs={"connect_args": {"timeout": 60}})


class _JournalLock(BaseJournalFileLock):
    """In place of Optuna's own, which outlives a killed holder by 30 seconds, and keeps a line that it left torn."""

    def __init__(self, path: Path) -> None:
        self._path, self._locks = path, FileLocks(path.with_name(f"{path.name}.locks"))

    def acquire(self) -> bool:
        while not self._locks.take("journal"):
            time.sleep(0.001)
        with self._path.open("rb") as journal:
            size = journal.seek(0, os.SEEK_END)
            journal.seek(max(0, size - 1))
            torn = journal.read(1) not in (b"", b"\n")
        if torn:
            os.truncate(self._path, self._path.read_bytes().rfind(b"\n") + 1)
        return True

    def release(self) -> None:
        self._locks.give("journal")
