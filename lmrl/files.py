"""What is written appears whole or not at all; what takes long goes on where its writer was stopped."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def text_of(path: Path) -> str:
    """A file's text. Raises ValueError naming it if it is not UTF-8, OSError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not text in UTF-8: {error.reason} at byte {error.start}") from error


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Where to write a file, or a folder, that appears at `path` when the block ends well, and else leaves nothing.

    Several processes may write the same: each has a part of its own. The last file stays, and the first folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    except OSError:
        if not (part.is_dir() and path.is_dir()):  # a folder in place cannot be replaced
            raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
        part.unlink(missing_ok=True)


class Growing:
    """A text that is written chunk by chunk, beside a note on each; who comes next goes on after the last whole chunk.

    One writer at a time. A chunk counts once its note is written, so a killed process loses what it had begun.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._part = path, path.with_name(f"{path.name}.part")
        self._log = path.with_name(f"{path.name}.log")
        kept = self._kept()
        self.notes = [note for _, note in kept]
        """Of the chunks that are there."""
        self._part.touch()
        os.truncate(self._part, kept[-1][0] if kept else 0)
        self._log.write_text("".join(json.dumps(entry) + "\n" for entry in kept), encoding="ascii")

    def _kept(self) -> list[tuple[int, Any]]:
        """Where each whole chunk ends, in bytes, and its note."""
        if not (self._log.is_file() and self._part.is_file()):
            return []
        whole_lines = self._log.read_text(encoding="ascii").split("\n")[:-1]  # a line without its end is torn
        size = self._part.stat().st_size
        return [(end, note) for end, note in map(json.loads, whole_lines) if end <= size]

    def add(self, text: str, note: Any) -> None:
        """Append a chunk. `note` is anything that JSON holds."""
        with self._part.open("ab") as part:
            part.write(text.encode())
            end = part.tell()
        with self._log.open("a", encoding="ascii") as log:
            log.write(json.dumps([end, note]) + "\n")
        self.notes.append(note)

    def finish(self) -> None:
        """The text appears, whole."""
        self._part.replace(self._path)
        self._log.unlink()

    def discard(self) -> None:
        """Nothing of it stays."""
        self._part.unlink(missing_ok=True)
        self._log.unlink(missing_ok=True)
