"""Small real parts for tests: a two-layer GPT-2 that speaks a handful of phrases, and episodes to learn from."""

import pytest
import torch
from hypothesis import settings

from lmrl.models import LanguageModel, tiny
from lmrl.trajectory import Trajectory, Turn

settings.register_profile("lmrl", deadline=None, derandomize=True)  # a busy machine is no fault
settings.load_profile("lmrl")


@pytest.fixture(autouse=True)
def fresh_process() -> None:
    """Undo what a run sets for its whole process; where denormals are flushed, hypothesis refuses to make floats."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(False)


def make_model(
    phrases: tuple[str, ...] = ("left\n", "right\n", "see\n", "end\n"), positions: int = 64, dropout: float = 0.0
) -> LanguageModel:
    torch.manual_seed(0)
    sizes = {"layers": 2, "width": 16, "heads": 2, "positions": positions}
    return tiny(phrases=lambda: phrases, std=0.1, attention="eager", dropout=dropout, **sizes)


@pytest.fixture
def model() -> LanguageModel:
    return make_model()


def episode(*rewards: float, done: bool = True, action: str = "left\n") -> Trajectory:
    """see, action, see, action, …, end."""
    turns = [Turn("see\n", False)]
    for reward in rewards:
        turns += [Turn(action, True, reward), Turn("see\n", False)]
    turns[-1] = Turn("end\n", False)
    return Trajectory(tuple(turns), done, {"success": done, "invalid_actions": 0})
