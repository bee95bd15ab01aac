import json
import random
from pathlib import Path
from typing import Any

import pytest

from lmrl.tasks.maze import (
    ACTIONS,
    STARTS,
    Maze,
    demonstrations,
    distances,
    phrases,
    read_reference,
    starts,
)

GOAL_IS = "The goal is at position 8, 6. Your current position is at position "
LITERAL = ["right"] * 2 + ["down"] * 4 + ["right"] * 3 + ["down"] * 3
MIXTURE: dict[str, Any] = {"observed": "fully", "guides": 0.5, "skill": 0.2, "border": 6}


def test_the_published_episode_from_1_1_is_played_to_the_character():
    maze = Maze(observed="fully")
    walls = "There are walls to your left, above you, below you.\n"
    assert maze.reset(0, {"start": [1, 1]}) == GOAL_IS + "1, 1. " + walls
    steps = [maze.step(f"move {way}\n") for way in LITERAL]
    assert steps[0].observation == GOAL_IS + "1, 2. There are walls above you, below you.\n"
    assert steps[1].observation == GOAL_IS + "1, 3. There is a wall above you.\n"
    assert steps[-1].observation == "Success\n"
    assert [step.reward for step in steps] == [-1.0] * 11 + [0.0]
    assert [step.done for step in steps] == [False] * 11 + [True]
    assert (steps[-1].truncated, steps[-1].info) == (False, {"success": True})


def test_the_partially_observed_maze_tells_walls_alone():
    maze = Maze(observed="partially")
    said = [maze.reset(0, {"start": [1, 1]}), *(maze.step("move right\n").observation for _ in range(2))]
    assert said == [
        "There are walls to your left, above you, below you.\n",
        "There are walls above you, below you.\n",
        "There is a wall above you.\n",
    ]


def test_digits_of_a_position_are_spaced():
    assert Maze(observed="fully").reset(0, {"start": [1, 10]}).startswith(GOAL_IS + "1, 1 0. There are walls")


def test_a_junction_has_a_single_wall():
    assert Maze(observed="partially").reset(0, {"start": [5, 6]}) == "There is a wall above you.\n"


def test_a_wall_costs_a_move_and_holds():
    maze = Maze(observed="fully")
    first = maze.reset(0, {"start": [1, 1]})
    step = maze.step("move up\n")
    assert (step.observation, step.reward, step.done, step.info) == (first, -1.0, False, {})


@pytest.mark.parametrize("action", ["move right", "MOVE RIGHT\n", "", "go right\n", "move right\nmove right\n"])
def test_an_unknown_action_costs_four_and_does_not_move(action: str):
    maze = Maze(observed="fully")
    first = maze.reset(0, {"start": [1, 1]})
    step = maze.step(action)
    assert (step.observation, step.reward, step.done) == (first, -4.0, False)
    assert step.info == {"invalid_action": True}


def test_the_step_after_100_moves_is_failure_and_is_not_carried_out():
    maze = Maze(observed="fully")
    maze.reset(0, {"start": [7, 6]})
    assert not any(maze.step("move up\n" if i % 2 else "no\n").done for i in range(99))
    back = maze.step("move down\n")  # the 100th: still a move
    assert back.reward == -1.0
    last = maze.step("move down\n")
    assert (last.observation, last.reward, last.done, last.truncated) == ("Failure\n", -1.0, True, True)
    assert last.info == {"success": False}


def test_a_goal_reached_by_the_100th_move_counts():
    maze = Maze(observed="fully")
    maze.reset(0, {"start": [7, 6]})
    steps = [maze.step("move left\n") for _ in range(99)] + [maze.step("move down\n")]
    assert (steps[-1].observation, steps[-1].truncated) == ("Success\n", False)


def test_a_step_without_a_running_episode_says_what_to_do():
    maze = Maze(observed="fully")
    with pytest.raises(RuntimeError, match="call reset"):
        maze.step("move up\n")
    maze.reset(0, {"start": [7, 6]})
    maze.step("move down\n")
    with pytest.raises(RuntimeError, match="call reset"):
        maze.step("move up\n")
    maze.reset(0)
    for _ in range(101):
        maze.step("no\n")
    with pytest.raises(RuntimeError, match="call reset"):
        maze.step("no\n")


def test_a_seed_starts_where_it_starts_in_the_reference():
    drawn = [(7, 6), (5, 5), (1, 3), (5, 5), (1, 11), (6, 6), (4, 9), (1, 5), (2, 9), (5, 6)]
    maze = Maze(observed="fully")
    for seed, (row, column) in enumerate(drawn):
        spelt = f"{row}, {' '.join(str(column))}. "
        assert maze.reset(seed).startswith(GOAL_IS + spelt)


