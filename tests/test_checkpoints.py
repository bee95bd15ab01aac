"""Checkpoints of ours are taken over; all others are refused, unread."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from lmrl.checkpoints import load_weights, read_checkpoint
from lmrl.models import LanguageModel
from tests.parts import make_model


def checkpoint(path: Path, model: LanguageModel, **changes: Any) -> Path:
    """As a run writes it, as far as weights and tokenizer go."""
    saved = {"lmrl": model.describe(), "state_dict": {f"lm.{k}": v for k, v in model.lm.state_dict().items()}}
    torch.save(saved | changes, path)
    return path


def test_the_weights_of_a_checkpoint_are_taken_over(tmp_path: Path, model: LanguageModel) -> None:
    torch.manual_seed(5)
    with torch.no_grad():
        for p in model.lm.parameters():
            p.normal_()
    other = make_model()
    load_weights(other, checkpoint(tmp_path / "a.ckpt", model))
    assert all(torch.equal(p, q) for p, q in zip(other.lm.parameters(), model.lm.parameters(), strict=True))


class Mine:
    """What a checkpoint of somebody else's may hold."""


def test_what_is_no_checkpoint_of_ours_is_refused_in_a_line(tmp_path: Path, model: LanguageModel) -> None:
    good = checkpoint(tmp_path / "good.ckpt", model)
    (tmp_path / "cut.ckpt").write_bytes(good.read_bytes()[:1000])
    (tmp_path / "text.ckpt").write_text("hello\n")
    (tmp_path / "empty.ckpt").touch()
    torch.save({"state_dict": {}}, tmp_path / "other.ckpt")
    torch.save([1, 2], tmp_path / "list.ckpt")
    torch.save({"lmrl": 3, "state_dict": {}}, tmp_path / "number.ckpt")
    torch.save({"lmrl": {}, "state_dict": {}}, tmp_path / "bare.ckpt")
    torch.save({"lmrl": dict(model.describe())}, tmp_path / "weightless.ckpt")
    reasons = {
        "missing": "no such checkpoint",
        "cut": "not a readable checkpoint",
        "text": "not a readable checkpoint",
        "empty": "not a readable checkpoint",
        "other": "not a checkpoint of lmrl",
        "list": "not a checkpoint of lmrl",
        "number": "not a checkpoint of lmrl",
        "bare": "not a checkpoint of lmrl",
        "weightless": "not a checkpoint of lmrl",
    }
    for name, reason in reasons.items():
        with pytest.raises(ValueError, match=f"{name}.ckpt: {reason}") as caught:
            load_weights(model, tmp_path / f"{name}.ckpt")
        assert len(str(caught.value).splitlines()) == 1
        assert "weights_only" not in str(caught.value), "nobody is told to run what it holds"
    with pytest.raises(ValueError, match="a folder; name the last.ckpt in it"):
        load_weights(model, tmp_path)


def test_a_checkpoint_runs_no_code(tmp_path: Path, model: LanguageModel) -> None:
    path = checkpoint(tmp_path / "a.ckpt", model, extra=Mine())
    with pytest.raises(ValueError, match="a.ckpt: not a readable checkpoint"):
        read_checkpoint(path)


def test_a_checkpoint_of_another_tokenizer_or_architecture_is_refused(tmp_path: Path, model: LanguageModel) -> None:
    path = checkpoint(tmp_path / "a.ckpt", model)
    with pytest.raises(ValueError, match=r"a.ckpt: made with another tokenizer \(another task, word list or model\)"):
        load_weights(make_model(("left\n", "up\n")), path)
    with pytest.raises(ValueError, match=r"a.ckpt: made with another architecture \(size mismatch for transformer.wpe"):
        load_weights(make_model(positions=32), path)


def test_a_refused_checkpoint_leaves_the_model_as_it_was(tmp_path: Path, model: LanguageModel) -> None:
    wider: Mapping[str, torch.Tensor] = {"lm.transformer.wte.weight": torch.zeros(2, 2)}
    with pytest.raises(ValueError, match="another architecture"):
        load_weights(model, checkpoint(tmp_path / "a.ckpt", model, state_dict=wider))
    fresh = make_model().lm.state_dict()
    assert all(torch.equal(tensor, fresh[name]) for name, tensor in model.lm.state_dict().items())
