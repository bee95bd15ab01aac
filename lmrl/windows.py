"""Windows of a corpus as batches: which stand together, in which order, with what the algorithm noted on them."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lmrl.batches import TokenBatch, collate
from lmrl.corpus import ACTION, Corpus

POOL = 32
"""Batches that are sorted by length together: little padding, and still a shuffled order."""
ALIKE = 1.15
"""How many times the tokens it holds a batch of any windows may need, on average, for all to count as alike. Sorting
them would save little, and put together what differs in kind: of chess's moves, those that need a token more."""


class Windows:
    """Windows of a corpus, with what the algorithm noted on their action tokens, as batches."""

    def __init__(
        self,
        corpus: Corpus,
        chosen: NDArray[np.int64],
        notes: dict[str, Tensor] | None = None,
        *,
        trail: bool = False,
        ahead: bool = False,
    ):
        self.corpus, self.chosen, self._notes, self._trail, self._ahead = corpus, chosen, notes, trail, ahead
        self._lengths = corpus.lengths[chosen]
        if notes:
            counts = np.add.reduceat((corpus.flags & ACTION) > 0, corpus.start[:-1], dtype=np.int64)
            self._first = np.concatenate([[0], np.cumsum(counts)])

    def __len__(self) -> int:
        return len(self.chosen)

    def others(self, chosen: NDArray[np.int64]) -> "Windows":
        """Other windows of the same corpus, with the same notes."""
        return Windows(self.corpus, chosen, self._notes, trail=self._trail, ahead=self._ahead)

    def batch(self, windows: NDArray[np.int64]) -> TokenBatch:
        """These windows of the corpus."""
        batch = collate(self.corpus, windows, trail=self._trail, ahead=self._ahead)
        if not self._notes:
            return batch
        at = np.concatenate([np.arange(self._first[w], self._first[w + 1]) for w in windows])
        return replace(batch, notes={name: x_N[at] for name, x_N in self._notes.items()})

    def epoch(self, size: int, *seed: int, pool: int) -> list[NDArray[np.int64]]:
        """All windows once, shuffled, in batches of like lengths; what fills no batch waits for another epoch.

        pool: batches that are sorted by length together, unless all are `ALIKE`.
        """
        rng = np.random.default_rng(seed)
        count = max(1, len(self.chosen) // size)
        order = rng.permutation(len(self.chosen))[: count * size]  # cut after sorting, it would always be the longest
        for first in range(0, len(order), pool * size):
            near = order[first : first + pool * size]
            lengths = self._lengths[near]
            longest = np.maximum.reduceat(lengths, np.arange(0, len(near), size))
            if longest.mean() > ALIKE * lengths.mean():
                order[first : first + pool * size] = near[np.argsort(lengths, kind="stable")]
        batches = [order[i * size : (i + 1) * size] for i in range(count)]
        return [self.chosen[batches[i]] for i in rng.permutation(count)]

    def in_order(self, size: int) -> Iterator[TokenBatch]:
        """All windows, in the corpus' order."""
        for first in range(0, len(self.chosen), size):
            yield self.batch(self.chosen[first : first + size])


class Stream:
    """Batches without end, from a given number on; of each, the share of this rank."""

    def __init__(self, windows: Windows, size: int, seed: int, begin: Callable[[], int], rank: int, world: int) -> None:
        self._windows, self._size, self._seed, self._begin = windows, size, seed, begin
        self._rank, self._world = rank, world
        self._epoch: tuple[int, list[NDArray[np.int64]]] = (-1, [])

    def __getitem__(self, number: int) -> TokenBatch:
        per_epoch = max(1, len(self._windows) // (self._size * self._world))
        epoch, place = divmod(number, per_epoch)
        if epoch != self._epoch[0]:
            self._epoch = epoch, self._windows.epoch(self._size * self._world, self._seed, epoch, pool=POOL)
        return self._windows.batch(self._epoch[1][place][self._rank :: self._world])

    def __iter__(self) -> Iterator[TokenBatch]:
        number = self._begin()
        while True:
            yield self[number]
            number += 1
