"""Values beside what came, on episodes that one can do on paper."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from lmrl.algos.base import Schedule
from lmrl.algos.mc_returns import MCReturns
from lmrl.corpus import Corpus
from lmrl.critique import LEAST, Critique, by_turn, critique, judged, values_csv, values_png
from lmrl.returns import discounts
from lmrl.tokenizing import tokenize
from lmrl.trajectory import Trajectory
from lmrl.view import View
from tests.parts import episode, make_model

VIEW = View(context=None, positions=64, max_new_tokens=4)


def corpus_of(*episodes: Trajectory) -> Corpus:
    return tokenize(episodes, make_model().codec, VIEW)


def held(corpus: Corpus, q: list[float], v: list[float] | None = None, gamma: float = 0.5) -> Critique:
    values = {"q": torch.tensor(q)} | ({} if v is None else {"v": torch.tensor(v)})
    return critique(corpus, values, discounts(corpus.actions().last_N, gamma, "turn"))


def test_what_came_is_the_discounted_reward_to_go_and_turns_count_from_1_in_each_episode() -> None:
    seen = held(corpus_of(episode(0.0, 0.0, 1.0), episode(-1.0)), q=[0.0, 0.0, 0.0, 0.0])
    assert seen.came_U.tolist() == [0.25, 0.5, 1.0, -1.0]
    assert seen.turn_U.tolist() == [1, 2, 3, 1]


def test_with_v_the_td_error_is_r_plus_gamma_v_of_the_next_state_minus_q() -> None:
    # 1 + 0.5 * 4 - 3 = 0; then nothing follows: 2 - 7 = -5; the other episode's v counts for nobody
    seen = held(corpus_of(episode(1.0, 2.0), episode(0.0)), q=[3.0, 7.0, 0.0], v=[9.0, 4.0, 100.0])
    assert seen.error_U.tolist() == [0.0, -5.0, 0.0]


def test_without_v_the_q_of_what_was_said_next_takes_its_place() -> None:
    seen = held(corpus_of(episode(1.0, 2.0)), q=[3.0, 8.0])
    assert seen.error_U.tolist() == [1 + 0.5 * 8 - 3, 2 - 8]


def test_where_the_clock_cut_the_episode_its_last_turn_has_no_td_error() -> None:
    seen = held(corpus_of(episode(1.0, 2.0, done=False)), q=[3.0, 8.0])
    assert seen.error_U[0] == 2
    assert math.isnan(seen.error_U[1])


def test_of_an_action_of_several_tokens_q_is_read_at_its_last_and_the_next_value_at_its_first() -> None:
    corpus = corpus_of(episode(1.0, 2.0, action="up\n"))  # three bytes each
    seen = held(corpus, q=[0.0, 0.0, 3.0, 8.0, 0.0, 5.0])
    assert seen.expected_U.tolist() == [3.0, 5.0]
    assert seen.error_U.tolist() == [1 + 0.5 * 8 - 3, 2 - 5]


def table(came: list[float], expected: list[float], error: list[float]) -> dict[str, float]:
    columns = (np.array(column) for column in ([1.0] * len(came), came, expected, error))
    return dict(by_turn(Critique(*columns))[0])


def test_a_row_has_means_errors_and_the_share_that_is_explained() -> None:
    # came 0, 2: variance 1; expected - came 1, 0: mean 1/2, variance 1/4; errors 3, 1 and one unknown
    row = table([0.0, 2.0], [1.0, 2.0], [3.0, math.nan])
    assert (row["came"], row["expected"], row["bias"], row["n"]) == (1.0, 1.5, 0.5, 2)
    assert row["rmse"] == pytest.approx(math.sqrt(0.5))
    assert row["bias_se"] == pytest.approx(0.5 / math.sqrt(2))
    assert (row["td_mean"], row["td_rms"]) == (3.0, 3.0)
    assert row["explained"] == pytest.approx(0.75)


def test_the_turns_of_an_episode_are_one_draw_of_the_bias() -> None:
    # two episodes of two turns, whose values are wrong by 1 and by 3 all along: as sure as two draws, not as four
    turn, came, expected = [1.0, 2.0, 1.0, 2.0], [0.0] * 4, [1.0, 1.0, 3.0, 3.0]
    whole, *_ = by_turn(Critique(*map(np.array, (turn, came, expected, came))))
    assert (whole["bias"], whole["n"]) == (2.0, 4)
    assert whole["bias_se"] == pytest.approx(1 / math.sqrt(2))


def test_where_all_came_alike_nothing_is_there_to_be_explained() -> None:
    assert math.isnan(table([1.0, 1.0], [0.0, 2.0], [0.0, 0.0])["explained"])


def test_a_turn_that_few_reached_has_no_row() -> None:
    turn = np.array([1.0] * LEAST + [2.0] * (LEAST - 1))
    rows = by_turn(Critique(turn, turn, turn, turn))
    assert [row["turn"] for row in rows] == [0, 1]
    assert [row["n"] for row in rows] == [2 * LEAST - 1, LEAST]


def mc_returns(head_bias: float) -> MCReturns:
    numbers = {"discount": "turn", "reward_scale": 0.5, "cql_weight": 0.0, "beta": 1.0, "support": 0.0}
    schedule = Schedule(warmup=0, decay=0.0, floor=0.0)
    return MCReturns(
        make_model(), optimizer=torch.optim.AdamW, schedule=schedule, gamma=0.5, head_bias=head_bias, **numbers
    )


def test_a_fresh_critic_expects_the_return_that_it_begins_at_in_raw_units() -> None:
    rows = judged(mc_returns(-3.0).eval(), [episode(0.0, 1.0), episode(2.0)], VIEW)
    assert rows[0]["expected"] == pytest.approx(-3)
    assert rows[0]["came"] == pytest.approx((0.5 + 1 + 2) / 3)


def test_the_table_is_written_and_drawn(tmp_path: Path) -> None:
    rows = judged(mc_returns(0.0).eval(), [episode(0.0, 1.0)] * LEAST, VIEW)
    values_csv({"held-out data": rows, "own play": rows}, tmp_path / "values.csv")
    values_png({"held-out data": rows, "own play": rows}, tmp_path / "values.png")
    read = list(csv.DictReader((tmp_path / "values.csv").read_text().splitlines()))
    assert [(row["on"], row["turn"]) for row in read] == [
        (name, turn) for name in ("held-out data", "own play") for turn in "012"
    ]
    assert (tmp_path / "values.png").stat().st_size > 10_000
