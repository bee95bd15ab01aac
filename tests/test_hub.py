"""Models that cannot be had."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lmrl.models import pretrained

NAMES = ["gpt2", "somebody/gpt2", "no/such/folder", "/no/such/folder"]
LOAD = f"""
import time
from lmrl.models import pretrained
for name in {NAMES}:
    begun = time.monotonic()
    try:
        pretrained(name=name, attention="eager", dropout=0.0)
    except ValueError as error:
        print(time.monotonic() - begun, error)
"""


@pytest.mark.slow
def test_models_that_cannot_be_had_cost_one_line_each_and_no_time(tmp_path: Path) -> None:
    """A process of its own, since all that reaches the screen counts. Nothing listens where the hub should be."""
    alone = os.environ | {"HF_HOME": str(tmp_path), "HF_ENDPOINT": "http://127.0.0.1:9"}
    done = subprocess.run([sys.executable, "-c", LOAD], env=alone, capture_output=True, text=True, check=True)
    for name, line in zip(NAMES, done.stdout.splitlines(), strict=True):
        seconds, _, told = line.partition(" ")
        assert float(seconds) < 5  # six tries with waits between them take 23
        assert told.startswith(f"model.name = {name}: no such folder, and not to be had from the model hub (")
        assert told.endswith("; model=tiny needs neither")
    assert done.stderr == ""


def test_a_hub_that_does_not_answer_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    begun = time.monotonic()
    with pytest.raises(
        ValueError, match=r"model.name = lmrl/none: no such folder, and not to be had from the model hub"
    ):
        pretrained(name="lmrl/none", attention="eager", dropout=0.0)
    assert time.monotonic() - begun < 5


def test_a_folder_without_a_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"model.name = {tmp_path}: this folder holds no model"):
        pretrained(name=str(tmp_path), attention="eager", dropout=0.0)
