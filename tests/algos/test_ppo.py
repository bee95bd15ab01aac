"""Proximal policy optimisation: what a round fixes, the loss of known numbers, and each of its options."""

import math
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from lightning.pytorch import Trainer
from torch.optim import AdamW

from lmrl.algos.ppo import PPO, adapted, clipped_surrogate, explained_variance, kl_estimate, value_error
from lmrl.batches import TokenBatch
from lmrl.corpus import Corpus
from lmrl.data import Round
from lmrl.models import LanguageModel
from lmrl.windows import Windows
from tests.algos.byhand import (
    CONSTANT,
    adamw,
    annotated,
    answers,
    batched,
    corpus_of,
    gradients,
    memoryless,
    moved,
    padded,
    plain_nll,
    random,
    said,
)
from tests.parts import make_model

NUMBERS = {
    "clip": 0.2,
    "log_ratio_clamp": None,
    "gamma": 0.5,
    "discount": "token",
    "lam": 0.5,
    "advantage": "token",
    "whiten": False,
    "value_coef": 0.5,
    "value_clip": None,
    "value_into_trunk": True,
    "value_lr": None,
    "value_warmup": 0,
    "reward_scale": 1.0,
    "head_bias": 0.0,
    "kl_coef": 0.0,
    "kl_estimator": "k1",
    "kl_target": None,
    "kl_horizon": 10,
    "stop_kl": None,
    "bc_weight": 0.0,
    "dropout": False,
}
GAME = said(("see\n", "left\n", -1.0), ("see\n", "ab\n", -2.0))  # actions: left | a b \n


def ppo(model: LanguageModel, **changes: object) -> PPO:
    return PPO(model, optimizer=adamw, schedule=CONSTANT, **(NUMBERS | changes))  # type: ignore[arg-type]


def drifted(algo: PPO) -> PPO:
    """The policy some steps away from where it began."""
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for p in algo.lm.parameters():
            p += 0.05 * torch.randn(p.shape, generator=generator)
    return algo


def log_ratio(algo: PPO, corpus: Corpus) -> torch.Tensor:
    """log pi - log pi_0 of the corpus' actions, by transformers' own forward pass."""
    batch = batched(corpus)
    now, begun = (plain_nll(lm, batch, 260)[batch.action_BS] for lm in (algo.lm, algo.reference))
    return (begun - now).detach()


def noted(batch: TokenBatch, **notes: float | list[float]) -> TokenBatch:
    """The batch with some of its notes replaced, on every action token alike or each."""
    count = len(batch.action_N)
    rows = {name: torch.tensor(x if isinstance(x, list) else [x] * count) for name, x in notes.items()}
    return replace(batch, notes={**batch.notes, **rows})


def test_what_the_clipped_surrogate_pays_by_hand() -> None:
    # ratios 1, 2, 1/2, 2 with advantages 1, 1, -1, -1 at 0.2: -1, -1.2, 0.8 (the worse of 0.5 and 0.8), 2
    log_ratio_N = torch.tensor([1.0, 2.0, 0.5, 2.0]).log()
    loss, metrics = clipped_surrogate(log_ratio_N, torch.tensor([1.0, 1.0, -1.0, -1.0]), clip=0.2)
    assert loss.item() == pytest.approx((-1 - 1.2 + 0.8 + 2) / 4)
    assert metrics["clip_fraction"].item() == 0.75
    # mean 1.375, mean square (1 + 4 + 0.25 + 4) / 4
    assert metrics["ratio_std"].item() == pytest.approx(math.sqrt(2.3125 - 1.375**2))
    # (rho - 1) - log rho: 0, 1 - ln 2, -1/2 + ln 2, 1 - ln 2
    assert metrics["approx_kl"].item() == pytest.approx((1.5 - math.log(2)) / 4)


def test_a_clipped_token_has_no_gradient_where_it_has_gone_far_enough() -> None:
    log_ratio_N = torch.tensor([2.0, 0.5, 2.0, 0.5]).log().requires_grad_(True)
    clipped_surrogate(log_ratio_N, torch.tensor([1.0, -1.0, -1.0, 1.0]), clip=0.2)[0].backward()
    assert log_ratio_N.grad is not None
    assert log_ratio_N.grad.tolist() == pytest.approx([0, 0, 2 / 4, -0.5 / 4])


