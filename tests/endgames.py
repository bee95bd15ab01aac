"""The positions that Endgames is scored on.

    python -m tests.endgames > lmrl/tasks/positions/endgames.txt

Each of the piece sets is as likely as in training. A position is kept unless it is trivially won: unless Stockfish,
after 10 000 nodes from a clean table, announces a mate in under 15 moves (LMRL-Gym, "tricky" positions, leaves out what
its Stockfish wins in under 15). No seed draws one of them, see `lmrl.tasks.chess.Chess`.
"""

import random
from collections.abc import Iterator
from itertools import islice

from lmrl.tasks.chess import set_up
from lmrl.tasks.uci import MATE, Engine

PIECES = ("kQK", "kRK", "kQRK", "kRRK")
SIZE, SEED, UNDER = 645, 15, 15


def is_trivial(engine: Engine, fen: str) -> bool:
    _, lines = engine.ask(fen, "nodes 10000", fresh=True)
    return lines[0].score > MATE - UNDER


def tricky(seed: int) -> Iterator[str]:
    """Positions in the order in which they are found, each once."""
    engine, rng, seen = Engine({"Threads": 1, "Hash": 1}), random.Random(seed), set()
    while True:
        fen = set_up(PIECES, rng).fen()
        if fen not in seen and not is_trivial(engine, fen):
            seen.add(fen)
            yield fen


if __name__ == "__main__":
    for fen in islice(tricky(SEED), SIZE):
        print(fen)