def test_the_global_random_state_is_left_alone():
    random.seed(5)
    before = random.getstate()
    Maze(observed="fully").reset(3)
    demonstrations(3, 0, **MIXTURE)
    assert random.getstate() == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"start": [8, 6]}, r"options.start = \[8, 6\]: needs \[row, column\] of a free cell"),
        ({"start": [0, 0]}, r"options.start = \[0, 0\]"),
        ({"start": 7}, "options.start = 7"),
        ({"start": [1]}, r"options.start = \[1\]"),
        ({"strat": [1, 1]}, r"options.strat = \[1, 1\]: a maze takes only 'start'"),
    ],
)
def test_a_bad_option_is_named_with_what_is_right(options: dict[str, Any], said: str):
    with pytest.raises(ValueError, match=said):
        Maze(observed="fully").reset(0, options)


def test_only_two_ways_of_observing_are_known():
    with pytest.raises(ValueError, match="observed = 'all': .*'fully' or 'partially'"):
        Maze(observed="all")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="observed = 'all'"):
        phrases(observed="all")  # type: ignore[arg-type]


def test_the_shortest_ways_are_the_published_ones():
    far = distances()
    assert (far[7, 6], far[5, 6], far[5, 9], far[4, 3], far[1, 9], far[1, 11]) == (1, 3, 6, 7, 10, 12)
    assert sum(1 - far[cell] for cell in STARTS) / 25 == pytest.approx(-6.84)
    assert len(starts()) == 25


def tokens(text: str, known: list[str]) -> list[str]:
    """The longest phrase at the leftmost place, again and again."""
    cut = []
    while text:
        cut.append(max((p for p in known if text.startswith(p)), key=len))
        text = text.removeprefix(cut[-1])
    return cut


def test_an_observation_is_five_phrases_that_share_row_and_column():
    known = phrases(observed="fully")
    maze = Maze(observed="fully")
    cut = {tuple(start["start"]): tokens(maze.reset(0, start), known) for start in starts()}
    assert {len(pieces) for pieces in cut.values()} == {5}
    assert cut[1, 10][2] == cut[1, 1][2] == "1, "
    assert cut[5, 9][3] == cut[4, 9][3] == "9. "
    assert all(action in known for action in ACTIONS)
    assert len(known) <= 36


def test_a_partial_observation_is_one_phrase():
    known = phrases(observed="partially")
    maze = Maze(observed="partially")
    assert all(maze.reset(0, start) in known for start in starts())


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_mixture_has_the_published_mean_and_hides_the_shortest_way(seed: int):
    episodes = demonstrations(1240, seed, **MIXTURE)
    assert sum(episode.total for episode in episodes) / 1240 == pytest.approx(-83, abs=2)
    assert sum(episode.info["success"] for episode in episodes) / 1240 > 0.32
    far = [e for e in episodes if distances()[tuple(e.info["start"])] >= 7]
    assert far
    assert all(e.num_actions > distances()[tuple(e.info["start"])] for e in far)
    seen = {
        (turn.text, action.text) for e in episodes for turn, action in zip(e.turns[::2], e.turns[1::2], strict=False)
    }
    assert len({pair for pair in seen if pair[0].startswith(GOAL_IS)}) == 25 * 4


@pytest.mark.parametrize("border", [1, 2])
def test_a_shortest_way_from_afar_is_played_again(border: int):
    # guides that are sure of all but the last moves would often make it
    played = demonstrations(1000, 0, observed="fully", guides=1.0, skill=1.0, border=border)
    lengths = [(distances()[tuple(episode.info["start"])], episode.num_actions) for episode in played]
    assert all(actions > distance for distance, actions in lengths if distance > border)
    assert (border, border) in lengths  # a near start gives nothing away
    assert any(actions == distance + 1 for distance, actions in lengths if distance > border)


@pytest.mark.parametrize("border", [4, 6])
def test_guides_know_the_way_down_to_the_border_and_nothing_beyond(border: int):
    places = {Maze(observed="fully").reset(0, {"start": [*cell]}): distances()[cell] for cell in STARTS}
    played = demonstrations(100, 0, observed="fully", guides=1.0, skill=1.0, border=border)
    said: dict[str, set[str]] = {}
    for episode in played:
        for turn, action in zip(episode.turns[:-1:2], episode.turns[1::2], strict=True):
            said.setdefault(turn.text, set()).add(action.text)
    assert {len(said[text]) for text, far in places.items() if far > border} == {1}
    assert {len(said[text]) for text, far in places.items() if far <= border} == {4}


