"""Chess as text: how a position and a move are said, what a model reads of them, and what a person sees."""

import re
from collections.abc import Sequence
from itertools import combinations, permutations, product

import chess

from lmrl.codec import Spelling

EMPTY = "\ue000"
"""An empty square, for a model that reads them one by one: a sign that no text has."""
SIDES = {"w": "\ue001", "b": "\ue002"}
"""Who is to move, for a model: likewise."""
FEW = 5
"""So many pieces make no more than some thousands of ranks."""


def spaced(text: str) -> str:
    r"""A FEN or a move as it is said.

    >>> spaced("Nf3"), spaced("8/8/8/5k2/8/3Q4/8/K7 w - - 0 1")[-18:]
    ('N f 3\n', 'w   -   -   0   1\n')
    """
    return " ".join(text) + "\n"


def unspaced(text: str) -> str:
    """The FEN of a text, whether it was spaced out or not."""
    return " ".join(field.replace(" ", "") for field in text.strip().split("   ")) if "   " in text else text.strip()


def bare(action: str) -> str:
    """The SAN of a text, likewise."""
    return action.replace(" ", "").strip()


def picture(text: str) -> str:
    """An observation as a person sees it: the board from White's side, with the move's number."""
    board = chess.Board(unspaced(text))
    ranks = zip("87654321", board.unicode(empty_square="·").splitlines(), strict=True)
    return "".join(f"{rank} {row}\n" for rank, row in ranks) + f"  a b c d e f g h   move {board.fullmove_number}\n"


def phrases(pieces: Sequence[str] | None = None) -> list[str]:
    """Texts worth a token each: two squares of a position, a FEN's fields, a move's parts.

    With empty squares read one by one, a place on the board is a place in the sequence, and need not be counted out;
    where each set of `pieces` is few, so it is with a token for each rank. A move is its piece, its file and its rank
    with what follows: one token a square would be learnt square by square.
    """
    squares = [f"{file} {rank}" for file in "abcdefgh" for rank in "12345678"]
    pairs = [f"{one} {two} {end}" for end in ("", "/ ") for one, two in product(f"KQRBNPkqrbnp{EMPTY}", repeat=2)]
    board = _ranks(pieces) if pieces and _few(pieces) else pairs
    castling = ["".join(kept) or "-" for n in range(5) for kept in combinations("KQkq", n)]
    fields = [f"{sign}   {' '.join(rights)}   " for sign in SIDES.values() for rights in castling]
    clocks = [f"-   {' '.join(str(n))}   " for n in range(151)] + [f"{square}   0   " for square in squares]
    numbers = [spaced(str(n)) for n in range(1, 401)]
    promotions = [f"8 = {piece}" for piece in "QRBN"]
    ends = [f"{end}{check}\n" for end in ["O - O", "O - O - O", *"12345678", *promotions] for check in ("", " +", " #")]
    parts = ["x ", "/ ", *(f"{part} " for part in "KQRBNPkqrnpabcdefgh12345678")]
    return list(dict.fromkeys([*board, *fields, *clocks, *numbers, *parts, *ends]))


def _few(pieces: Sequence[str]) -> bool:
    return max(map(len, pieces)) <= FEW


def _ranks(pieces: Sequence[str]) -> list[str]:
    """Every rank with at most three of the pieces, "5 k 2 / "."""
    orders = sorted({order for n in range(4) for those in pieces for order in permutations(those, n)})
    rows = [dict(zip(files, order, strict=True)) for order in orders for files in combinations(range(8), len(order))]
    signs = ("".join(row.get(file, EMPTY) for file in range(8)) for row in rows)
    return [" ".join(re.sub(f"{EMPTY}+", lambda run: str(len(run[0])), rank)) + " / " for rank in signs]


def spelling(pieces: Sequence[str] | None = None) -> list[Spelling]:
    """How a position is read: its last rank ends as the others do; of many pieces, with a sign per empty square.

    The digits of a move and of a clock stay.
    """
    empty = [Spelling(f"{n} ", f"{EMPTY} " * n, r"[^\n]*  [wb]   ") for n in range(8, 0, -1)]
    return [
        *([] if pieces and _few(pieces) else empty),
        *(Spelling(f"  {side}   ", f"/ {sign}   ", "") for side, sign in SIDES.items()),
    ]
