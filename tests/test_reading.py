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