def test_the_value_error_by_hand() -> None:
    value, old, goal = torch.tensor([3.0, 1.0]), torch.tensor([1.0, 3.0]), torch.zeros(2)
    assert value_error(value, old, goal, clip=None).item() == (9 + 1) / 2 / 2
    # kept near the old: 1.5, whose error 2.25 is smaller than 9; and 2.5, whose error 6.25 is greater than 1
    assert value_error(value, old, goal, clip=0.5).item() == (9 + 6.25) / 2 / 2


def test_estimators_of_the_divergence_by_hand() -> None:
    x = torch.tensor([math.log(2), -math.log(2)])
    torch.testing.assert_close(kl_estimate(x, "k1"), x)
    torch.testing.assert_close(kl_estimate(x, "k2"), 0.5 * x**2)
    torch.testing.assert_close(kl_estimate(x, "k3"), torch.tensor([0.5 - 1, 2 - 1]) + x)
    torch.testing.assert_close(kl_estimate(x, "k3_reference"), torch.tensor([2 - 1, 0.5 - 1]) - x)
    with pytest.raises(ValueError, match=r"algo.kl_estimator = k4: k1, k2, k3 or k3_reference"):
        kl_estimate(x, "k4")


def test_under_samples_of_the_policy_k1_and_k3_are_right_on_average_and_k3_is_never_negative() -> None:
    policy, begun = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.2, 0.2, 0.6])
    divergence = (policy * (policy / begun).log()).sum()
    for kind in ("k1", "k3"):
        torch.testing.assert_close((policy * kl_estimate((policy / begun).log(), kind)).sum(), divergence)
    assert (kl_estimate(torch.linspace(-3, 3, 61), "k3") >= 0).all()


def test_with_the_other_sign_k3_is_never_negative_and_not_the_divergence() -> None:
    policy, begun = torch.tensor([0.5, 0.5]), torch.tensor([0.1, 0.9])
    x = (policy / begun).log()
    # sum pi^2 / pi_0 = 2.5 + 0.25 / 0.9
    expected = 2.5 + 0.25 / 0.9 - 1 - (policy * x).sum()
    torch.testing.assert_close((policy * kl_estimate(x, "k3_reference")).sum(), expected)
    assert expected > 2 * (policy * x).sum(), "a leash that takes the policy for further away than it is"
    assert (kl_estimate(torch.linspace(-3, 3, 61), "k3_reference") >= 0).all()


def test_what_v_explains_of_the_returns_by_hand(model: LanguageModel) -> None:
    returns = torch.tensor([1.0, 3.0, 5.0])  # variance 8/3
    assert explained_variance(returns - 7, returns) == 1, "a constant is no part of a variance"
    assert explained_variance(torch.full((3,), 3.0), returns) == 0
    assert explained_variance(-returns, returns) == pytest.approx(1 - 4), "errors 2, 6, 10"
    assert explained_variance(torch.tensor([1.0, 3.0, 3.0]), returns) == pytest.approx(1 - (8 / 9) / (8 / 3))
    assert explained_variance(returns, torch.ones(3)) == 0, "returns that are all alike need no V"
    algo = ppo(model, head_bias=2.0)
    annotated(algo, corpus_of(model, GAME))
    assert algo.round["explained_variance"] == pytest.approx(0), "V is 2 everywhere"


@pytest.mark.parametrize(("kl", "expected"), [(6.0, 0.1), (12.0, 0.102), (6.6, 0.101), (0.0, 0.098)])
def test_the_controller_moves_the_coefficient_towards_its_target(kl: float, expected: float) -> None:
    # at most 0.2 * 10 / 100 of it a round
    assert adapted(0.1, kl, target=6.0, horizon=100, samples=10) == pytest.approx(expected)


def test_before_the_first_step_every_ratio_is_exactly_1(model: LanguageModel) -> None:
    algo, corpus = ppo(model, whiten=True), corpus_of(model, GAME, said(("see\n", "right\n", 0.0)))
    batch = batched(corpus)
    metrics = algo.loss(replace(batch, notes=algo.annotate(corpus, lambda: [batch])))[1]
    assert metrics["approx_kl"] == 0
    assert metrics["clip_fraction"] == 0
    assert metrics["policy_loss"].abs() < 1e-6  # minus the mean of whitened advantages
    # batched otherwise than the update, up to rounding
    metrics = algo.loss(annotated(algo, corpus))[1]
    assert metrics["approx_kl"].abs() < 1e-6
    assert metrics["clip_fraction"] == 0


