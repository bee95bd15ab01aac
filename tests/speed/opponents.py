"""Black's moves in chess, on the clock on the wall, since the engine is another process."""

from functools import partial
from pathlib import Path

from tests.calibrate import speed
from tests.speed.measure import Effort, Figure, by_turns, ratio


def figures(effort: Effort, folder: Path) -> list[Figure]:
    work = {"stockfish_nodes": effort.of(500), "stockfish": effort.of(10)}
    found = by_turns({name: partial(speed, name, moves) for name, moves in work.items()}, effort.repetitions)
    faster = ratio(found["stockfish_nodes"], found["stockfish"])
    return [
        Figure("stockfish_nodes", "moves/s", found["stockfish_nodes"]),
        Figure("stockfish_nodes over stockfish", "times", faster, at_least=30),
    ]
