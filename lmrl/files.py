"""What is written appears whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