@pytest.mark.parametrize("context", [None, 1])
def test_advantages_over_tokens(model: LanguageModel, context: int | None) -> None:
    algo, corpus = ppo(model, head_bias=2.0), corpus_of(model, GAME, context=context)
    notes = annotated(algo, corpus).notes
    # deltas: -1 + 1 - 2; 0 + 1 - 2 twice; -2 - 2; then A_n = delta + A_(n+1) / 4
    assert notes["advantage"].tolist() == pytest.approx([-2.375, -1.5, -2, -4])
    assert notes["return"].tolist() == pytest.approx([-0.375, 0.5, 0, -2])
    assert notes["value"].tolist() == [2, 2, 2, 2]


def test_a_discount_per_turn_leaves_tokens_inside_an_action_undiscounted(model: LanguageModel) -> None:
    notes = annotated(ppo(model, discount="turn", lam=1.0), corpus_of(model, GAME)).notes
    assert notes["advantage"].tolist() == [-2, -2, -2, -2]  # -1 + half of -2


def test_advantages_over_turns_are_shared_by_the_tokens_of_an_action(model: LanguageModel) -> None:
    algo = ppo(memoryless(model), advantage="turn")
    # V before an action begins: 2 and 6; inside the second action it is never asked for
    game = said(("see\n", "left\n", -1.0), ("right\n", "ab\n", -2.0))
    answers(model, algo.lm, algo.head, {"see\n": 2.0, "right\n": 6.0, "a": 50.0, "b": 70.0})
    notes = annotated(algo, corpus_of(model, game)).notes
    # deltas: -1 + 3 - 2 = 0 and -2 - 6 = -8
    assert notes["advantage"].tolist() == pytest.approx([-2, -8, -8, -8], abs=1e-4)
    assert notes["return"].tolist() == pytest.approx([0, -2, -2, -2], abs=1e-4)


# the last action is a b \n, before which V is 6, 50 and 70; the clock cuts it where V was 6, or the episode ends there
@pytest.mark.parametrize(
    ("advantage", "cut", "ended"),
    [
        # -1 + 3 - 2; 0 + 25 - 6; 0 + 35 - 50; -2 + 3 - 70 or -2 - 70
        ("token", [0, 19, -15, -69], [0, 19, -15, -72]),
        # -1 + 3 - 2; -2 + 3 - 6 or -2 - 6
        ("turn", [0, -5, -5, -5], [0, -8, -8, -8]),
    ],
)
@pytest.mark.parametrize("context", [None, 1])
def test_a_cut_episode_goes_on_with_the_value_of_its_last_state(
    model: LanguageModel, context: int | None, advantage: str, cut: list[float], ended: list[float]
) -> None:
    algo = ppo(memoryless(model), advantage=advantage, lam=0.0)
    answers(model, algo.lm, algo.head, {"see\n": 2.0, "right\n": 6.0, "a": 50.0, "b": 70.0, "end\n": 90.0})
    turns = ("see\n", "left\n", -1.0), ("right\n", "ab\n", -2.0)
    corpus = corpus_of(model, said(*turns, done=False), said(*turns), context=context)
    notes = annotated(algo, corpus).notes
    assert notes["advantage"].tolist() == pytest.approx([*cut, *ended], abs=1e-4)


def test_whitening_is_over_the_round_and_leaves_returns_alone(model: LanguageModel) -> None:
    corpus = corpus_of(model, GAME, said(("see\n", "left\n", 5.0)))
    plain, whitened = (annotated(ppo(model, whiten=on), corpus).notes for on in (False, True))
    raw = plain["advantage"]
    torch.testing.assert_close(whitened["advantage"], (raw - raw.mean()) / raw.std(correction=0))
    torch.testing.assert_close(whitened["return"], plain["return"])


def test_rewards_are_scaled_before_the_penalty_is_taken(model: LanguageModel) -> None:
    algo, corpus = drifted(ppo(model, gamma=0.0, reward_scale=0.1, kl_coef=0.5)), corpus_of(model, GAME)
    expected = torch.tensor([-0.1, 0, 0, -0.2]) - 0.5 * log_ratio(algo, corpus)
    torch.testing.assert_close(annotated(algo, corpus).notes["advantage"], expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["k1", "k2", "k3", "k3_reference"])
