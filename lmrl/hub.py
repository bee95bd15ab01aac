"""Models by name: a folder, or what the model hub has by it; whether they can be had, and why not."""

from pathlib import Path

from huggingface_hub import file_exists

from lmrl.errors import first_line


def local_only(name: str) -> bool:
    """Whether to look on this machine alone: it is a folder's name, or nobody answers at the hub."""
    return Path(name).is_dir() or not _hub_answers(name)


def _hub_answers(name: str) -> bool:
    """Whether the model hub can be asked for this name, by one request: `from_pretrained` tries for half a minute."""
    try:
        file_exists(name, "config.json")
    except (OSError, ValueError):  # it answers that it will not, or may not be asked: `from_pretrained` says why
        return True
    except Exception:  # nobody is there, in the words of whichever HTTP library is in use
        return False
    return True


def absence(name: str, error: Exception) -> str:
    """Why there is no model of this name, in a line, given what came of asking for it."""
    here = Path(name).is_dir()
    place = "this folder holds no model" if here else "no such folder, and not to be had from the model hub"
    return f"{place} ({first_line(error)})"
