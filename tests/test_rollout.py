"""The loop, with a scripted player whose every choice hangs on its situation alone."""

import random
from collections.abc import Sequence
from functools import partial

import pytest

from lmrl.rollout import Situation, rollout
from lmrl.task import Start
from lmrl.tasks.maze import Maze, starts
from lmrl.tasks.wordle import Wordle
from lmrl.trajectory import Trajectory, Turn

MAZE = partial(Maze, observed="fully")
WORDLE = partial(Wordle, words=None, rules="lmrl", bad_word_reward=-1.0)


class Wanderer:
    """Says a legal action that the episode's seed and the number of texts so far draw, or now and then nonsense."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def act(self, situations: Sequence[Situation]) -> list[Turn]:
        self.batches.append(len(situations))
        return [self._turn(situation) for situation in situations]

    def _turn(self, situation: Situation) -> Turn:
        rng = random.Random(f"{situation.seed} {len(situation.history)}")
        text = rng.choice([*situation.legal_actions(), "nonsense\n"])
        return Turn(text, True, tokens=tuple(text.encode()))


class Down:
    def act(self, situations: Sequence[Situation]) -> list[Turn]:
        return [Turn("move down\n", True) for _ in situations]


@pytest.mark.parametrize(("env", "max_turns"), [(MAZE, 101), (WORDLE, 6)])
def test_an_episode_does_not_depend_on_the_batch_it_is_in(env: partial[Maze] | partial[Wordle], max_turns: int):
    begun = [Start(seed) for seed in range(8)]
    together = rollout(env, Wanderer(), begun, max_turns=max_turns)
    alone = [rollout(env, Wanderer(), [start], max_turns=max_turns)[0] for start in begun]
    assert together == alone
    assert rollout(env, Wanderer(), begun[::-1], max_turns=max_turns) == together[::-1]


def test_an_episode_is_recorded_turn_by_turn():
    (episode,) = rollout(MAZE, Down(), [Start(4, {"start": [6, 6]})], max_turns=101)
    at = "The goal is at position 8, 6. Your current position is at position {}, 6. "
    at += "There are walls to your right, to your left.\n"
    assert episode == Trajectory(
        (
            Turn(at.format(6), False),
            Turn("move down\n", True, -1.0),
            Turn(at.format(7), False),
            Turn("move down\n", True, 0.0),
            Turn("Success\n", False),
        ),
        True,
        {"seed": 4, "success": True, "invalid_actions": 0},
    )


def test_sampled_tokens_stay_with_their_turn():
    (episode,) = rollout(WORDLE, Wanderer(), [Start(0)], max_turns=6)
    assert all(turn.tokens == (tuple(turn.text.encode()) if turn.is_action else None) for turn in episode.turns)


def test_invalid_actions_are_counted_and_the_hidden_word_is_kept():
    class Mute:
        def act(self, situations: Sequence[Situation]) -> list[Turn]:
            return [Turn("\n", True) for _ in situations]

    (episode,) = rollout(WORDLE, Mute(), [Start(0, {"word": "about"})], max_turns=6)
    assert episode.info == {"seed": 0, "success": False, "invalid_actions": 6, "word": "about"}


def test_an_episode_cut_by_a_clock_is_not_done():
    late, stopped = (rollout(MAZE, Down(), [Start(0, {"start": [1, 1]})], max_turns=n)[0] for n in (101, 5))
    assert (late.turns[-1].text, late.done, late.num_actions, late.total) == ("Failure\n", False, 101, -101.0)
    assert (stopped.done, stopped.num_actions, stopped.info["success"]) == (False, 5, False)


def test_finished_games_leave_the_batch_and_the_listener_hears_how_many_run():
    heard: list[int] = []
    player = Wanderer()
    begun = [Start(i, options) for i, options in enumerate(starts())]
    played = rollout(MAZE, player, begun, max_turns=101, on_turn=heard.append)
    assert heard == player.batches
    assert heard == [sum(episode.num_actions > turn for episode in played) for turn in range(len(heard))]
    assert heard[0] == 25 > heard[-1]


def test_a_listener_may_stop_the_play_by_raising():
    def stop(live: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rollout(MAZE, Down(), [Start(0)], max_turns=101, on_turn=stop)


def test_no_start_gives_no_episode():
    assert rollout(MAZE, Down(), [], max_turns=101) == []
