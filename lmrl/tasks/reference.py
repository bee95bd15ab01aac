"""Reading the reference's JSON lines: one helper, so that every broken line is reported in the same words."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lmrl.trajectory import Trajectory


def read_rows(path: Path, episode: Callable[[Any], Trajectory]) -> Iterator[Trajectory]:
    """One episode per line of `path`. Raises ValueError naming the file, the line and the reason."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield episode(json.loads(line))
            except KeyError as error:
                raise ValueError(f"{path}, line {number}: the row has no {error}") from error
            except (ValueError, TypeError) as error:
                raise ValueError(f"{path}, line {number}: {error}") from error
