"""Exact tabular estimates on maze data: what a perfect learner with the same data, and no network, would score.

    python -m tests.tabular

An oracle for the learning tests. States are the last text, so it needs the fully observed maze. As in the losses that
it stands for, Monte-Carlo counts every action, the one that the clock answered included; for implicit Q-learning the
cut is no transition.
"""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lmrl.task import Task, TextEnv
from lmrl.trajectory import Trajectory

Table = dict[str, dict[str, float]]
"""The value of each action that the data has, by state."""


class Move(NamedTuple):
    """One transition."""

    state: str
    action: str
    reward: float
    next_state: str | None
    """None after the last action."""


def moves(episode: Trajectory) -> Iterator[Move]:
    texts = [turn.text for turn in episode.turns]
    actions = episode.turns[1::2]
    for i, turn in enumerate(actions):
        yield Move(texts[2 * i], turn.text, turn.reward, None if i == len(actions) - 1 else texts[2 * i + 2])


def monte_carlo(episodes: Iterable[Trajectory], *, gamma: float) -> Table:
    """The mean reward-to-go of every action in every state, discounted by `gamma` per action."""
    seen: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for episode in episodes:
        to_go = 0.0
        for move in reversed(list(moves(episode))):
            to_go = move.reward + gamma * to_go
            seen[move.state][move.action].append(to_go)
    return {state: {action: sum(g) / len(g) for action, g in row.items()} for state, row in seen.items()}


def expectile(values: Sequence[float], counts: Sequence[int], tau: float) -> float:
    """The v that solves sum of count * |tau - (value < v)| * (value - v) = 0, by fixed point."""
    v = min(values)
    for _ in range(len(values) + 1):  # v only rises, and each round it passes a value or has arrived
        weights = [n * (tau if value > v else 1 - tau) for value, n in zip(values, counts, strict=True)]
        v = sum(w * value for w, value in zip(weights, values, strict=True)) / sum(weights)
    return v


def implicit_q(episodes: Iterable[Trajectory], *, gamma: float, tau: float, backups: int) -> Table:
    """Q = mean of r + gamma * V(next), V = expectile over the data's actions; the horizon's cut is no transition."""
    seen: dict[str, dict[str, list[Move]]] = defaultdict(lambda: defaultdict(list))
    for episode in episodes:
        for move in moves(episode):
            if move.next_state is not None or episode.done:
                seen[move.state][move.action].append(move)
    outcomes = {state: {a: _outcomes(found) for a, found in row.items()} for state, row in seen.items()}
    v: dict[str, float] = defaultdict(float)
    q: Table = {}
    for _ in range(backups):
        q = {s: {a: _backed_up(o, v, gamma) for a, o in row.items()} for s, row in outcomes.items()}
        v = defaultdict(float, {s: _value(row, seen[s], tau) for s, row in q.items()})
    return q


Outcomes = Mapping[tuple[float, str | None], float]
"""The share of each (reward, next state)."""


def _outcomes(found: Sequence[Move]) -> Outcomes:
    shares: dict[tuple[float, str | None], float] = defaultdict(float)
    for move in found:
        shares[move.reward, move.next_state] += 1 / len(found)
    return shares


def _backed_up(outcomes: Outcomes, v: Mapping[str, float], gamma: float) -> float:
    return sum(p * (r + gamma * (0.0 if s is None else v[s])) for (r, s), p in outcomes.items())


def _value(row: Mapping[str, float], seen: Mapping[str, Sequence[Move]], tau: float) -> float:
    return expectile(list(row.values()), [len(seen[action]) for action in row], tau)


def greedy_return(table: Table, env: TextEnv, starts: Iterable[Mapping[str, Any]]) -> float:
    """The mean return over the starts of always taking the best known action, played in the environment."""
    returns = [_played(table, env, start) for start in starts]
    return sum(returns) / len(returns)


def _played(table: Table, env: TextEnv, start: Mapping[str, Any]) -> float:
    state, total = env.reset(0, start), 0.0
    while True:
        step = env.step(max(table[state], key=lambda action: table[state][action]))
        state, total = step.observation, total + step.reward
        if step.done:
            return total


def maze_task(cache: Path) -> Task:
    """The shipped task."""
    from hydra.utils import instantiate
    from omegaconf import OmegaConf

    from lmrl.config import conf_dir

    config = {"task": OmegaConf.load(conf_dir() / "task" / "maze.yaml"), "cache": str(cache), "workers": 1}
    task: Task = instantiate(OmegaConf.create(config).task, _convert_="all")
    return task


def main(cache: Path) -> None:
    """Print both estimates' greedy returns on the shipped data at several discounts."""
    task = maze_task(cache)
    episodes, starts = list(task.data.dataset()), task.starts() if task.starts else []
    estimates: dict[str, Callable[[float], Table]] = {
        "Monte-Carlo": lambda gamma: monte_carlo(episodes, gamma=gamma),
        "ILQL tau 0.7": lambda gamma: implicit_q(episodes, gamma=gamma, tau=0.7, backups=200),
        "ILQL tau 0.9": lambda gamma: implicit_q(episodes, gamma=gamma, tau=0.9, backups=200),
    }
    print(f"{'':<14}{'gamma':>7}{'return':>9}{'score':>8}")
    for name, estimate in estimates.items():
        for gamma in (0.9, 0.95, 0.97, 0.99, 1.0):
            raw = greedy_return(estimate(gamma), task.env(), starts)
            print(f"{name:<14}{gamma:>7}{raw:>9.2f}{task.score(raw):>8.1f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("outputs/data"))