def test_the_penalty_is_paid_on_every_action_token(model: LanguageModel, kind: str) -> None:
    algo, corpus = drifted(ppo(model, gamma=0.0, kl_coef=0.5, kl_estimator=kind)), corpus_of(model, GAME)
    x = log_ratio(algo, corpus)
    estimate = {"k1": x, "k2": x**2 / 2, "k3": (-x).exp() - 1 + x, "k3_reference": x.exp() - 1 - x}[kind]
    assert (estimate.abs() > 1e-4).all()
    expected = torch.tensor([-1.0, 0, 0, -2]) - 0.5 * estimate
    torch.testing.assert_close(annotated(algo, corpus).notes["advantage"], expected, atol=1e-5, rtol=1e-4)
    assert algo.round["kl"] == pytest.approx(((-x).exp() - 1 + x).mean().item(), abs=1e-5)


def test_the_controller_acts_after_the_round_and_its_state_is_saved(model: LanguageModel) -> None:
    algo, corpus = drifted(ppo(model, gamma=0.0, kl_coef=0.5, kl_target=1e-9)), corpus_of(model, GAME)
    first = annotated(algo, corpus).notes["advantage"]
    torch.testing.assert_close(
        first, torch.tensor([-1.0, 0, 0, -2]) - 0.5 * log_ratio(algo, corpus), atol=1e-5, rtol=1e-4
    )
    assert algo.round["kl_coef"] == 0.5
    assert float(algo.coef) == pytest.approx(0.5 * (1 + 0.2 * 2 / 10))  # two actions, a horizon of ten
    again = ppo(model)
    again.load_state_dict(algo.state_dict())
    assert float(again.coef) == float(algo.coef)


def test_the_controller_counts_the_actions_of_all_processes_and_goes_by_their_mean(model: LanguageModel) -> None:
    algo, corpus = drifted(ppo(model, kl_coef=0.5)), corpus_of(model, GAME)
    annotated(algo, corpus)
    algo.kl_target = algo.round["kl"] / 2 / 1.1  # 10 % above its target
    others = {"mean": lambda x: x / 2, "sum": lambda x: x + 4}  # beside it one that has not drifted, with 4 actions
    strategy = SimpleNamespace(reduce=lambda x, reduce_op: others[reduce_op](x), root_device="cpu")
    algo.trainer = SimpleNamespace(strategy=strategy)
    annotated(algo, corpus)
    assert float(algo.coef) == pytest.approx(0.5 * (1 + 0.1 * 6 / 10))


def test_the_measured_divergence_drives_the_controller_and_no_reward(model: LanguageModel) -> None:
    algo, corpus = drifted(ppo(model, gamma=0.0, kl_coef=0.5, kl_measure="k3_reference")), corpus_of(model, GAME)
    x = log_ratio(algo, corpus)
    measured = (x.exp() - 1 - x).mean().item()
    algo.kl_target = measured / 1.1  # 10 % above its target, which k3 would not be
    assert abs(((-x).exp() - 1 + x).mean().item() / measured - 1) > 0.02
    expected = torch.tensor([-1.0, 0, 0, -2]) - 0.5 * x
    torch.testing.assert_close(annotated(algo, corpus).notes["advantage"], expected, atol=1e-5, rtol=1e-4)
    assert algo.round["kl"] == pytest.approx(measured, abs=1e-5)
    assert float(algo.coef) == pytest.approx(0.5 * (1 + 0.1 * 2 / 10), rel=1e-3)


def test_a_fixed_coefficient_stays(model: LanguageModel) -> None:
    algo = drifted(ppo(model, kl_coef=0.5))
    annotated(algo, corpus_of(model, GAME))
    assert float(algo.coef) == 0.5


def test_the_loss_adds_up(model: LanguageModel) -> None:
    algo = ppo(model, head_bias=2.0, value_coef=0.3)
    batch = noted(annotated(algo, corpus_of(model, GAME)), advantage=[1.0, 2.0, 3.0, 6.0])
    # ratios 1: minus the mean advantage; V = 2 against returns -0.375, 0.5, 0, -2
    value_loss = (2.375**2 + 1.5**2 + 2**2 + 4**2) / 4 / 2
    loss, metrics = algo.loss(batch)
    assert metrics["policy_loss"].item() == pytest.approx(-3.0, abs=1e-5)
    assert metrics["value_loss"].item() == pytest.approx(value_loss)
    assert loss.item() == pytest.approx(-3.0 + 0.3 * value_loss, abs=1e-5)


