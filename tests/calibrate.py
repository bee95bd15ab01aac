"""How strong `opponent: stockfish_nodes` is beside the published opponent, Stockfish at Elo 1350 and 100 ms a move.

    python -m tests.calibrate 400 4        # games, processes; about 40 minutes of one process' waiting in 4

They play each other from the usual start, each as White in every second game. The published engine's choice does not
depend on how busy the machine is: at this Elo it is made among four lines of depth 1, whatever is searched afterwards
(`Skill` in the engine's search.cpp), so processes may share a core.
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


def match(number: int, opposite: str = "stockfish") -> tuple[float, int]:
    """Points of `stockfish_nodes` in one game, and its half-moves."""
    ours, theirs = opponent_named("stockfish_nodes"), opponent_named(opposite)
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
