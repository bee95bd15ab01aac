import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmrl.trajectory import Trajectory, Turn, from_line, read_lines, to_line, write_lines

EPISODE = Trajectory(
    (Turn("Wordle:\n", False), Turn("p a n i c\n", True, -1.0, (5, 7)), Turn("b b y b b\n", False)),
    False,
    {"word": "robin"},
)

texts = st.text(max_size=20)
actions = st.builds(
    Turn,
    texts,
    st.just(True),
    st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.lists(st.integers(0, 99), max_size=4).map(tuple),
)
observations = st.builds(Turn, texts, st.just(False))
episodes = st.builds(
    Trajectory,
    st.lists(st.tuples(observations, actions), min_size=1, max_size=4).map(
        lambda pairs: tuple(t for p in pairs for t in p)
    ),
    st.booleans(),
    st.dictionaries(texts, st.integers() | st.booleans() | texts, max_size=3),
)


def test_a_line_is_what_the_module_says():
    assert to_line(EPISODE) == (
        '{"turns": [["Wordle:\\n"], ["p a n i c\\n", -1.0, [5, 7]], ["b b y b b\\n"]], '
        '"done": false, "info": {"word": "robin"}}'
    )


@given(episodes)
def test_what_was_written_is_read_back(episode: Trajectory):
    line = to_line(episode)
    assert "\n" not in line
    assert from_line(line) == episode


def test_an_episode_sums_its_rewards_and_counts_its_actions():
    turns = (Turn("a", False), Turn("b", True, -1.0), Turn("c", False), Turn("d", True, 0.25))
    assert (Trajectory(turns, True).total, Trajectory(turns, True).num_actions) == (-0.75, 2)


def test_sampled_tokens_come_back_as_they_were():
    assert from_line(to_line(EPISODE)).turns[1].tokens == (5, 7)
    assert from_line('{"turns": [["b", 1, []]]}').turns[0].tokens == ()


def test_an_observation_cannot_be_paid():
    with pytest.raises(ValueError, match="an observation cannot be paid"):
        to_line(Trajectory((Turn("a", False, 1.0), Turn("b", True)), True))


def test_done_and_info_may_be_left_out_of_a_line():
    assert from_line('{"turns": [["a"], ["b", 0]]}') == Trajectory((Turn("a", False), Turn("b", True)), True)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ([], "an episode is"),
        ({"turns": "a"}, "an episode is"),
        ({"turns": [["a"]]}, "at least one action"),
        ({"turns": [["a"], [1, 0]]}, r"a turn is \[text\].*not \[1, 0\]"),
        ({"turns": [["a"], ["b", "1"]]}, "a turn is"),
        ({"turns": [["a"], ["b", 0, 7]]}, "a turn is"),
        ({"turns": [["a", 0, [], 1]]}, "a turn is"),
    ],
)
def test_a_broken_episode_says_what_one_is(record: Any, said: str):
    with pytest.raises(ValueError, match=said):
        from_line(json.dumps(record))


def test_a_broken_line_names_file_and_line(tmp_path: Path):
    path = tmp_path / "some.jsonl"
    path.write_text(to_line(EPISODE) + '\n{"turns": [["Wor')
    with pytest.raises(ValueError, match=r"some\.jsonl, line 2: "):
        list(read_lines(path))


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path):
    path = tmp_path / "new" / "some.jsonl"

    def two_and_then_none():  # type: ignore[no-untyped-def]
        yield EPISODE
        assert not path.exists()
        yield EPISODE

    write_lines(path, two_and_then_none())
    assert list(read_lines(path)) == [EPISODE, EPISODE]
    with pytest.raises(ValueError, match="cannot be paid"):
        write_lines(path, [Trajectory((Turn("a", False, 1.0), Turn("b", True)), True)])
    assert len(list(read_lines(path))) == 2