def test_the_entropy_of_a_uniform_policy_is_the_logarithm_of_its_vocabulary(model: LanguageModel) -> None:
    with torch.no_grad():
        model.lm.get_input_embeddings().weight.zero_()
    algo = ppo(model)
    batch = annotated(algo, corpus_of(model, GAME))
    assert algo.round["entropy"] == pytest.approx(math.log(260))
    assert algo.loss(batch)[1]["entropy"].item() == pytest.approx(math.log(260))


@pytest.mark.parametrize(("limit", "expected"), [(None, math.exp(5)), (20.0, math.exp(5)), (2.0, math.exp(2))])
def test_the_clamp_bounds_the_ratio_of_a_token_that_has_become_likely(
    model: LanguageModel, limit: float | None, expected: float
) -> None:
    algo = ppo(model, log_ratio_clamp=limit, value_coef=0.0)
    batch = annotated(algo, corpus_of(model, GAME))
    batch = noted(batch, advantage=-1.0, logprob=(batch.notes["logprob"] - 5).tolist())
    assert algo.loss(batch)[0].item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("into_trunk", [True, False])
def test_the_value_losss_gradient_enters_the_trunk_only_if_asked(model: LanguageModel, into_trunk: bool) -> None:
    algo = ppo(model, value_into_trunk=into_trunk)
    random(algo.head)
    algo.loss(noted(annotated(algo, corpus_of(model, GAME)), advantage=0.0))[0].backward()
    assert any(g.abs().max() > 0 for g in gradients(algo.lm).values()) is into_trunk
    assert gradients(algo.head)["hidden.weight"].abs().max() > 0


@pytest.mark.parametrize(("value_lr", "expected"), [(None, {"lm": 0.1, "head": 0.1}), (0.5, {"lm": 0.1, "head": 0.5})])
def test_the_value_head_learns_at_a_rate_of_its_own_if_it_has_one(
    model: LanguageModel, value_lr: float | None, expected: dict[str, float]
) -> None:
    algo = PPO(model, optimizer=partial(AdamW, lr=0.1), schedule=CONSTANT, **(NUMBERS | {"value_lr": value_lr}))  # type: ignore[arg-type]
    groups = algo.configure_optimizers()["optimizer"].param_groups
    names = {p: name.partition(".")[0] for name, p in algo.named_parameters() if p.requires_grad}
    rates = {(names[p], group["lr"]) for group in groups for p in group["params"]}
    assert rates == set(expected.items())
    assert sum(len(group["params"]) for group in groups) == len(names)


def test_in_the_first_rounds_the_value_head_alone_learns(model: LanguageModel) -> None:
    algo = ppo(model, value_warmup=1, bc_weight=0.5)
    random(algo.head)
    corpus = corpus_of(model, GAME)
    moves = []
    for _ in range(2):
        batch = annotated(algo, corpus)
        algo.zero_grad(set_to_none=True)
        algo.loss(replace(batch, beside=batch))[0].backward()
        moves.append({name.partition(".")[0] for name, p in algo.named_parameters() if p.grad is not None})
    assert moves == [{"head"}, {"head", "lm"}]
    goes_on = ppo(model, value_warmup=1)
    goes_on.load_state_dict(algo.state_dict())
    assert not goes_on.warming, "a run that goes on does not begin anew"


def test_value_clipping_holds_v_near_its_old_self(model: LanguageModel) -> None:
    algo = ppo(model, head_bias=1.0, value_clip=0.5, value_coef=1.0)
    batch = noted(annotated(algo, corpus_of(model, GAME)), advantage=0.0, value=3.0, **{"return": 0.0})
    assert algo.loss(batch)[0].item() == pytest.approx(6.25 / 2)  # 2.5, not 1


def test_the_policy_and_its_head_move_and_the_reference_stays(model: LanguageModel) -> None:
    algo = ppo(model)
    random(algo.head)
    names = moved(algo, annotated(algo, corpus_of(model, GAME)))
    assert {name.split(".")[0] for name in names} == {"lm", "head"}
    assert {"lm.transformer.wte.weight", "head.hidden.weight", "head.out.bias"} <= names


def test_padding_changes_no_loss(model: LanguageModel) -> None:
    algo = drifted(ppo(model, bc_weight=0.5, value_clip=0.2))
    random(algo.head)
    corpus = corpus_of(model, GAME, said(("see\n", "left\n", -1.0)))
    batch = annotated(algo, corpus)
    batch = replace(batch, beside=batched(corpus))
    wider = replace(padded(batch, 4, 99), beside=padded(batch.beside, 2, 7))  # type: ignore[arg-type]
    torch.testing.assert_close(algo.loss(wider)[0], algo.loss(batch)[0])