def test_demonstrations_say_what_the_environment_says():
    for episode in demonstrations(20, 3, **MIXTURE):
        maze = Maze(observed="fully")
        assert maze.reset(episode.info["seed"]) == episode.turns[0].text
        for action, seen in zip(episode.turns[1::2], episode.turns[2::2], strict=True):
            step = maze.step(action.text)
            assert (step.reward, step.observation) == (action.reward, seen.text)
        assert (step.done, step.truncated) == (True, not episode.done)
        assert episode.info["success"] == (episode.turns[-1].text == "Success\n")


def test_demonstrations_repeat_per_seed():
    assert demonstrations(5, 7, **MIXTURE) == demonstrations(5, 7, **MIXTURE) != demonstrations(5, 8, **MIXTURE)


def lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def moved(state: str, action: str, reward: float, done: bool) -> dict[str, Any]:
    return {"state": state, "action": action, "reward": reward, "done": done}


def test_the_references_fully_observed_rows_become_episodes(tmp_path: Path):
    won = [
        moved("a\n", "move up\n", -1, False),
        moved("b\n", "jump\n", -4, False),
        moved("c\n", "move down\n", 0, True),
    ]
    (episode,) = read_reference(lines(tmp_path / "fo.jsonl", won))
    assert [turn.text for turn in episode.turns] == [
        "a\n",
        "move up\n",
        "b\n",
        "jump\n",
        "c\n",
        "move down\n",
        "Success\n",
    ]
    assert (episode.total, episode.done) == (-5.0, True)  # the last reward counts once
    assert episode.info == {"success": True, "invalid_actions": 1}


def test_the_clocks_end_in_the_references_rows_is_not_terminal(tmp_path: Path):
    late = [moved("a\n", "move up\n", -1, i == 100) for i in range(101)]
    (episode,) = read_reference(lines(tmp_path / "fo.jsonl", late))
    assert (episode.total, episode.done, episode.turns[-1].text) == (-101.0, False, "Failure\n")


def test_a_row_that_breaks_off_is_not_done_and_says_no_more(tmp_path: Path):
    (episode,) = read_reference(lines(tmp_path / "fo.jsonl", [moved("a\n", "move up\n", 0, False)]))
    assert [turn.text for turn in episode.turns] == ["a\n", "move up\n"]
    assert (episode.done, episode.info["success"]) == (False, False)


def test_the_references_partially_observed_rows_become_episodes(tmp_path: Path):
    row = {"text_history": ["a\n", "move up\n", "b\n", "move down\n"], "rewards": [0, -1, 0, 0], "dones": [0, 0, 0, 1]}
    (episode,) = read_reference(lines(tmp_path / "po.jsonl", row))
    assert [turn.text for turn in episode.turns] == ["a\n", "move up\n", "b\n", "move down\n", "Success\n"]
    assert [turn.reward for turn in episode.turns[1::2]] == [-1.0, 0.0]
    assert episode.done


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ([{"state": "a", "action": "b", "done": True}], "line 2: it has no 'reward'"),
        ([], "line 2: an episode needs at least one action"),
        ({"text_history": ["a"], "rewards": [0.0], "dones": [False]}, "line 2: text_history, rewards and dones need"),
        (7, "line 2: a row is a list of transitions"),
        ([moved("a\n", "move up\n", float("nan"), True)], "line 2: turn 2: reward nan"),
        ([moved("a\n", "move up\n", 0, "no")], "line 2: done = 'no': true or false"),  # type: ignore[arg-type]
        (
            {"text_history": ["a", "b"], "rewards": [-1, 0], "dones": [0, 1]},
            "line 2: turn 1: reward -1: an observation",
        ),
        ({"text_history": ["a", 5], "rewards": [0, 0], "dones": [0, 1]}, "line 2: turn 2: text 5"),
    ],
)
def test_a_broken_row_names_file_line_and_reason(tmp_path: Path, row: Any, said: str):
    path = lines(tmp_path / "fo.jsonl", [moved("a\n", "move up\n", -1, False)], row)
    with pytest.raises(ValueError, match=rf"fo\.jsonl, {said}"):
        list(read_reference(path))


def test_the_four_moves_are_legal_everywhere():
    assert list(Maze(observed="fully").legal_actions()) == ["move left\n", "move right\n", "move up\n", "move down\n"]
