"""Implicit language Q-learning: where targets come from, what the loss of known values is, and what moves."""

import math
from dataclasses import replace

import pytest
import torch

from lmrl.algos.ilql import ILQL, has_successor, successors, td_targets
from lmrl.batches import TokenBatch
from lmrl.corpus import TERMINAL
from lmrl.heads import polyak
from lmrl.models import LanguageModel
from lmrl.reading import hidden
from lmrl.trajectory import Trajectory
from tests.algos.byhand import (
    CONSTANT,
    adamw,
    answers,
    batch_of,
    biased,
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
    "gamma": 0.5,
    "discount": "token",
    "backup": "token",
    "tau": 0.75,
    "cql_weight": 0.0,
    "lm_weight": 0.0,
    "polyak": 0.1,
    "reward_scale": 1.0,
    "head_bias": 0.0,
    "value_range": None,
    "beta": 1.0,
    "support": 0.0,
    "act_with": "online",
}
GAME = said(("see\n", "left\n", -1.0), ("see\n", "ab\n", -2.0))  # actions: left | a b \n


def ilql(model: LanguageModel, **changes: object) -> ILQL:
    return ILQL(model, optimizer=adamw, schedule=CONSTANT, **(NUMBERS | changes))  # type: ignore[arg-type]


def targets(batch: TokenBatch, *value: float, after: float, **changes: str) -> list[float]:
    how = {"discount": "token", "backup": "token"} | changes
    after_B = torch.where(batch.end_B == TERMINAL, 0.0, after)
    return td_targets(batch, torch.tensor(value), after_B, gamma=0.5, **how).tolist()  # type: ignore[arg-type]


def cut(game: Trajectory) -> Trajectory:
    return replace(game, done=False)


def test_successors_stay_in_their_window() -> None:
    row_N = torch.tensor([0, 0, 2])  # window 1 has no action
    after = successors(torch.tensor([1.0, 2.0, 3.0]), row_N, torch.tensor([7.0, 8.0, 9.0]))
    assert after.tolist() == [2.0, 7.0, 9.0]


def test_a_terminal_action_is_worth_its_reward_and_the_others_look_at_the_next_token(model: LanguageModel) -> None:
    # left: -1 + 0.5 * 20; a: 0 + 0.5 * 30; b: 0 + 0.5 * 40; \n: -2, whatever any value says
    batch = batch_of(model, GAME)
    assert targets(batch, 10, 20, 30, 40, after=1000) == [9, 15, 20, -2]


def test_discounting_per_turn_does_not_discount_inside_an_action(model: LanguageModel) -> None:
    assert targets(batch_of(model, GAME), 10, 20, 30, 40, after=1000, discount="turn") == [9, 30, 40, -2]


def test_one_backup_per_turn_gives_all_tokens_of_an_action_what_its_last_one_gets(model: LanguageModel) -> None:
    assert targets(batch_of(model, GAME), 10, 20, 30, 40, after=1000, backup="turn") == [9, -2, -2, -2]
    game = said(("see\n", "ab\n", -2.0), ("see\n", "left\n", -1.0))
    assert targets(batch_of(model, game), 10, 20, 30, 40, after=1000, backup="turn") == [18, 18, 18, -1]


def test_across_windows_the_target_looks_at_what_follows_the_window(model: LanguageModel) -> None:
    batch = batch_of(model, GAME, context=1)
    assert targets(batch, 10, 20, 30, 40, after=6) == [2, 15, 20, -2]  # left: -1 + 0.5 * 6


def test_what_follows_a_window_is_read_as_the_next_window_reads_it(model: LanguageModel) -> None:
    algo = ilql(model)
    random(algo.value.heads["v"])
    batch = batch_of(model, said(*[("see\n", "left\n", -1.0)] * 4), context=6)
    first = int(batch.action_BS[1].int().argmax())  # of the next window, which begins in the middle of this one
    h_TD = hidden(algo.value.lm, batch.ids_BT[1:])[0]
    assert algo._after(batch).tolist() == pytest.approx([algo.value.head("v", h_TD[first]).item(), 0.0])


