"""Many games of chess while somebody kills the engine at random, beside the same games left alone.

    python -m tests.soak 2000

Every game must be there, move for move and reward for reward as in the quiet run, and no engine may be left.
"""

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import psutil

from lmrl.rollout import Situation, rollout
from lmrl.task import Start
from lmrl.tasks.chess import Chess
from lmrl.trajectory import Trajectory, Turn

MOVES = 30
NAME = "stockfish"


class AnyLegal:
    """Any legal move, and now and then none."""

    def act(self, situations: Sequence[Situation]) -> list[Turn]:
        return [Turn(self._say(s), True) for s in situations]

    def _say(self, situation: Situation) -> str:
        rng = random.Random(f"{situation.seed} {len(situation.history)}")
        return "nonsense\n" if rng.random() < 0.05 else rng.choice(situation.legal_actions())


def play(games: int) -> list[Trajectory]:
    def env() -> Chess:
        return Chess(opponent="stockfish_nodes", pieces=None, max_moves=MOVES)

    starts = [Start(seed) for seed in range(games)]
    rounds = [rollout(env, AnyLegal(), starts[i : i + 100], max_turns=MOVES) for i in range(0, games, 100)]
    return [game for played in rounds for game in played]


def engines() -> list[psutil.Process]:
    """This process's engines that run."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # it ended meanwhile
            found += [child] if child.name() == NAME and child.status() != psutil.STATUS_ZOMBIE else []
    return found


@contextmanager
def killer(mean: float) -> Iterator[list[int]]:
    """Kill an engine every `mean` seconds or so; the list counts them."""
    rng, over, killed = random.Random(), threading.Event(), list[int]()

    def kill() -> None:
        while not over.wait(rng.expovariate(1 / mean)):
            for engine in engines():
                with suppress(ProcessLookupError):
                    os.kill(engine.pid, rng.choice([signal.SIGKILL, signal.SIGTERM]))
                    killed.append(engine.pid)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def soak(games: int, *, mean: float) -> int:
    """How often an engine was killed while nothing was lost. Raises AssertionError."""
    quiet, before = play(games), set(engines())  # the one that plays, and those of other tests in this process
    with killer(mean) as killed:
        played = play(games)
    assert played == quiet, "a game was lost or miscounted"
    until = time.monotonic() + 5  # one that was told to end may need a moment
    while len(left := set(engines()) - before) > 1 and time.monotonic() < until:
        time.sleep(0.05)
    assert len(left) <= 1, "an engine was left behind"
    return len(killed)


if __name__ == "__main__":
    began, games = time.monotonic(), int((sys.argv[1:] or ["2000"])[0])
    kills = soak(games, mean=2.0)
    print(f"{games} games as without the {kills} kills, in {time.monotonic() - began:.0f} s with the quiet run")
