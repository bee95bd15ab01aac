"""Windows, alignment and batches, on episodes that fit on a page."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lmrl.codec import Codec, phrase_tokenizer
from lmrl.tokens import CUT, GOES_ON, TERMINAL, Corpus, TokenBatch, View, collate, tokenize
from lmrl.trajectory import Trajectory, Turn

CODEC = Codec(phrase_tokenizer(["S\n", "L\n", "E\n", "guess\n"]))
S, L, E = (CODEC.encode(text)[0] for text in ("S\n", "L\n", "E\n"))
WIDE = View(None, 64, 8)
LATEST = View(1, 64, 8)


def game(*rewards: float, done: bool = True) -> Trajectory:
    turns = [Turn("S\n", False)]
    for reward in rewards:
        turns += [Turn("L\n", True, reward), Turn("S\n", False)]
    return Trajectory((*turns[:-1], Turn("E\n", False)), done, {"success": done})


def whole(corpus: Corpus, *, trail: bool = True) -> TokenBatch:
    return collate(corpus, np.arange(len(corpus)), trail=trail, ahead=True)


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


def test_sampled_tokens_are_trained_on_as_they_were_sampled() -> None:
    ids = CODEC.encode("L") + CODEC.encode("\n")  # not how the codec would write it
    said = Trajectory((Turn("S\n", False), Turn("L\n", True, 0.0, ids), Turn("E\n", False)), True)
    batch = whole(tokenize([said], CODEC, WIDE))
    assert tuple(batch.action_N.tolist()) == ids != CODEC.encode("L\n")


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


def test_a_trail_that_does_not_fit_takes_nothing_from_the_window_after() -> None:
    seen, action = Turn("abcdefghijk\n", False), Turn("L\n", True, -1.0)  # 12 tokens and 1
    corpus = tokenize([Trajectory((seen, action, seen, action, seen), True)], CODEC, View(1, 20, 8))
    assert corpus.lengths.tolist() == [20, 20]
    assert whole(corpus, trail=False).length_B.tolist() == [13, 13]


def test_ids_of_another_tokenizer_are_made_anew_from_the_text() -> None:
    for ids in (CODEC.encode("hc"), (99999,)):
        said = Trajectory((Turn("S\n", False), Turn("L\n", True, 0.0, ids), Turn("E\n", False)), True)
        assert whole(tokenize([said], CODEC, WIDE)).action_N.tolist() == [L]


def test_a_cut_episode_says_so() -> None:
    assert tokenize([game(-1, done=False)], CODEC, WIDE).end.tolist() == [CUT]


def test_the_text_seen_drops_to_half_when_it_would_hold_too_many_texts() -> None:
    corpus = tokenize([game(*[-1] * 7)], CODEC, View(6, 64, 8))
    # texts before the actions: 1, 3, 5 -> 7 is too many, so 3 remain, then 5, then again 3, 5
    assert corpus.lengths.tolist() == [7, 7, 7]
    trained = [int(n) for n in np.add.reduceat(corpus.flags & 2 > 0, corpus.start[:-1])]
    assert trained == [3, 2, 2]


def test_every_action_token_is_trained_once_and_every_token_is_fresh_once() -> None:
    episode = game(*[-1] * 9)
    corpus = tokenize([episode], CODEC, View(4, 64, 8))
    assert (corpus.flags & 2 > 0).sum() == 9
    assert (corpus.flags & 1 > 0).sum() == len(episode.turns)


def test_an_observation_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(ValueError, match="an observation of 12 tokens: .* has room for 4; it needs more positions"):
        tokenize([Trajectory((Turn("x" * 12, False), Turn("L\n", True)), True)], CODEC, View(None, 12, 8))


def test_an_action_without_a_token_is_an_error() -> None:
    with pytest.raises(ValueError, match="the action '' has no token"):
        tokenize([Trajectory((Turn("S\n", False), Turn("", True, -1.0)), True)], CODEC, WIDE)


def test_padding_hides_nothing_and_adds_nothing() -> None:
    batch = whole(tokenize([game(0), game(-1, -1, 0)], CODEC, WIDE))
    assert batch.length_B.tolist() == [3, 7]
    assert batch.action_BS.sum(1).tolist() == [1, 3]
    assert batch.fresh_BS.sum(1).tolist() == [2, 6]


def test_a_corpus_comes_back_from_disk_as_it_was(tmp_path: Path) -> None:
    corpus = tokenize([game(-1, 0), game(0, done=False)], CODEC, LATEST)
    corpus.save(tmp_path / "tokens")
    again = Corpus.load(tmp_path / "tokens")
    assert all(np.array_equal(getattr(corpus, name), getattr(again, name)) for name in vars(corpus))
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("left", [None, 0, 100, 150])
def test_a_damaged_corpus_is_named_with_the_remedy(tmp_path: Path, left: int | None) -> None:
    """The bytes that are left of one of its files; None: not even the file."""
    tokenize([game(-1, 0)], CODEC, LATEST).save(tmp_path / "tokens")
    file = tmp_path / "tokens" / "ids.npy"
    kept = file.read_bytes()[:left]
    file.unlink()
    if left is not None:
        file.write_bytes(kept)
    with pytest.raises(ValueError, match=rf"{tmp_path}/tokens: damaged .*; delete the folder, and it is made anew"):
        Corpus.load(tmp_path / "tokens")


def test_a_killed_process_of_the_same_number_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / f"tokens.{os.getpid()}.part").mkdir()
    tokenize([game(-1)], CODEC, LATEST).save(tmp_path / "tokens")
    assert len(Corpus.load(tmp_path / "tokens")) == 1


def test_a_corpus_that_another_process_has_just_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    move = Path.replace

    def later(self: Path, target: Path) -> Path:
        target.mkdir()
        (target / "written").touch()
        return move(self, target)

    monkeypatch.setattr(Path, "replace", later)
    tokenize([game(-1)], CODEC, LATEST).save(tmp_path / "tokens")
    assert [path.name for path in tmp_path.iterdir()] == ["tokens"]


def test_actions_are_flat_and_in_time_order() -> None:
    actions = tokenize([game(-1, 0), game(-2)], CODEC, LATEST).actions()
    assert actions.reward_N.tolist() == [-1, 0, -2]
    assert actions.episode_N.tolist() == [0, 0, 1]
    assert actions.window_N.tolist() == [0, 1, 2]


def test_notes_travel_to_another_device_with_their_batch() -> None:
    batch = whole(tokenize([game(-1)], CODEC, WIDE)).to(torch.device("cpu"))
    assert batch.ids_BT.tolist() == [[S, L, E]]


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=30))
def test_any_text_survives_its_tokens(text: str) -> None:
    assert CODEC.decode(CODEC.encode(text)) == text


def test_an_action_ends_at_its_first_newline_and_has_exactly_one() -> None:
    assert CODEC.action(CODEC.encode("ab\ncd\n")) == "ab\n"
    assert CODEC.action(CODEC.encode("ab")) == "ab\n"