@pytest.mark.parametrize(("backup", "valid"), [("token", [1, 1, 1, 0]), ("turn", [1, 0, 0, 0])])
def test_the_action_that_the_clock_cut_off_has_no_target(model: LanguageModel, backup: str, valid: list[int]) -> None:
    for context in (None, 1):
        batch = batch_of(model, cut(GAME), GAME, context=context)
        assert has_successor(batch, backup).int().tolist() == valid + [1, 1, 1, 1]  # type: ignore[arg-type]


def test_the_loss_of_known_values(model: LanguageModel) -> None:
    algo = ilql(model, cql_weight=0.1, head_bias=-1.0)
    biased(model, algo.value.heads["q1"], {"left\n": -3.0, "right\n": 1.0})
    biased(model, algo.value.heads["q2"], {"left\n": 0.0, "right\n": -2.0})
    biased(model, algo.target.heads["q1"], {"left\n": 0.0, "right\n": -4.0})
    biased(model, algo.target.heads["q2"], {"left\n": 1.0, "right\n": 5.0})
    loss, metrics = algo.loss(batch_of(model, said(("see\n", "left\n", -1.0), ("see\n", "right\n", 1.0))))
    # targets: -1 + 0.5 * -1 = -1.5 and 1. Errors: q1 -1.5 and 0, q2 1.5 and -3
    q_loss = (1.5**2 + 0 + 1.5**2 + 3**2) / 2 / 2
    # the smaller target: 0 and -4, against V = -1: errors 1 and -3, weights 3/4 and 1/4
    v_loss = (0.75 * 1 + 0.25 * 9) / 2 / 2
    log_sums = [math.log(sum(map(math.exp, q)) + 258 * math.exp(-1)) for q in ((-3, 1), (0, -2))]
    cql_loss = ((log_sums[0] + 3 + log_sums[1] - 0) + (log_sums[0] - 1 + log_sums[1] + 2)) / 2
    assert metrics["q_loss"].item() == pytest.approx(q_loss)
    assert metrics["v_loss"].item() == pytest.approx(v_loss)
    assert metrics["cql_loss"].item() == pytest.approx(cql_loss, abs=1e-4)
    assert metrics["target"].item() == pytest.approx(-0.25)
    assert metrics["v"].item() == pytest.approx(-1)
    assert loss.item() == pytest.approx(q_loss + v_loss + 0.1 * cql_loss, abs=1e-4)


def test_at_tau_a_half_the_loss_of_v_is_a_quarter_of_the_squared_error(model: LanguageModel) -> None:
    algo = ilql(model, tau=0.5)
    biased(model, algo.target.heads["q1"], {"left\n": -2.0})
    biased(model, algo.target.heads["q2"], {"left\n": -2.0})
    assert algo.loss(batch_of(model, said(("see\n", "left\n", 0.0))))[1]["v_loss"].item() == pytest.approx(1.0)


def test_a_cut_action_is_only_held_by_the_conservative_term(model: LanguageModel) -> None:
    algo = ilql(model, cql_weight=1.0, head_bias=-1.0)
    loss, metrics = algo.loss(batch_of(model, cut(said(("see\n", "left\n", -9.0)))))
    assert metrics["q_loss"] == 0
    assert metrics["v_loss"] == 0
    assert loss.item() == pytest.approx(2 * math.log(260), abs=1e-4)


def test_targets_stay_within_what_returns_can_be_in_raw_units(model: LanguageModel) -> None:
    algo = ilql(model, head_bias=-100.0, reward_scale=0.1, value_range=[-8.0, 0.0], gamma=1.0)
    batch = batch_of(model, said(("see\n", "left\n", -1.0), ("see\n", "left\n", 3.0)))  # targets -101 and 3
    metrics = algo.loss(batch)[1]
    assert metrics["target"].item() == pytest.approx(-4.0)
    assert metrics["q_loss"].item() == pytest.approx(((-10 + 0.8) ** 2 + 10**2) / 2, rel=1e-5)
    assert metrics["q"].item() == pytest.approx(-100)