def test_the_behaviour_cloning_weight_adds_exactly_its_loss_on_the_offline_windows(model: LanguageModel) -> None:
    beside = batched(corpus_of(model, said(("see\n", "right\n", -1.0), ("see\n", "b\n", 0.0))))
    expected = plain_nll(model.lm, beside, 260)[beside.action_BS].mean()
    plain, mixed = ppo(model), ppo(model, bc_weight=0.25)
    batch = replace(annotated(plain, corpus_of(model, GAME)), beside=beside)
    torch.testing.assert_close(mixed.loss(batch)[0] - plain.loss(batch)[0], 0.25 * expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(mixed.loss(batch)[1]["bc_loss"], expected.detach())


def test_a_behaviour_cloning_weight_needs_offline_windows(model: LanguageModel) -> None:
    algo = ppo(model, bc_weight=0.25)
    with pytest.raises(ValueError, match=r"algo.bc_weight = 0.25: needs offline windows, set data.offline_batch"):
        algo.loss(annotated(algo, corpus_of(model, GAME)))


@pytest.mark.parametrize("dropout", [True, False])
def test_dropout_in_the_update_is_the_policys_alone_and_only_if_asked(dropout: bool) -> None:
    model = make_model(dropout=0.5)
    algo = ppo(model, dropout=dropout).eval()
    batch = annotated(algo, corpus_of(model, GAME))
    algo.train()  # as Lightning does before a round's first step
    first, second = algo.loss(batch)[0], algo.loss(batch)[0]
    assert (first != second).item() is dropout
    assert algo.lm.training is dropout
    assert algo.training
    assert algo.head.training
    assert not any(module.training for module in algo.reference.modules())


@pytest.mark.parametrize(("masked", "share"), [(True, 1.0), (False, 260 / 325)])
def test_an_unmasked_update_gives_rows_that_no_token_has_their_share(masked: bool, share: float) -> None:
    """All logits are 0, so each of 325 rows has as much; re-scoring knows the 260 of tokens alone."""
    model = make_model(rows=325)
    with torch.no_grad():
        model.lm.get_input_embeddings().weight.zero_()
    algo, corpus = ppo(model, masked=masked, bc_weight=0.5), corpus_of(model, GAME)
    batch = noted(replace(annotated(algo, corpus), beside=batched(corpus)), advantage=-1.0)
    assert batch.notes["logprob"].tolist() == pytest.approx([-math.log(260)] * 4)
    metrics = algo.loss(batch)[1]
    assert metrics["policy_loss"].item() == pytest.approx(max(share, 0.8))
    assert metrics["entropy"].item() == pytest.approx(math.log(260 / share))
    assert metrics["bc_loss"].item() == pytest.approx(math.log(260 / share))


def fitted(algo: PPO, batches: Round) -> dict[str, Any]:
    quiet = {
        "logger": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "enable_checkpointing": False,
    }
    Trainer(max_epochs=1, accelerator="cpu", **quiet).fit(algo, batches)  # type: ignore[arg-type]
    return {name: p.detach().clone() for name, p in algo.named_parameters()}


@pytest.mark.parametrize(("stop_kl", "steps"), [(None, 4), (-1.0, 1), (0.0, 2), (1e9, 4)])
def test_stop_kl_passes_over_the_rest_of_the_round(stop_kl: float | None, steps: int) -> None:
    """The step that was measured is taken, those after it are not: at 0 the first has not moved yet, the second has."""
    runs = []
    for limit, count in ((stop_kl, 4), (None, steps)):
        model = make_model()
        algo, corpus = ppo(model, stop_kl=limit), corpus_of(model, GAME)
        every, notes = np.arange(len(corpus)), dict(annotated(algo, corpus).notes)
        windows = Windows(corpus, every, notes)
        runs.append(fitted(algo, Round(windows, [every] * count, None, 0, algo.skips)))
    assert all(torch.equal(runs[0][name], runs[1][name]) for name in runs[0])


def test_a_new_round_begins_with_steps_again(model: LanguageModel) -> None:
    algo, corpus = ppo(model, stop_kl=-1.0), corpus_of(model, GAME)
    algo.loss(annotated(algo, corpus))
    assert algo.skips()
    annotated(algo, corpus)
    assert not algo.skips()
