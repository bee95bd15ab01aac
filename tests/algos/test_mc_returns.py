"""Monte-Carlo returns: the targets, the loss, what moves, and how it acts."""

import math

import numpy as np
import pytest
import torch

from lmrl.algos.mc_returns import MCReturns, regression
from lmrl.models import LanguageModel
from tests.algos.byhand import (
    CONSTANT,
    adamw,
    annotated,
    answers,
    biased,
    corpus_of,
    memoryless,
    moved,
    padded,
    random,
    said,
)

SHORT = said(("see\n", "left\n", -1.0), ("see\n", "ab\n", -2.0))  # actions: left | a b \n
NUMBERS = {
    "gamma": 0.5,
    "discount": "token",
    "reward_scale": 1.0,
    "head_bias": 0.0,
    "cql_weight": 0.0,
    "beta": 1.0,
    "support": 0.0,
}


def mc(model: LanguageModel, **changes: object) -> MCReturns:
    return MCReturns(model, optimizer=adamw, schedule=CONSTANT, **(NUMBERS | changes))  # type: ignore[arg-type]


def test_half_the_mean_squared_error() -> None:
    assert regression(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 0.0])).item() == 2.5


@pytest.mark.parametrize("context", [None, 1])
def test_the_return_of_every_token_reaches_across_windows(model: LanguageModel, context: int | None) -> None:
    corpus = corpus_of(model, SHORT, said(("see\n", "left\n", 0.0), done=False), context=context)
    batch = annotated(mc(model), corpus)
    # \n: -2; b: 0.5 * -2; a: 0.5 * -1; left: -1 + 0.5 * -0.5
    assert batch.notes["return"].tolist() == [-1.25, -0.5, -1.0, -2.0, 0.0]


def test_a_discount_per_turn_leaves_the_tokens_of_an_action_their_return(model: LanguageModel) -> None:
    batch = annotated(mc(model, discount="turn", reward_scale=10.0), corpus_of(model, SHORT))
    assert batch.notes["return"].tolist() == [-20.0, -20.0, -20.0, -20.0]


def test_the_last_reward_counts_once(model: LanguageModel) -> None:
    batch = annotated(mc(model, gamma=1.0), corpus_of(model, said(("see\n", "left\n", 1.0)), context=1))
    assert batch.notes["return"].tolist() == [1.0]


def test_the_loss_of_known_values(model: LanguageModel) -> None:
    algo = mc(model, gamma=1.0, cql_weight=0.1)
    biased(model, algo.value.heads["q"], {"left\n": -1.0, "right\n": 2.0})
    batch = annotated(algo, corpus_of(model, said(("see\n", "left\n", -1.0), ("see\n", "right\n", 0.0))))
    # left: q -1, return -1; right: q 2, return 0, so half of (0 + 4) / 2
    nll = math.log(math.exp(-1) + math.exp(2) + 258) - 0.5
    loss, metrics = algo.loss(batch)
    assert metrics["q_loss"].item() == pytest.approx(1.0)
    assert metrics["cql_loss"].item() == pytest.approx(nll, abs=1e-5)
    assert metrics["q"].item() == pytest.approx(0.5)
    assert loss.item() == pytest.approx(1.0 + 0.1 * nll, abs=1e-5)


def test_rewards_are_scaled_inside_and_values_told_in_raw_units(model: LanguageModel) -> None:
    algo = mc(model, reward_scale=0.1, head_bias=-10.0)
    loss, metrics = algo.loss(annotated(algo, corpus_of(model, said(("see\n", "left\n", -20.0)))))
    assert metrics["q"].item() == pytest.approx(-10.0)
    assert loss.item() == pytest.approx(0.5 * (-1.0 + 2.0) ** 2)


def test_padding_changes_no_loss(model: LanguageModel) -> None:
    algo = mc(model, cql_weight=0.1)
    random(algo.value.heads["q"])
    batch = annotated(algo, corpus_of(model, SHORT, said(("see\n", "left\n", -1.0))))
    torch.testing.assert_close(algo.loss(padded(batch, 4, 99))[0], algo.loss(batch)[0])


def test_the_value_net_learns_trunk_and_all_and_the_cloned_policy_stays(model: LanguageModel) -> None:
    algo = mc(model)
    random(algo.value.heads["q"])
    names = moved(algo, annotated(algo, corpus_of(model, SHORT)))
    assert all(name.startswith("value.") for name in names)
    assert {
        "value.heads.q.out.bias",
        "value.heads.q.hidden.weight",
        "value.lm.transformer.h.0.mlp.c_fc.weight",
    } <= names
    assert "value.lm.transformer.wte.weight" in names


def test_it_acts_by_the_prior_tilted_by_values_in_raw_units(model: LanguageModel) -> None:
    algo = mc(memoryless(model), reward_scale=0.5, beta=2.0)
    answers(model, algo.value.lm, algo.value.heads["q"], {"see\n": {"left\n": -1.0, "right\n": 0.0}})
    (ids,) = model.codec.encode("see\n")
    states = [lm.base_model(input_ids=torch.tensor([[ids]])).last_hidden_state[:, 0] for lm in algo.actor().lms]
    left, right = (model.codec.encode(text)[0] for text in ("left\n", "right\n"))
    tilt = (algo.actor().logits(states) - algo.logits(states[0]).log_softmax(-1))[0]
    assert (tilt[right] - tilt[left]).item() == pytest.approx(2.0 * (0.0 - -1.0 / 0.5), abs=1e-4)


def test_every_episode_is_kept(model: LanguageModel) -> None:
    assert mc(model).keep(np.array([-3.0, 0.0]), np.array([False, True])).all()
