"""A tokenised set of episodes, in memory or memory-mapped, and all its action tokens.

Shapes: M tokens in all, W windows, N action tokens in time order.

What the environment said after a window's last action is its *trail*, which only a loss on observations reads.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lmrl.files import whole

FRESH, ACTION, LAST = 1, 2, 4
"""Flags of a token: not met in an earlier window; chosen by the agent; an action's last."""
TERMINAL, CUT, GOES_ON = 0, 1, 2
"""How a window ends: the episode did; the clock stopped it, so nothing is known of its last action's successor; the
episode goes on in the next window."""

TYPES = {
    "ids": np.int32,
    "flags": np.uint8,
    "reward": np.float32,
    "start": np.int64,
    "trail": np.int64,
    "episode": np.int64,
    "end": np.int8,
    "total": np.float64,
    "success": np.bool_,
}
"""Of a corpus' arrays."""


@dataclass(frozen=True)
class Corpus:
    """A tokenised set of episodes: every window's tokens end to end, and a table of the windows.

    ids, flags, reward: [M]; window w is ids[start[w]:start[w + 1]], its trail begins at ids[trail[w]];
    episode, end: [W]; total (raw return), success: one per episode.
    """

    ids: NDArray[np.int32]
    flags: NDArray[np.uint8]
    reward: NDArray[np.float32]
    start: NDArray[np.int64]
    trail: NDArray[np.int64]
    episode: NDArray[np.int64]
    end: NDArray[np.int8]
    total: NDArray[np.float64]
    success: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.episode)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each window, its trail included."""
        return np.diff(self.start)

    @cached_property
    def spoken(self) -> NDArray[np.int64]:
        """Where each window's first action begins: ids[start[w]:spoken[w]] is what was seen before it."""
        where = np.flatnonzero(self.flags & ACTION)
        return where[np.searchsorted(where, self.start[:-1])]

    def actions(self) -> "Actions":
        """All action tokens, flat, in time order: what returns and advantages are made from."""
        where = np.flatnonzero(self.flags & ACTION)
        window = np.searchsorted(self.start, where, side="right") - 1
        return Actions(
            reward_N=torch.from_numpy(self.reward[where]),
            last_N=torch.from_numpy((self.flags[where] & LAST) > 0),
            window_N=torch.from_numpy(window),
            episode_N=torch.from_numpy(self.episode[window]),
        )

    def save(self, folder: Path) -> None:
        """Write one `.npy` a field, to be memory-mapped by `load`; the folder appears whole or not at all."""
        with whole(folder) as part:
            part.mkdir(exist_ok=True)  # a killed process of the same number may have left it
            for name in TYPES:
                np.save(part / f"{name}.npy", getattr(self, name))

    @staticmethod
    def load(folder: Path) -> "Corpus":
        """Memory-map what `save` wrote. Raises ValueError naming the folder and the remedy, if it was damaged since."""
        try:
            return Corpus(**{name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in TYPES})
        except (FileNotFoundError, ValueError, EOFError) as error:
            raise ValueError(f"{folder}: damaged ({error}); delete the folder, and it is made anew") from error


@dataclass(frozen=True, slots=True)
class Actions:
    """Action tokens of a whole corpus, in time order; the tokens of one episode are adjacent."""

    reward_N: Tensor
    last_N: Tensor
    """The token is its action's last."""
    window_N: Tensor
    episode_N: Tensor