@pytest.mark.parametrize("context", [None, 1])
def test_rewards_are_scaled_inside_and_values_told_in_raw_units(model: LanguageModel, context: int | None) -> None:
    algo = ilql(model, head_bias=-10.0, reward_scale=0.1)
    metrics = algo.loss(batch_of(model, GAME, context=context))[1]
    # left: -1 + half of -10; a and b: half of -10; \n: -2; Q = -1 in scaled units is compared with a tenth of them
    assert metrics["target"].item() == pytest.approx((-6 - 5 - 5 - 2) / 4)
    assert metrics["q_loss"].item() == pytest.approx((0.4**2 + 0.5**2 + 0.5**2 + 0.8**2) / 4)
    assert (metrics["q"].item(), metrics["v"].item()) == pytest.approx((-10, -10))


CHAIN = {"1\n": -1.875, "2\n": -1.75, "3\n": -1.5, "4\n": -1.0}
"""Four steps at -1 each and gamma a half until the fifth state, where the episode ends: v = -1 + v' / 2."""


def chain(model: LanguageModel) -> ILQL:
    algo = ilql(memoryless(model))
    q = {state: {"left\n": value} for state, value in CHAIN.items()}
    for net in (algo.value, algo.target):
        for name in ("q1", "q2"):
            answers(model, net.lm, net.heads[name], q)
    answers(
        model, algo.value.lm, algo.value.heads["v"], {**CHAIN, "5\n": 50.0}
    )  # V of the last state is never asked for
    return algo


@pytest.mark.parametrize("context", [None, 1, 4])
def test_at_the_fixed_point_of_a_five_state_chain_the_loss_is_zero(context: int | None) -> None:
    model = make_model((*CHAIN, "5\n", "left\n"))
    algo = chain(model)
    game = said(*[(state, "left\n", -1.0) for state in CHAIN], then="5\n")
    assert algo.loss(batch_of(model, game, context=context))[0].item() == pytest.approx(0, abs=1e-6)
    # a cut episode that begins in the middle agrees with it
    rest = cut(said(*[(state, "left\n", -1.0) for state in list(CHAIN)[1:3]], then="4\n"))
    assert algo.loss(batch_of(model, game, rest, context=context))[0].item() == pytest.approx(0, abs=1e-6)
    # and one unit off anywhere is seen: 1/2 of the squared error of both heads over 4 actions
    paid = said(*[(state, "left\n", -1.0 - (state == "2\n")) for state in CHAIN], then="5\n")
    assert algo.loss(batch_of(model, paid, context=context))[0].item() == pytest.approx(0.25, abs=1e-5)


def test_only_the_value_net_moves(model: LanguageModel) -> None:
    algo = ilql(model, lm_weight=0.1)
    random(*algo.value.heads.values())
    names = moved(algo, batch_of(model, GAME))
    assert {name.split(".")[0] for name in names} == {"value"}
    assert {f"value.heads.{name}.hidden.weight" for name in ("q1", "q2", "v")} <= names
    assert {"value.lm.transformer.wte.weight", "value.lm.transformer.h.0.attn.c_attn.weight"} <= names


@pytest.mark.parametrize("part", ["lm", "heads.q1", "heads.q2"])
def test_v_is_regressed_on_the_target_nets_q_and_nothing_else_looks_at_it(model: LanguageModel, part: str) -> None:
    batch, algo, other = batch_of(model, GAME), ilql(model), ilql(model)
    random(*algo.value.heads.values(), *algo.target.heads.values())
    other.load_state_dict(algo.state_dict())
    with torch.no_grad():
        for p in other.target.get_submodule(part).parameters():
            p.mul_(2.0).sub_(0.1)
    plain, changed = algo.loss(batch)[1], other.loss(batch)[1]
    assert {name for name in plain if plain[name] != changed[name]} == {"v_loss"}


def test_there_is_no_target_of_v(model: LanguageModel) -> None:
    batch, algo = batch_of(model, GAME), ilql(model)
    before = algo.loss(batch)[0]
    torch.nn.init.constant_(algo.target.heads["v"].out.bias, 3.0)
    assert algo.loss(batch)[0] == before


