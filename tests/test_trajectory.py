import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmrl.trajectory import Trajectory, Turn, checked, from_line, read_lines, to_line, write_lines

EPISODE = Trajectory(
    (Turn("Wordle:\n", False), Turn("p a n i c\n", True, -1.0, (5, 7)), Turn("b b y b b\n", False)),
    False,
    {"word": "robin"},
)

texts = st.text(max_size=20)
words = st.text(min_size=1, max_size=20)
actions = st.builds(
    Turn,
    words,
    st.just(True),
    st.floats(width=32, allow_nan=False, allow_infinity=False).filter(lambda reward: abs(reward) < 1e38),
    st.none() | st.lists(st.integers(0, 99), max_size=4).map(tuple),
)
observations = st.builds(Turn, words, st.just(False))
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
    assert from_line('{"turns": [["a"], ["b", 1, []]], "done": true}').turns[1].tokens == ()


def test_an_observation_cannot_be_paid():
    with pytest.raises(ValueError, match="an observation cannot be paid"):
        to_line(Trajectory((Turn("a", False, 1.0), Turn("b", True)), True))


def test_info_may_be_left_out_of_a_line():
    line = '{"turns": [["a"], ["b", 0]], "done": false}'
    assert from_line(line) == Trajectory((Turn("a", False), Turn("b", True)), False)


def test_a_last_observation_may_be_empty():
    assert from_line('{"turns": [["a"], ["b", 0], [""]], "done": true}').turns[-1].text == ""


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ([], "an episode is"),
        ({"turns": "a"}, "an episode is"),
        ({"turns": []}, "at least one action"),
        ({"turns": [["a"]]}, "at least one action"),
        ({"turns": [["a"], ["b", 0, 7]]}, r"a turn is \[text\].*not \['b', 0, 7\]"),
        ({"turns": [["a", 0, [], 1]]}, "a turn is"),
        ({"turns": [["a"], "b"]}, "a turn is"),
        ({"turns": [["a"], ["b", 0]]}, "done = None: true or false is needed"),
    ],
)
def test_a_broken_episode_says_what_one_is(record: Any, said: str):
    with pytest.raises(ValueError, match=said):
        from_line(json.dumps(record))


SEEN, SAID = Turn("a", False), Turn("b", True, -1.0)


@pytest.mark.parametrize(
    ("turns", "said"),
    [
        ((SAID, SEEN), "turn 1: an action where an observation is due"),
        ((SEEN, SEEN, SAID), "turn 2: an observation where an action is due"),
        ((SEEN, SAID, SAID), "turn 3: an action where an observation is due"),
        ((replace(SEEN, text=None), SAID), "turn 1: text None: a string"),  # type: ignore[arg-type]
        ((replace(SEEN, text=""), SAID), "turn 1: the text is empty"),
        ((SEEN, replace(SAID, text="")), "turn 2: the text is empty"),
        ((SEEN, replace(SAID, text="\ud800")), "turn 2: .*surrogates not allowed"),
        ((SEEN, replace(SAID, reward=math.nan)), "turn 2: reward nan: a finite number"),
        ((SEEN, replace(SAID, reward=-math.inf)), "turn 2: reward -inf: a finite number"),
        ((SEEN, replace(SAID, reward=10**400)), "turn 2: reward 1000.*: a finite number"),
        ((SEEN, replace(SAID, reward=True)), "turn 2: reward True: a finite number"),
        ((SEEN, replace(SAID, reward="1")), "turn 2: reward '1': a finite number"),  # type: ignore[arg-type]
        ((replace(SEEN, reward=1.0), SAID), "turn 1: reward 1.0: an observation cannot be paid"),
        ((SEEN, replace(SAID, tokens=(1.0,))), r"turn 2: ids \[1.0\]: whole numbers"),  # type: ignore[arg-type]
        ((SEEN, replace(SAID, tokens=(5, -1))), r"turn 2: ids \[5, -1\]: whole numbers"),
        ((SEEN, replace(SAID, tokens=(True,))), r"turn 2: ids \[True\]: whole numbers"),
    ],
)
def test_a_turn_that_readers_cannot_rely_on_is_refused_with_its_number(turns: tuple[Turn, ...], said: str):
    with pytest.raises(ValueError, match=said):
        checked(Trajectory(turns, True))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"done": "false"}, "done = 'false': true or false is needed"),
        ({"done": 1}, "done = 1: true or false is needed"),
        ({"info": None}, "info = None: an object is needed"),
        ({"info": {"success": "no"}}, "info.success = 'no': true or false is needed"),
        ({"info": {"invalid_actions": -1}}, "info.invalid_actions = -1: a whole number from 0 is needed"),
        ({"info": {"invalid_actions": True}}, "info.invalid_actions = True: a whole number"),
    ],
)
def test_an_end_that_readers_cannot_rely_on_is_refused(change: dict[str, Any], said: str):
    with pytest.raises(ValueError, match=said):
        checked(replace(EPISODE, **change))


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (b'{"turns": [["Wor', "line 4: not JSON: Unterminated string starting at at column 13"),
        (b'{"turns": [["\xff"]]}', "line 4: byte 14 is not UTF-8"),
        (b'{"turns": [["a"], ["b", NaN]], "done": true}', "line 4: turn 2: reward nan"),
        (b'{"turns": 7}', "line 4: an episode is"),
    ],
)
def test_a_broken_line_names_file_and_line(tmp_path: Path, broken: bytes, said: str):
    path = tmp_path / "some.jsonl"
    path.write_bytes(to_line(EPISODE).encode() + b"\n\n\r\n" + broken)
    with pytest.raises(ValueError, match=rf"some\.jsonl, {said}"):
        list(read_lines(path))


def test_blank_lines_do_not_matter(tmp_path: Path):
    (tmp_path / "some.jsonl").write_text("\n" + to_line(EPISODE) + "\r\n \n" + to_line(EPISODE) + "\n\n")
    assert list(read_lines(tmp_path / "some.jsonl")) == [EPISODE, EPISODE]


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
    assert [found.name for found in path.parent.iterdir()] == ["some.jsonl"]
