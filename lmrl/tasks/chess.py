r"""Chess against Stockfish, whole games and endgames. The agent is White; it is told the position and says its move.

    8 / 8 / 8 / 5 k 2 / 8 / 3 Q 4 / 8 / K 7   w   -   -   0   1
    Q d 5 +

A position is FEN and a move SAN (Edwards 1994, PGN standard), each character followed by a blank. An illegal move pays
-1, changes nothing and is answered by the same position; the game goes on. Mating pays 1, being mated -1, all else 0.
A game ends by mate, stalemate, dead position, 75 moves or the fifth repetition, which are terminal, or as a truncation
by the clock, after `max_moves` actions.

Rules and texts are those of LMRL-Gym (abdulhaim/LMRL-Gym at 911d726). Departures, with the reference's file and line:

- `chess/env/env.py:237` against `chess/bc/train_*:112-115`: what was seen in play lacked the newline that training's
  texts ended with. Here an observation always ends in one.
- `chess/env/env.py:211,239`: the clock ended a game of at most 400 actions with the 401st. Here the 400th is the last.
- `chess/env/env.py:138`: whatever went wrong with the engine became a reward of -1. Here the question is put again.
- `chess/env/env.py:54`: an Elo that no engine has (`lmrl/tasks/opponents.py`).
- `chess/ilql`, `mc_returns`: a game's last move was counted twice, and the data's texts were read as they came.
  `read_reference` gives every move once, spaced like what is played.
"""

import random
from collections.abc import Container, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import chess

from lmrl.kinds import Count, Positive, Share
from lmrl.task import Step
from lmrl.tasks.chess_text import bare, spaced, unspaced
from lmrl.tasks.opponents import Boltzmann, Capturer, Name, Player, Uniform, opponent_named
from lmrl.trajectory import Trajectory, Turn, checked, read_records

ENDGAMES = Path(__file__).parent / "positions" / "endgames.txt"
"""The positions that Endgames is scored on, one FEN a line; made by `tests/endgames.py`."""
PLACINGS = 10_000
"""Tries after which a set of pieces is one of which no game can be set up."""
FLAT_GAME = 200
"""Moves after which the reference's flat files begin another game."""


def position(fen: Any) -> chess.Board:
    """The board of a FEN. Raises ValueError with the reason, unless White is to move in a game that goes on."""
    try:
        board = chess.Board(fen) if isinstance(fen, str) else None
        fault = _fault(board) if board else "a text is needed"
    except ValueError as error:
        fault = str(error)[:100]  # it quotes the whole text
    if fault or board is None:
        raise ValueError(f"options.fen = {str(fen)[:100]!r}: {fault}; needs FEN of a legal position, White to move")
    return board


def _fault(board: chess.Board) -> str:
    if not board.is_valid():
        return f"cannot arise in a game ({board.status().name})"
    if board.turn == chess.BLACK:
        return "Black is to move"
    return "the game is over" if board.is_game_over() else ""


class Chess:
    r"""One game after another.

    >>> game = Chess(opponent="random", pieces=None, max_moves=400)
    >>> game.reset(seed=0, options={"fen": "7k/8/6K1/8/8/8/8/R7 w - - 0 1"})
    '7 k / 8 / 6 K 1 / 8 / 8 / 8 / 8 / R 7   w   -   -   0   1\n'
    >>> game.step("R b 2\n").info
    {'invalid_action': True}
    >>> game.step("R a 8 #\n").reward
    1.0
    """

    def __init__(self, *, opponent: Name, pieces: tuple[str, ...] | None, max_moves: Count) -> None:
        """`pieces`: sets such as "kQK" of which the seed places one at random; None: games from the usual start."""
        self._opponent, self._pieces, self._max_moves = opponent_named(opponent), _checked_sets(pieces), max_moves
        self._board, self._rng, self._moves_left = chess.Board(), random.Random(), 0

    def reset(self, seed: int, options: Mapping[str, Any] | None = None) -> str:
        """Set up the pieces, as in options {"fen": "8/8/…"} or as the seed has it, which also rolls Black's dice."""
        for key in (options or {}).keys() - {"fen"}:
            raise ValueError(f"options.{key} = {(options or {})[key]!r}: a game takes only 'fen'")
        rng = random.Random(seed)
        self._board = position(options["fen"]) if options else self._drawn(rng)
        self._rng, self._moves_left = rng, self._max_moves
        return self._seen()

    def step(self, action: str) -> Step:
        """Make White's move and Black's answer. Raises EngineError without an engine; the step may be repeated then."""
        if not self._moves_left:
            raise RuntimeError("no game is running: call reset before the first move and after the last")
        move = _legal(self._board, action)
        if move:
            self._make(move)
        self._moves_left -= 1
        paid, info = (0.0, {}) if move else (-1.0, {"invalid_action": True})
        outcome = self._board.outcome()
        if outcome is None and self._moves_left:
            return Step(self._seen(), paid, info=info)
        return self._last(outcome, paid, info)

    def legal_actions(self) -> Sequence[str]:
        """Every legal move of a game that runs."""
        return [spaced(self._board.san(move)) for move in self._board.legal_moves] if self._moves_left else []

    def play(self, player: Player, rng: random.Random) -> str:
        """What a player of ours would say now."""
        return spaced(self._board.san(player.move(self._board, rng)))

    def _drawn(self, rng: random.Random) -> chess.Board:
        return set_up(self._pieces, rng, but=scored_positions() if self._pieces else ())

    def _make(self, move: chess.Move) -> None:
        self._board.push(move)
        try:
            if not self._board.is_game_over():
                self._board.push(self._opponent.move(self._board, self._rng))
        except BaseException:
            self._board.pop()
            raise

    def _last(self, outcome: chess.Outcome | None, paid: float, info: dict[str, Any]) -> Step:
        self._moves_left = 0
        winner = outcome.winner if outcome else None
        paid += {chess.WHITE: 1.0, chess.BLACK: -1.0, None: 0.0}[winner]
        info |= {"success": winner is chess.WHITE, "result": outcome.result() if outcome else "*"}
        return Step(self._seen(), paid, done=True, truncated=outcome is None, info=info)

    def _seen(self) -> str:
        return spaced(self._board.fen())


