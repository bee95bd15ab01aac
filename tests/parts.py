"""Small real parts for tests: a two-layer GPT-2 that speaks a handful of phrases, and episodes to learn from."""

import torch

from lmrl.models import LanguageModel, tiny
from lmrl.trajectory import Trajectory, Turn


def make_model(
    phrases: tuple[str, ...] = ("left\n", "right\n", "see\n", "end\n"),
    positions: int = 64,
    dropout: float = 0.0,
    rows: int | None = None,
) -> LanguageModel:
    torch.manual_seed(0)
    sizes = {"layers": 2, "width": 16, "heads": 2, "positions": positions}
    return tiny(phrases=lambda: phrases, std=0.1, attention="eager", dropout=dropout, rows=rows, **sizes)


def episode(*rewards: float, done: bool = True, action: str = "left\n") -> Trajectory:
    """see, action, see, action, …, end."""
    turns = [Turn("see\n", False)]
    for reward in rewards:
        turns += [Turn(action, True, reward), Turn("see\n", False)]
    turns[-1] = Turn("end\n", False)
    return Trajectory(tuple(turns), done, {"success": done, "invalid_actions": 0})
