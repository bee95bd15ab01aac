"""Alignment and padding, on episodes that fit on a page."""

import pytest
import torch

from lmrl.corpus import GOES_ON, TERMINAL
from lmrl.tokenizing import tokenize
from lmrl.trajectory import Trajectory, Turn
from lmrl.view import View
from tests.letters import CODEC, LATEST, WIDE, E, L, S, game, whole


def test_an_episode_is_one_window_and_position_s_predicts_token_s_plus_1() -> None:
    batch = whole(tokenize([game(-1, 0)], CODEC, WIDE))
    assert batch.ids_BT.tolist() == [[S, L, S, L, E]]
    assert batch.action_BS.int().tolist() == [[1, 0, 1, 0]]
    assert batch.reward_BS.tolist() == [[-1, 0, 0, 0]]
    assert batch.last_BS.int().tolist() == [[1, 0, 1, 0]]
    assert batch.action_N.tolist() == [L, L]
    assert batch.end_B.tolist() == [TERMINAL]


def test_the_reward_stands_on_an_actions_last_token() -> None:
    spelt = Trajectory((Turn("S\n", False), Turn("ab\n", True, -1.0), Turn("E\n", False)), True)
    batch = whole(tokenize([spelt], CODEC, WIDE))
    assert batch.at_actions(batch.reward_BS).tolist() == [0, 0, -1]
    assert batch.at_actions(batch.last_BS).tolist() == [False, False, True]


def test_a_window_may_keep_its_trail() -> None:
    corpus = tokenize([game(-1, 0)], CODEC, LATEST)
    assert whole(corpus, trail=False).ids_BT.tolist() == [[S, L], [S, L]]
    assert whole(corpus, trail=True).ids_BT.tolist() == [[S, L, S], [S, L, E]]


@pytest.mark.parametrize(("context", "after"), [(1, [[S], [S], [S], [0]]), (6, [[S, L, S], [0, 0, 0]]), (None, [[0]])])
def test_a_window_that_goes_on_is_followed_by_what_the_next_action_sees(
    context: int | None, after: list[list[int]]
) -> None:
    batch = whole(tokenize([game(-1, -1, -1, 0)], CODEC, View(context, 64, 8)))
    assert batch.end_B.tolist() == [GOES_ON] * (len(after) - 1) + [TERMINAL]
    assert batch.next_BT is not None
    assert batch.next_BT.tolist() == after
    assert batch.next_length_B is not None
    assert batch.next_length_B.tolist() == [len(row) for row in after[:-1]] + [0]


def test_padding_hides_nothing_and_adds_nothing() -> None:
    batch = whole(tokenize([game(0), game(-1, -1, 0)], CODEC, WIDE))
    assert batch.length_B.tolist() == [3, 7]
    assert batch.action_BS.sum(1).tolist() == [1, 3]
    assert batch.fresh_BS.sum(1).tolist() == [2, 6]


def test_notes_travel_to_another_device_with_their_batch() -> None:
    batch = whole(tokenize([game(-1)], CODEC, WIDE)).to(torch.device("cpu"))
    assert batch.ids_BT.tolist() == [[S, L, E]]
