"""Windows to tensors: the only place that aligns tokens with what is learnt about them.

Shapes: B windows, T tokens, S = T - 1 predictions, N action tokens of the batch in time order.
Position s predicts token s + 1, so whatever ends in _BS is about the token that is being predicted:

    text        "guess\\n"   "5\\n"      "higher\\n"        the agent said "5\\n" and was paid -1
    ids_BT       g  ↵       5  ↵       h  i  ↵
    action_BS       .       1  1       .  .  .           the agent chose the next token
    reward_BS       0       0 -1       0  0  0           on an action's last token
    last_BS         .       .  1       .  .  .           the action ends here
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lmrl.corpus import ACTION, FRESH, GOES_ON, LAST, Corpus


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Windows of tokens, padded on the right. See the picture at the top of this file."""

    ids_BT: Tensor
    length_B: Tensor
    action_BS: Tensor
    last_BS: Tensor
    fresh_BS: Tensor
    reward_BS: Tensor
    end_B: Tensor
    """TERMINAL, CUT or GOES_ON."""
    next_BT: Tensor | None = None
    """Of a window that goes on: what is seen before the next action, which is the state that a TD target looks at."""
    next_length_B: Tensor | None = None
    notes: Mapping[str, Tensor] = field(default_factory=dict)
    """What `Algorithm.annotate` fixed before the first gradient: name -> x_N."""
    beside: "TokenBatch | None" = None
    """A second batch, from the offline episodes, for losses that mix both."""

    def at_actions(self, x_BS: Tensor) -> Tensor:
        """x_BS (or x_BSD) at the N action tokens: x_N (or x_ND)."""
        return x_BS[self.action_BS]

    @property
    def action_N(self) -> Tensor:
        """The ids that were chosen."""
        return self.at_actions(self.ids_BT[:, 1:])

    @property
    def row_N(self) -> Tensor:
        """The window of each action token."""
        return self.action_BS.nonzero()[:, 0]

    def to(self, device: torch.device | str, non_blocking: bool = False) -> "TokenBatch":
        """The batch on another device."""

        def move(x: Tensor | None) -> Tensor | None:
            return None if x is None else x.to(device, non_blocking=non_blocking)

        tensors = {name: move(getattr(self, name)) for name in self.__slots__ if name not in ("notes", "beside")}
        notes = {name: x_N.to(device, non_blocking=non_blocking) for name, x_N in self.notes.items()}
        beside = self.beside and self.beside.to(device, non_blocking)
        return TokenBatch(**tensors, notes=notes, beside=beside)  # type: ignore[arg-type]


def collate(corpus: Corpus, windows: NDArray[np.int64], *, trail: bool, ahead: bool) -> TokenBatch:
    """The batch of these windows; with their trails, for a loss on observations; with what the next action sees."""
    begin = corpus.start[windows]
    index, real = _gather(begin, corpus.start[windows + 1] if trail else corpus.trail[windows])
    flags = np.where(real, corpus.flags[index], 0)[:, 1:]
    batch = TokenBatch(
        ids_BT=_tokens(corpus, index, real),
        length_B=torch.from_numpy(real.sum(1)),
        action_BS=torch.from_numpy((flags & ACTION) > 0),
        last_BS=torch.from_numpy((flags & LAST) > 0),
        fresh_BS=torch.from_numpy((flags & FRESH) > 0),
        reward_BS=torch.from_numpy(np.where(real, corpus.reward[index], 0)[:, 1:]),
        end_B=torch.from_numpy(corpus.end[windows].astype(np.int64)),
    )
    if not ahead:
        return batch
    after = np.minimum(windows + 1, len(corpus) - 1)
    begin = corpus.start[after]
    index, real = _gather(begin, np.where(corpus.end[windows] == GOES_ON, corpus.spoken[after], begin))
    return replace(batch, next_BT=_tokens(corpus, index, real), next_length_B=torch.from_numpy(real.sum(1)))


def _gather(begin: NDArray[np.int64], end: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Indices [B, T] of the tokens from begin to end, and which of them are real."""
    steps = np.arange(max(1, int((end - begin).max())))
    real = steps < (end - begin)[:, None]
    return np.where(real, begin[:, None] + steps, begin[:, None]), real


def _tokens(corpus: Corpus, index: NDArray[np.int64], real: NDArray[np.bool_]) -> Tensor:
    return torch.from_numpy(np.where(real, corpus.ids[index], 0).astype(np.int64))
