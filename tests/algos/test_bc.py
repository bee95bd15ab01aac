"""Behaviour cloning: which tokens count, and how much."""

import math
from dataclasses import replace

import pytest
import torch

from lmrl.algos.bc import BC, preceded, weighted_nll
from lmrl.models import LanguageModel
from tests.algos.byhand import CONSTANT, adamw, batch_of, padded, plain_nll, said

GAME = said(("see\n", "left\n", -1.0), ("see\n", "ab\n", 0.0))  # see | left | see | a b \n | end
ACTIONS = [1, 0, 1, 1, 1, 0]


def bc(model: LanguageModel, observation_weight: float, prefix: str = "") -> BC:
    return BC(model, optimizer=adamw, schedule=CONSTANT, observation_weight=observation_weight, prefix=prefix)


def test_the_mean_is_over_the_weights() -> None:
    # (1 * 2 + 1 * 4 + 0.5 * 8) / 2.5
    assert float(weighted_nll(torch.tensor([2.0, 4.0, 8.0]), torch.tensor([1.0, 1.0, 0.5]))) == 4.0


def test_a_uniform_model_pays_the_logarithm_of_its_vocabulary(model: LanguageModel) -> None:
    with torch.no_grad():
        model.lm.get_input_embeddings().weight.zero_()  # the output's too: they are one
    loss, metrics = bc(model, 0.3).loss(batch_of(model, GAME))
    assert loss.item() == pytest.approx(math.log(260))
    assert metrics["action_nll"].item() == pytest.approx(math.log(260))


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
def test_actions_weigh_1_and_observations_what_they_are_told(model: LanguageModel, weight: float) -> None:
    batch = batch_of(model, GAME)
    assert batch.action_BS.int().tolist() == [ACTIONS]
    nll_S = plain_nll(model.lm, batch, 260)[0]
    weight_S = torch.tensor([float(a) or weight for a in ACTIONS])
    loss, metrics = bc(model, weight).loss(batch)
    torch.testing.assert_close(loss, (nll_S * weight_S).sum() / weight_S.sum())
    torch.testing.assert_close(metrics["action_nll"], nll_S[batch.action_BS[0]].mean())


def test_every_text_is_learnt_once_though_it_stands_in_two_windows(model: LanguageModel) -> None:
    game = said(*[("see\n", "left\n", -1.0), ("right\n", "left\n", -1.0), ("left\n", "right\n", 0.0)] * 2)
    batch = batch_of(model, game, context=4)
    assert len(batch.ids_BT) > 1
    nll_BS = plain_nll(model.lm, batch, 260)
    once_BS = batch.fresh_BS | batch.action_BS
    assert int(once_BS.sum()) == len(game.turns) - 1  # all but the first text, which nothing predicts
    torch.testing.assert_close(bc(model, 1.0).loss(batch)[0], nll_BS[once_BS].mean())


def test_padding_changes_no_loss(model: LanguageModel) -> None:
    batch = batch_of(model, GAME, said(("see\n", "right\n", -1.0)))
    for weight in (0.0, 0.7):
        torch.testing.assert_close(bc(model, weight).loss(padded(batch, 3, 99))[0], bc(model, weight).loss(batch)[0])


def test_rewards_say_nothing_to_behaviour_cloning(model: LanguageModel) -> None:
    batch = batch_of(model, GAME)
    paid = replace(batch, reward_BS=batch.reward_BS - 5)
    assert bc(model, 0.5).loss(paid)[0] == bc(model, 0.5).loss(batch)[0]


def test_observations_are_read_only_where_they_weigh(model: LanguageModel) -> None:
    assert bc(model, 0.1).reads_observations
    assert not bc(model, 0.0).reads_observations


def test_every_episode_is_kept(model: LanguageModel) -> None:
    total = torch.tensor([-3.0, 0.0]).numpy()
    assert bc(model, 0.0).keep(total, total == 0).tolist() == [True, True]


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_a_prefix_is_read_before_each_window_and_not_learnt(model: LanguageModel, weight: float) -> None:
    batch = batch_of(model, GAME, said(("right\n", "left\n", 0.0)))
    longer = preceded(batch, torch.tensor(model.codec.encode("ba")))
    assert longer.ids_BT[:, :2].tolist() == [list(model.codec.encode("ba"))] * 2
    assert longer.ids_BT[:, 2:].equal(batch.ids_BT)
    assert longer.action_N.equal(batch.action_N)
    weight_BS = torch.where(longer.action_BS, 1.0, weight * longer.fresh_BS)
    assert not weight_BS[:, :2].any(), "neither the prefix nor a window's first token"
    expected = weighted_nll(plain_nll(model.lm, longer, 260), weight_BS)
    torch.testing.assert_close(bc(model, weight, "ba").loss(batch)[0], expected)
    assert not torch.isclose(bc(model, weight).loss(batch)[0], expected)


def test_a_prefix_that_the_model_cannot_hold_is_refused(model: LanguageModel) -> None:
    with pytest.raises(ValueError, match=r"algo\.prefix: 67 tokens with it, and the model holds 64"):
        bc(model, 0.0, "b" * 60).loss(batch_of(model, GAME))