def test_no_gradient_reaches_v_through_the_targets(model: LanguageModel) -> None:
    algo = ilql(model, tau=0.5)
    algo.loss(batch_of(model, GAME))[0].backward()
    # V = 0 = min Q everywhere: its regression is at rest, and the targets -1 and -2 do not pull at it
    assert gradients(algo.value)["heads.v.out.bias"].abs().max() == 0
    assert gradients(algo.value)["heads.q1.out.bias"].abs().max() > 0


def test_the_language_model_weight_adds_exactly_its_cross_entropy_on_actions(model: LanguageModel) -> None:
    batch = batch_of(model, GAME)
    expected = plain_nll(model.lm, batch, 260)[batch.action_BS].mean()
    without, with_it = ilql(model).loss(batch), ilql(model, lm_weight=0.5).loss(batch)
    torch.testing.assert_close(with_it[1]["lm_loss"], expected.detach())
    torch.testing.assert_close(with_it[0] - without[0], 0.5 * expected)


def test_the_target_follows_at_its_rate_after_each_step(model: LanguageModel) -> None:
    algo = ilql(model, polyak=0.25)
    with torch.no_grad():
        for p in algo.value.parameters():
            p.fill_(4.0)
        for p in algo.target.parameters():
            p.zero_()
    algo.after_step()
    assert all((p == 1.0).all() for p in algo.target.parameters())  # 0 + 1/4 of 4
    algo.after_step()
    assert all((p == 1.75).all() for p in algo.target.parameters())  # 1 + 1/4 of 3
    polyak(algo.target, algo.value, 1.0)
    assert all((p == 4.0).all() for p in algo.target.parameters())


@pytest.mark.parametrize("context", [None, 1])
def test_padding_changes_no_loss(model: LanguageModel, context: int | None) -> None:
    algo = ilql(model, cql_weight=0.1, lm_weight=0.1)
    random(*algo.value.heads.values())
    batch = batch_of(model, GAME, cut(GAME), said(("see\n", "right\n", -1.0)), context=context)
    torch.testing.assert_close(algo.loss(padded(batch, 4, 99))[0], algo.loss(batch)[0])


def states(algo: ILQL, text: str) -> list[torch.Tensor]:
    ids = torch.tensor([algo.model.codec.encode(text)])
    return [lm.base_model(input_ids=ids).last_hidden_state[:, -1] for lm in algo.actor().lms]


@pytest.mark.parametrize("act_with", ["online", "target"])
def test_it_acts_by_the_smaller_q_of_the_net_that_was_asked_for(model: LanguageModel, act_with: str) -> None:
    algo = ilql(memoryless(model), reward_scale=0.5, beta=2.0, act_with=act_with)
    answers(model, algo.value.lm, algo.value.heads["q1"], {"see\n": {"left\n": -1.0, "right\n": 0.0}})
    answers(model, algo.value.lm, algo.value.heads["q2"], {"see\n": {"left\n": -2.0, "right\n": 1.0}})
    left, right = (model.codec.encode(text)[0] for text in ("left\n", "right\n"))
    here = states(algo, "see\n")
    tilt = (algo.actor().logits(here) - algo.logits(here[0]).log_softmax(-1))[0]
    expected = 2.0 * (0.0 - -2.0) / 0.5 if act_with == "online" else 0.0
    assert (tilt[right] - tilt[left]).item() == pytest.approx(expected, abs=1e-4)


def test_a_range_of_values_rises(model: LanguageModel) -> None:
    with pytest.raises(ValueError, match=r"algo.value_range = \[0, -33\]: the least and the largest return"):
        ilql(model, value_range=[0, -33])


@pytest.mark.parametrize("backup", ["token", "turn"])
def test_what_is_backed_up_by_turn_is_discounted_by_turn_so_that_its_critique_is_too(backup: str) -> None:
    assert ilql(make_model(), discount="token", backup=backup).discount == backup
