"""What all tests share. Heavy imports wait for a test: the process that only hands tests out never needs them."""

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from lmrl.models import LanguageModel

settings.register_profile("lmrl", deadline=None, derandomize=True)  # a busy machine is no fault
settings.load_profile("lmrl")


@pytest.fixture(autouse=True)
def fresh_process() -> None:
    """Undo what a run sets for its whole process; where denormals are flushed, hypothesis refuses to make floats."""
    import torch

    torch.set_num_threads(1)
    torch.set_flush_denormal(False)


@pytest.fixture
def model() -> "LanguageModel":
    from tests.parts import make_model

    return make_model()
