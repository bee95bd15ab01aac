"""Replies of an endpoint, kept on disk: what was answered once, and paid for, is not asked again.

One SQLite file in a folder, which several processes may use at once. Each reply stands beside a digest of itself; one
that does not fit its digest is dropped. A file that is no database any more is put aside and begun anew.
"""

import hashlib
import json
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

BUSY = 60.0
"""Seconds to wait for other processes that write."""
TABLE = "CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, reply TEXT, digest TEXT) WITHOUT ROWID"


class Replies:
    """Texts by keys. Raises OSError where the folder cannot be written to."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "replies.sqlite"
        self._open: dict[int, sqlite3.Connection] = {}  # by process: a connection must not pass a fork

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_open": {}}

    def get(self, key: str) -> str | None:
        """The reply, None if there is none or a damaged one."""
        rows = self._do("SELECT reply, digest FROM replies WHERE key = ?", key)
        if not rows:
            return None
        kept, digest = rows[0]
        if not isinstance(kept, str) or _digest(key, kept) != digest:
            self._do("DELETE FROM replies WHERE key = ?", key)
            return None
        return str(json.loads(kept))

    def put(self, key: str, reply: str) -> None:
        """Keep a reply; it is on disk when this returns."""
        kept = json.dumps(reply)  # ASCII, so that lone surrogates do no harm
        self._do("INSERT OR REPLACE INTO replies VALUES (?, ?, ?)", key, kept, _digest(key, kept))

    def close(self) -> None:
        """Let go of the file; what comes next opens it again."""
        if connection := self._open.pop(os.getpid(), None):
            connection.close()

    def _do(self, statement: str, *values: str) -> list[Any]:
        try:
            try:
                return self._once(statement, *values)
            except sqlite3.OperationalError:  # locked, full, not to be opened: no damage
                raise
            except sqlite3.DatabaseError as error:
                self._put_aside(str(error))
                return self._once(statement, *values)
        except sqlite3.Error as error:
            raise OSError(f"{self._file}: {error}") from error

    def _once(self, statement: str, *values: str) -> list[Any]:
        with self._connection() as connection, closing(connection.execute(statement, values)) as rows:
            return rows.fetchall()

    def _connection(self) -> sqlite3.Connection:
        here = os.getpid()
        if here not in self._open:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._file, timeout=BUSY, check_same_thread=False)
            self._open[here] = connection  # beside a parent's, which to close is the parent's
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(TABLE)
        return self._open[here]

    def _put_aside(self, reason: str) -> None:
        self.close()
        aside = self._file.with_suffix(".broken")
        print(f"{self._file} is damaged ({reason}): kept as {aside.name}, begun anew", file=sys.stderr)
        self._file.replace(aside)
        for leftover in ("-wal", "-shm"):
            self._file.with_name(self._file.name + leftover).unlink(missing_ok=True)


def _digest(key: str, kept: str) -> str:
    return hashlib.sha256(f"{key} {kept}".encode()).hexdigest()[:32]
