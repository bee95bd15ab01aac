"""How strong `opponent: stockfish_nodes` is beside the published opponent, Stockfish at Elo 1350 and 100 ms a move.

    python -m tests.calibrate 400 2        # games, processes

They play each other from the usual start, each as White in every second game. Give each process a core of its own, on
a machine that does nothing else: in 100 ms of half a core the published opponent is weaker by far. 400 games take 20
minutes on two cores.
"""

import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import chess
import numpy as np

from lmrl.scoring import of_data
from lmrl.tasks.opponents import ELO, LINES, NODES, TEMPERATURE, Player, opponent_named

POINTS = {"1-0": 1.0, "0-1": 0.0}


def match(number: int) -> tuple[float, int]:
    """Points of `stockfish_nodes` in one game, and its half-moves."""
    ours, theirs = opponent_named("stockfish_nodes"), opponent_named("stockfish")
    board, rng = chess.Board(), random.Random(number)
    white, black = (ours, theirs) if number % 2 else (theirs, ours)
    while not board.is_game_over() and board.ply() < 800:
        player: Player = white if board.turn else black
        board.push(player.move(board, rng))
    points = POINTS.get(board.result(), 0.5)
    return (points if number % 2 else 1 - points), board.ply()


def speed(name: str, moves: int) -> float:
    """Moves a second from positions of random games."""
    board, rng, player, spent = chess.Board(), random.Random(0), opponent_named(name), 0.0
    for _ in range(moves):
        began = time.perf_counter()
        player.move(board, rng)
        spent += time.perf_counter() - began
        board.push(opponent_named("random").move(board, rng))
        board = chess.Board() if board.is_game_over() else board
    return moves / spent


def main(games: int, processes: int) -> None:
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        played = list(pool.map(match, range(games)))
    points, plies = np.array(played).T
    figures = of_data([(won, 1, won == 1, 0) for won in points])
    ends = f"{figures['return_mean']:.3f} [{figures['return_mean_low']:.3f}, {figures['return_mean_high']:.3f}]"
    print(f"{NODES} nodes, {LINES} lines, temperature {TEMPERATURE:g} against Elo {ELO}: {ends} in {games} games")
    print(f"won {(points == 1).mean():.3f}, drawn {(points == 0.5).mean():.3f}, {plies.mean():.0f} half-moves a game")
    print(f"moves a second: {speed('stockfish_nodes', 500):.0f} against {speed('stockfish', 30):.1f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:] or ("400", "2")))
