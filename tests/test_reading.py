"""Hidden states and scores are those of transformers, of the rows that have a token."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel

from lmrl.heads import ValueNet
from lmrl.reading import hidden, logits
from tests.folders import bpe, gpt2, llama, load


@pytest.mark.parametrize("make", [gpt2, llama])
def test_hidden_states_and_logits_are_those_of_transformers(
    tmp_path: Path, make: Callable[[int], PreTrainedModel]
) -> None:
    model = load(tmp_path, make).lm.eval()
    ids = torch.tensor([[1, 2, 3, 4]])
    expected = model(input_ids=ids, output_hidden_states=True)
    torch.testing.assert_close(hidden(model, ids), expected.hidden_states[-1])
    torch.testing.assert_close(logits(model, 200, hidden(model, ids)), expected.logits[..., :200])


def test_rows_that_no_token_has_never_enter_a_softmax(tmp_path: Path) -> None:
    model = load(tmp_path, extra_rows=20)
    known = len(bpe())
    assert model.codec.size == known < model.lm.get_input_embeddings().num_embeddings
    h = hidden(model.lm, torch.tensor([[1, 2]]))
    assert logits(model.lm, model.codec.size, h).shape[-1] == known
    assert ValueNet(model, {"q": model.codec.size}, bias=0.0).head("q", h).shape[-1] == known


def reads(model: PreTrainedModel) -> list[int]:
    """How many sequences the trunk reads at each call from now on."""
    counts: list[int] = []
    model.base_model.register_forward_pre_hook(
        lambda _, __, given: counts.append(len(given["input_ids"])), with_kwargs=True
    )
    return counts


SEVERAL = torch.tensor([[5, 6, 7], [1, 2, 0], [5, 6, 7], [1, 2, 3], [5, 6, 7]])


@pytest.mark.parametrize("make", [gpt2, llama])
def test_a_sequence_that_stands_there_thrice_is_read_once_and_counts_thrice(
    tmp_path: Path, make: Callable[[int], PreTrainedModel]
) -> None:
    lm = load(tmp_path, make).lm.eval()
    weight = lm.get_input_embeddings().weight
    direct = lm.base_model(input_ids=SEVERAL, use_cache=False).last_hidden_state
    weighed = torch.arange(direct.numel()).view_as(direct)
    (gradient,) = torch.autograd.grad((weighed * direct).sum(), weight)
    counts = reads(lm)
    once = hidden(lm, SEVERAL)
    torch.testing.assert_close(once, direct)
    torch.testing.assert_close(torch.autograd.grad((weighed * once).sum(), weight)[0], gradient, rtol=1e-4, atol=1e-3)
    assert counts == [3]


def test_sequences_of_which_most_differ_are_read_as_they_are(tmp_path: Path) -> None:
    lm = load(tmp_path).lm.eval()
    most = torch.tensor([[4, 4, 4], *SEVERAL[1:].tolist()])
    counts = reads(lm)
    assert torch.equal(hidden(lm, most), lm.base_model(input_ids=most).last_hidden_state)
    assert counts == [5, 5]


def test_under_dropout_like_sequences_differ(tmp_path: Path) -> None:
    lm = load(tmp_path).lm.train()
    for rate in (0.5, 0.0):
        for module in lm.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = rate
        first, _, second, *_ = hidden(lm, SEVERAL)
        assert torch.equal(first, second) == (rate == 0)
