"""Families that fit the way we read, and those that do not; windows of attention."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from lmrl.cache import Cache
from lmrl.fit import FAMILIES
from lmrl.models import rebuild
from lmrl.reading import hidden
from lmrl.rollout import rollout
from tests.folders import family, load
from tests.test_policy import STARTS, Chatter, player

BLOOM = family("bloom", max_position_embeddings=None, intermediate_size=None)
FALCON = family("falcon", alibi=True, intermediate_size=None)
MPT = family("mpt", intermediate_size=None)
MISTRAL = family("mistral", num_key_value_heads=2, sliding_window=24)
GEMMA3 = family("gemma3_text", num_key_value_heads=2, head_dim=8, sliding_window=24)
GPT_NEO = family("gpt_neo", attention_types=[[["global", "local"], 1]], window_size=24, max_position_embeddings=96)
GPT_NEO_FULL = family("gpt_neo", attention_types=[[["global"], 2]], max_position_embeddings=96)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (family("cohere", logit_scale=0.0625), "of the family cohere that does not fit: its logits are not its last"),
        (
            family("granite", num_key_value_heads=2, logits_scaling=8.0),
            "its logits are not its last layer's, but scaled",
        ),
        (
            family("gemma2", num_key_value_heads=2, head_dim=8),
            "its logits are not its last layer's, but scaled, capped",
        ),
        (BLOOM, "of the family bloom that does not fit: no max_position_embeddings says how many tokens it holds"),
        (family("opt", ffn_dim=32, word_embed_proj_dim=8), "its last hidden state has 8 numbers, but hidden_size = 16"),
        (FALCON, "it cannot be read in pieces [(]too many values to unpack"),
        (MPT, "reading in pieces, as play does, gives it other hidden states than reading at once"),
    ],
    ids=["cohere", "granite", "gemma2", "bloom", "opt", "falcon", "mpt"],
)
def test_a_family_that_we_would_read_wrong_is_refused_in_a_line(
    tmp_path: Path, make: Callable[[int], PreTrainedModel], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        load(tmp_path, make)
    told = str(caught.value)
    assert told.startswith(f"model.name = {tmp_path}: a model of the family ")
    assert told.endswith(f"; take one of a family that does: {FAMILIES}")
    assert len(told.splitlines()) == 1


def test_a_family_is_judged_by_what_it_does(tmp_path: Path) -> None:
    assert load(tmp_path, family("cohere", logit_scale=1.0)).lm.config.model_type == "cohere"


WINDOWED = pytest.mark.parametrize(
    ("make", "holds"),
    [(MISTRAL, 24), (GEMMA3, 24), (GPT_NEO, 24), (GPT_NEO_FULL, 32)],
    ids=["mistral", "gemma3", "gpt_neo", "gpt_neo_full"],
)


@WINDOWED
def test_a_window_bounds_the_positions_and_play_goes_past_it(
    tmp_path: Path, make: Callable[[int], PreTrainedModel], holds: int
) -> None:
    model = load(tmp_path, make)
    assert model.positions == rebuild(model.describe(), "eager").positions == holds
    starts = STARTS[:3]
    together = rollout(Chatter, player(model), starts, max_turns=15)
    alone = [rollout(Chatter, player(model), [start], max_turns=15)[0] for start in starts]
    assert [t.turns for t in together] == [t.turns for t in alone]


@WINDOWED
def test_within_a_window_the_holes_of_a_cache_change_nothing(
    tmp_path: Path, make: Callable[[int], PreTrainedModel], holds: int
) -> None:
    lm = load(tmp_path, make).lm
    original = AutoModelForCausalLM.from_pretrained(tmp_path, attn_implementation="eager").eval()
    ids = torch.randint(100, (2, holds), generator=torch.Generator().manual_seed(1))
    cache, fed = Cache([lm]), [0, 0]
    for step in range(holds // 2):  # one row reads one token where the other reads three, and then the reverse
        ends = [fed[0] + 1 + 2 * (step % 2), fed[1] + 3 - 2 * (step % 2)]
        states = cache.read([row[a:b] for row, a, b in zip(ids.tolist(), fed, ends, strict=True)], fed)[0]
        fed = ends
    assert fed == [holds, holds]
    assert cache.slots > holds
    for row, end in enumerate(fed):
        torch.testing.assert_close(states[row], hidden(original, ids[row : row + 1, :end])[0, -1])
