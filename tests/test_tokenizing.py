"""Windows and what is marked in them."""

import pytest

from lmrl.corpus import CUT
from lmrl.tokenizing import tokenize
from lmrl.trajectory import Trajectory, Turn
from lmrl.view import View
from tests.letters import CODEC, WIDE, L, game, whole


def test_sampled_tokens_are_trained_on_as_they_were_sampled() -> None:
    ids = CODEC.encode("L") + CODEC.encode("\n")  # not how the codec would write it
    said = Trajectory((Turn("S\n", False), Turn("L\n", True, 0.0, ids), Turn("E\n", False)), True)
    batch = whole(tokenize([said], CODEC, WIDE))
    assert tuple(batch.action_N.tolist()) == ids != CODEC.encode("L\n")


def test_ids_of_another_tokenizer_are_made_anew_from_the_text() -> None:
    for ids in (CODEC.encode("hc"), (99999,)):
        said = Trajectory((Turn("S\n", False), Turn("L\n", True, 0.0, ids), Turn("E\n", False)), True)
        assert whole(tokenize([said], CODEC, WIDE)).action_N.tolist() == [L]


def test_a_trail_that_does_not_fit_takes_nothing_from_the_window_after() -> None:
    seen, action = Turn("abcdefghijk\n", False), Turn("L\n", True, -1.0)  # 12 tokens and 1
    corpus = tokenize([Trajectory((seen, action, seen, action, seen), True)], CODEC, View(1, 20, 8))
    assert corpus.lengths.tolist() == [20, 20]
    assert whole(corpus, trail=False).length_B.tolist() == [13, 13]


def test_a_cut_episode_says_so() -> None:
    assert tokenize([game(-1, done=False)], CODEC, WIDE).end.tolist() == [CUT]


def test_every_action_token_is_trained_once_and_every_token_is_fresh_once() -> None:
    episode = game(*[-1] * 9)
    corpus = tokenize([episode], CODEC, View(4, 64, 8))
    assert (corpus.flags & 2 > 0).sum() == 9
    assert (corpus.flags & 1 > 0).sum() == len(episode.turns)


def test_an_action_without_a_token_is_an_error() -> None:
    with pytest.raises(ValueError, match="the action '' has no token"):
        tokenize([Trajectory((Turn("S\n", False), Turn("", True, -1.0)), True)], CODEC, WIDE)