def _legal(board: chess.Board, action: str) -> chess.Move | None:
    """The move that was said, if it is one; a null move is false as well."""
    try:
        return board.parse_san(bare(action))
    except ValueError:
        return None


def _checked_sets(pieces: Sequence[str] | None) -> tuple[str, ...] | None:
    for one in pieces or ():
        if one.count("k") != 1 or one.count("K") != 1 or set(one) - set("kKQRBNqrbn"):
            raise ValueError(f"pieces: {one!r} needs one king of each colour, and pieces from QRBN or qrbn")
    return tuple(pieces) if pieces else None


def set_up(pieces: Sequence[str] | None, rng: random.Random, *, but: Container[str] = ()) -> chess.Board:
    """The usual start; or one of the sets, on squares drawn until White may move and the FEN is none of `but`."""
    if pieces is None:
        return chess.Board()
    one = rng.choice(pieces)
    for _ in range(PLACINGS):
        board = chess.Board(None)
        for piece, square in zip(one, rng.sample(chess.SQUARES, len(one)), strict=True):
            board.set_piece_at(square, chess.Piece.from_symbol(piece))
        if not _fault(board) and not board.is_check() and board.fen() not in but:
            return board
    raise ValueError(f"pieces: {one!r} gives White a game to play in none of {PLACINGS} placings")


@cache
def scored_positions() -> dict[str, None]:
    """The FENs that Endgames is scored on, which no seed draws, in the order of `ENDGAMES`."""
    return dict.fromkeys(ENDGAMES.read_text(encoding="ascii").splitlines())


def starts() -> list[dict[str, str]]:
    """The options of the published protocol of Endgames: each of its positions once."""
    return [{"fen": fen} for fen in scored_positions()]


def facts(*, opponent: Name) -> dict[str, str]:
    """What a run records of its opponent, and a checkpoint must find again: the engine and its effective settings."""
    return {"opponent": opponent_named(opponent).describe()}


def demonstrations(
    episodes: int,
    seed: int,
    *,
    opponent: Name,
    pieces: tuple[str, ...] | None,
    max_moves: Count,
    nodes: Count,
    temperature: Positive,
    blunders: tuple[Share, ...],
) -> Iterator[Trajectory]:
    """White is Stockfish too, of mixed strength: in each game one of the shares of `blunders` of its moves is any move.

    Against the opponent `random`, which works without an engine, White takes what it can.
    """
    if not blunders:
        raise ValueError("blunders = []: a share for at least one strength of White's, such as 0")
    rng, game = random.Random(seed), Chess(opponent=opponent, pieces=pieces, max_moves=max_moves)
    white = Capturer() if opponent == "random" else Boltzmann(nodes=nodes, temperature=temperature)
    for _ in range(episodes):
        yield _played(game, white, rng, rng.choice(blunders))


def _played(game: Chess, white: Player, rng: random.Random, blunders: float) -> Trajectory:
    seed, anyone = rng.getrandbits(32), Uniform()
    turns, step = [Turn(game.reset(seed), False)], Step("")
    while not step.done:
        action = game.play(anyone if rng.random() < blunders else white, rng)
        step = game.step(action)
        turns += Turn(action, True, step.reward), Turn(step.observation, False)
    info = {"seed": seed, "blunders": blunders, "invalid_actions": 0, **step.info}
    return Trajectory(tuple(turns), not step.truncated, info)


def read_reference(path: Path) -> Iterator[Trajectory]:
    """Read the reference's games: a list of transitions a line, or a transition a line, with or without rewards.

    Raises ValueError naming the file, the line and the reason.
    """
    game: list[Turn] = []
    for moves, ends in read_records(path, _reference_moves):
        game += moves.turns[:-1]
        if ends or len(game) >= 2 * FLAT_GAME:
            yield _reference_game(game, moves.done)
            game.clear()
    if game:  # the file ends in the middle of a game
        yield _reference_game(game, done=False)


def _reference_moves(row: Any) -> tuple[Trajectory, bool]:
    """The moves of a line, and whether a game ends with them."""
    turns, done = list[Turn](), True
    for move in row if isinstance(row, list) else [row]:
        match move:
            case {"from_state": str(fen), "action": str(said)} | {"state": str(fen), "action": str(said)}:
                paid, done = float(move.get("reward", 0.0)), bool(move.get("done", True))
                turns += Turn(spaced(unspaced(fen)), False), Turn(spaced(bare(said)), True, paid)
            case _:
                raise ValueError(f"a move is an object with state or from_state, action, reward and done, not {move!r}")
    return checked(Trajectory((*turns, Turn("", False)), done)), done or isinstance(row, list)


def _reference_game(turns: list[Turn], done: bool) -> Trajectory:
    """What was seen last is not in the files."""
    illegal = sum(here.text == after.text for here, after in zip(turns[:-2:2], turns[2::2], strict=True))
    info = {"success": turns[-1].reward == 1, "invalid_actions": illegal}
    return Trajectory((*turns, Turn("", False)), done, info)
