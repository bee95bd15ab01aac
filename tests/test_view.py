"""How much is seen at once."""

import numpy as np
import pytest

from lmrl.tokenizing import tokenize
from lmrl.trajectory import Trajectory, Turn
from lmrl.view import View
from tests.letters import CODEC, game


def test_the_text_seen_drops_to_half_when_it_would_hold_too_many_texts() -> None:
    corpus = tokenize([game(*[-1] * 7)], CODEC, View(6, 64, 8))
    # texts before the actions: 1, 3, 5 -> 7 is too many, so 3 remain, then 5, then again 3, 5
    assert corpus.lengths.tolist() == [7, 7, 7]
    trained = [int(n) for n in np.add.reduceat(corpus.flags & 2 > 0, corpus.start[:-1])]
    assert trained == [3, 2, 2]


def test_an_observation_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(ValueError, match="an observation of 12 tokens: .* has room for 4; it needs more positions"):
        tokenize([Trajectory((Turn("x" * 12, False), Turn("L\n", True)), True)], CODEC, View(None, 12, 8))
