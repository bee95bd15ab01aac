"""Who plays Black in Chess and Endgames.

`stockfish` is the published opponent: Stockfish at 100 ms a move, asked for Elo 1200, which no version so old or new
has: its range begins at 1350, and a lower wish is ignored. It is neither repeatable nor fast.

`stockfish_nodes` stands in for it. A search of a fixed number of nodes, from a clean table, gives up to four lines, of
which the episode's own dice pick one: the same seed gives the same game, on a busy machine too. The temperature of the
dice is calibrated: of 400 games against the published opponent it scored 0.511 [0.463, 0.559] (`tests/calibrate.py`,
Stockfish 15.1, a core for each process), and it makes 78 times as many moves a second.
"""

import math
import random
from collections.abc import Callable, Iterable
from functools import cache
from typing import Literal, Protocol

import chess

from lmrl.tasks.uci import Engine, Line

Name = Literal["stockfish_nodes", "stockfish", "random"]
ELO = 1350
"""The lowest that Stockfish 15.1 knows, and what "1200" has been in effect."""
NODES, LINES = 200, 4
TEMPERATURE = 53.0
"""Centipawns; see `Boltzmann`."""


class Player(Protocol):
    """Somebody who plays chess."""

    def move(self, board: chess.Board, rng: random.Random) -> chess.Move:
        """Answer a position in which it is to move and the game is not over. Raises EngineError."""

    def describe(self) -> str:
        """Who it is, in full: with another description, other games. Raises EngineError."""


class Uniform:
    """Any legal move."""

    def move(self, board: chess.Board, rng: random.Random) -> chess.Move:
        return _one_of(board.legal_moves, rng)

    def describe(self) -> str:
        return "any legal move"


class Capturer:
    """Mates at once if it can, else takes the most valuable piece that it can, else makes any move."""

    def move(self, board: chess.Board, rng: random.Random) -> chess.Move:
        worth = {move: _gain(board, move) for move in board.legal_moves}
        most = max(worth.values())
        return _one_of((move for move in worth if worth[move] == most), rng)

    def describe(self) -> str:
        return "mates, else takes the most, else any legal move"


def _gain(board: chess.Board, move: chess.Move) -> int:
    board.push(move)
    mates = board.is_checkmate()
    board.pop()
    return 10 if mates else board.piece_type_at(move.to_square) or 0


def _one_of(moves: Iterable[chess.Move], rng: random.Random) -> chess.Move:
    choices = sorted(moves, key=chess.Move.uci)
    return choices[int(len(choices) * rng.random())]


class Published:
    """Stockfish held to an Elo, for so many milliseconds a move: LMRL-Gym's opponent."""

    def __init__(self, *, milliseconds: int = 100) -> None:
        self._engine = Engine({"Threads": 1, "UCI_LimitStrength": "true", "UCI_Elo": ELO})
        self._go = f"movetime {milliseconds}"

    def move(self, board: chess.Board, rng: random.Random) -> chess.Move:
        return chess.Move.from_uci(self._engine.ask(board.fen(), self._go)[0])

    def describe(self) -> str:
        return f"{self._engine.name()}, Elo {ELO} (1200 is below its range), {self._go} ms"


class Boltzmann:
    """Stockfish for so many nodes; of its best lines one is picked with probability ~ exp(centipawns / temperature)."""

    def __init__(self, *, nodes: int, temperature: float) -> None:
        self._engine, self._go, self._temperature = _searcher(), f"nodes {nodes}", temperature

    def move(self, board: chess.Board, rng: random.Random) -> chess.Move:
        best, lines = self._engine.ask(board.fen(), self._go, fresh=True)
        return chess.Move.from_uci(_pick(lines or [Line(best, 0)], rng, self._temperature))

    def describe(self) -> str:
        return f"{self._engine.name()}, {self._go}, one of {LINES} lines at {self._temperature:g} centipawns"


@cache
def _searcher() -> Engine:
    """One engine in a process serves any number of players and games, since each question is asked afresh."""
    return Engine({"Threads": 1, "Hash": 1, "MultiPV": LINES})


def _pick(lines: list[Line], rng: random.Random, temperature: float) -> str:
    top = max(line.score for line in lines)  # an unfinished depth may leave the first line behind
    weights = [math.exp((line.score - top) / temperature) for line in lines]
    return rng.choices(lines, weights)[0].move


@cache
def opponent_named(name: str) -> Player:
    """The opponent of that name: one in a process. Raises ValueError for any other name."""
    players: dict[str, Callable[[], Player]] = {
        "stockfish_nodes": lambda: Boltzmann(nodes=NODES, temperature=TEMPERATURE),
        "stockfish": Published,
        "random": Uniform,
    }
    if name not in players:
        raise ValueError(f"opponent = {name!r}: {', '.join(map(repr, players))} play Black")
    return players[name]()
