"""Environments and a policy in lockstep. Batches only: a single game is a batch of one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tqdm import tqdm

from lmrl.dialogue import answered
from lmrl.task import Start, Step, Task, TextEnv
from lmrl.trajectory import History, Trajectory, Turn


@dataclass(frozen=True, slots=True)
class Situation:
    """What a policy is asked to answer."""

    history: History
    """observation, action, observation, …; ends with an observation."""
    seed: int
    """The episode's: whoever answers by chance draws from it, so that an episode does not depend on its batch."""
    legal_actions: Callable[[], Sequence[str]]
    """What could be said now and be valid; empty where it cannot be listed."""


class Policy(Protocol):
    """A player. One action turn per situation; it may cache, but what it answers depends on the situation alone."""

    def act(self, situations: Sequence[Situation]) -> list[Turn]: ...


class _Episode:
    """One game in progress."""

    def __init__(self, env: TextEnv, start: Start) -> None:
        self.env, self.start = env, start
        self.history: History = (Turn(env.reset(start.seed, start.options), False),)
        self.info: dict[str, Any] = {"seed": start.seed, "success": False, "invalid_actions": 0}
        self.over = self.terminal = False

    def situation(self) -> Situation:
        return Situation(self.history, self.start.seed, self.env.legal_actions)

    def play(self, action: Turn, step: Step) -> None:
        self.history += (Turn(action.text, True, step.reward, action.tokens), Turn(step.observation, False))
        self.over, self.terminal = step.done, step.done and not step.truncated
        if step.info:
            self.info |= step.info
            self.info["invalid_actions"] += self.info.pop("invalid_action", False)
            if "understood" in step.info:
                self.info["not_understood"] = self.info.get("not_understood", 0) + (not self.info.pop("understood"))

    def trajectory(self) -> Trajectory:
        return Trajectory(self.history, self.terminal, self.info)


def rollout(
    make_env: Callable[[], TextEnv],
    policy: Policy,
    starts: Sequence[Start],
    *,
    max_turns: int,
    on_turn: Callable[[int], None] = lambda live: None,
) -> list[Trajectory]:
    """Play one episode per start, all in lockstep. An episode does not depend on the batch it is in.

    `on_turn` hears, before each turn, how many games still run: progress bars, and a way to stop by raising.
    """
    episodes = [_Episode(make_env(), start) for start in starts]
    live = episodes
    for _ in range(max_turns):
        on_turn(len(live))
        actions = policy.act([episode.situation() for episode in live])
        steps = answered([episode.env for episode in live], [action.text for action in actions])
        for episode, action, step in zip(live, actions, steps, strict=True):
            episode.play(action, step)
        live = [episode for episode in live if not episode.over]
        if not live:
            break
    return [episode.trajectory() for episode in episodes]


def play(
    task: Task,
    policy: Policy,
    starts: Sequence[Start],
    *,
    label: str,
    at_once: int = 256,
    on_turn: Callable[[int], None] = lambda live: None,
) -> list[Trajectory]:
    """Play a task's episodes, `at_once` of them in lockstep, behind a progress bar."""
    played: list[Trajectory] = []
    with tqdm(total=len(starts), desc=label, unit="game", leave=False, disable=None) as bar:
        for first in range(0, len(starts), at_once):
            chunk = starts[first : first + at_once]

            def show(live: int, ended: int = first + len(chunk)) -> None:
                bar.update(ended - live - bar.n)
                on_turn(live)

            played += rollout(task.env, policy, chunk, max_turns=task.max_turns, on_turn=show)
    return played


class Speaker(Protocol):
    """A scripted player of one episode."""

    def say(self, told: str) -> str:
        """Its next utterance, with the newline, to what it was told last."""


def converse(make_env: Callable[[], TextEnv], speaker: Speaker, start: Start, *, max_turns: int) -> Trajectory:
    """One episode between a scripted player and an environment."""
    return rollout(make_env, _Seat(speaker), [start], max_turns=max_turns)[0]


@dataclass(frozen=True)
class _Seat:
    speaker: Speaker

    def act(self, situations: Sequence[Situation]) -> list[Turn]:
        return [Turn(self.speaker.say(s.history[-1].text), True) for s in situations]
