"""Episodes that fit on a page: each turn is a letter, which is a token."""

import numpy as np

from lmrl.batches import TokenBatch, collate
from lmrl.codec import Codec, phrase_tokenizer
from lmrl.corpus import Corpus
from lmrl.trajectory import Trajectory, Turn
from lmrl.view import View

CODEC = Codec(phrase_tokenizer(["S\n", "L\n", "E\n", "guess\n"]))
S, L, E = (CODEC.encode(text)[0] for text in ("S\n", "L\n", "E\n"))
WIDE = View(None, 64, 8)
LATEST = View(1, 64, 8)


def game(*rewards: float, done: bool = True) -> Trajectory:
    turns = [Turn("S\n", False)]
    for reward in rewards:
        turns += [Turn("L\n", True, reward), Turn("S\n", False)]
    return Trajectory((*turns[:-1], Turn("E\n", False)), done, {"success": done})


def whole(corpus: Corpus, *, trail: bool = True) -> TokenBatch:
    return collate(corpus, np.arange(len(corpus)), trail=trail, ahead=True)
