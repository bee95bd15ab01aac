"""Where a run comes from, as flat text for a tracker: the commit it ran on, and its config."""

import json
import re
import subprocess
from collections.abc import Mapping
from typing import Any

_NOT_IN_A_NAME = re.compile(r"[^\w\-./ ]", re.ASCII)


def git_tags() -> dict[str, str]:
    """`git_commit` and `git_dirty` (true or false) of the working directory's repository; empty where there is none."""
    commit, changes = _git("rev-parse", "HEAD"), _git("status", "--porcelain")
    if commit is None or changes is None:
        return {}
    return {"git_commit": commit, "git_dirty": str(bool(changes)).lower()}


def _git(*arguments: str) -> str | None:
    try:
        return subprocess.run(
            ("git", *arguments), capture_output=True, check=True, text=True, timeout=10
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):  # no git, no repository, no commit yet, or a disk that hangs
        return None


def flat(config: Any, key: str = "") -> dict[str, str]:
    """A config's leaves by their full key, as text; a list is one leaf, and so is an empty mapping.

    >>> flat({"algo": {"gamma": 0.99, "heads": ["v", "q"]}, "task@data": None})
    {'algo.gamma': '0.99', 'algo.heads': '["v", "q"]', 'task_data': 'None'}
    """
    if isinstance(config, Mapping) and (config or not key):
        result: dict[str, str] = {}
        for name, value in config.items():
            result |= flat(value, f"{key}.{name}" if key else str(name))
        return result
    text = json.dumps(config, default=str) if isinstance(config, list | dict) else str(config)
    return {_NOT_IN_A_NAME.sub("_", key): text}
