"""Checkpoints of ours: what they hold, and their language model's weights into another."""

from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from lmrl.errors import first_line
from lmrl.models import LanguageModel


def read_checkpoint(ckpt: Path) -> dict[str, dict[str, Any]]:
    """Read a checkpoint without running any code it may hold. Raises ValueError naming the file and the reason."""
    try:
        saved = torch.load(ckpt, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ValueError(f"{ckpt}: no such checkpoint") from error
    except IsADirectoryError as error:
        raise ValueError(f"{ckpt}: a folder; name the last.ckpt in it") from error
    except UnpicklingError as error:  # whose own words advise to run what it holds
        raise ValueError(f"{ckpt}: not a readable checkpoint") from error
    except Exception as error:  # a cut file shows as any of RuntimeError, UnpicklingError, EOFError, ...
        raise ValueError(f"{ckpt}: not a readable checkpoint ({first_line(error)})") from error
    made = saved.get("lmrl") if isinstance(saved, dict) else None
    if not isinstance(made, dict) or not {"model", "tokenizer"} <= made.keys() or "state_dict" not in saved:
        raise ValueError(f"{ckpt}: not a checkpoint of lmrl")
    return dict(saved)


def load_weights(model: LanguageModel, ckpt: Path) -> None:
    """Give the model the language model's weights of a checkpoint of ours.

    Raises ValueError if the file is missing, broken, or of another architecture or tokenizer.
    """
    saved = read_checkpoint(ckpt)
    if saved["lmrl"]["tokenizer"] != model.codec.to_json():
        raise ValueError(f"{ckpt}: made with another tokenizer (another task, word list or model)")
    weights = {k.removeprefix("lm."): v for k, v in saved["state_dict"].items() if k.startswith("lm.")}
    try:
        model.lm.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"{ckpt}: made with another architecture ({str(error).splitlines()[-1].strip()})") from error
