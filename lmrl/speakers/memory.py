"""What a causal model has read, kept from call to call: of a prompt that begins as an earlier one, the rest is read.

Shapes: R rows, P slots of the key/value cache, T tokens, H heads, D width of a head.

A game's next prompt is its last one, what was said, and an answer, so a turn costs its new tokens; and all games begin
with the same instructions, which are read once. Inference servers call it prefix caching.
"""

from collections.abc import Sequence
from os.path import commonprefix
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from lmrl.speakers.speaking import Loaded


class Memory:
    """The keys and values of the last batch, and the texts they are of. Positions count real tokens."""

    def __init__(self, model: Loaded) -> None:
        self._lm = model.lm
        self._past = self._empty()
        self._rows: list[list[int]] = []
        self._real_RP = torch.empty(0, 0, dtype=torch.bool)

    @staticmethod
    def possible(model: Loaded) -> bool:
        """Whether the model keeps keys and values of all that it reads: no encoder, no window, no running state."""
        layers = DynamicCache(config=model.lm.config).layers
        return not model.reads_apart and all(type(layer) is DynamicLayer for layer in layers)

    def recall(self, prompts: Sequence[list[int]]) -> tuple[DynamicCache, list[int]]:
        """A cache that holds how each prompt begins, padded on the left, and how many tokens of it that is.

        The last token of a prompt is never among them, since what follows it is not kept. Until `keep` nothing is
        remembered, so an answer that failed leaves nothing half true.
        """
        if not self._rows and len(prompts) > 1:
            self._read(commonprefix(list(prompts)))
        found = [max(((_shared(row, ids), i) for i, row in enumerate(self._rows)), default=(0, 0)) for ids in prompts]
        known = [min(shared, len(ids) - 1) for (shared, _), ids in zip(found, prompts, strict=True)]
        if any(known):
            self._select([i for _, i in found], known)
        else:
            self._past = self._empty()
        past, self._past, self._rows = self._past, self._empty(), []
        return past, known

    def keep(self, past: DynamicCache, ids_RT: Tensor, real_RT: Tensor) -> None:
        """Remember what the cache holds by now: all of `ids_RT` but its last token."""
        self._past, self._real_RP = past, real_RT[:, :-1].bool().cpu()
        self._rows = [ids[real].tolist() for ids, real in zip(ids_RT[:, :-1].cpu(), self._real_RP, strict=True)]

    def _empty(self) -> DynamicCache:
        return DynamicCache(config=self._lm.config)

    def _read(self, ids: Sequence[int]) -> None:
        if not ids:
            return
        ids_1T = torch.tensor([list(ids)], device=self._lm.device)
        self._lm.base_model(input_ids=ids_1T, past_key_values=self._past, use_cache=True)
        self._rows, self._real_RP = [list(ids)], torch.ones(1, len(ids), dtype=torch.bool)

    def _select(self, rows: Sequence[int], known: Sequence[int]) -> None:
        """Move the first `known` tokens of these rows to the right end of a cache as wide as the longest."""
        slot_RP = torch.zeros(len(rows), max(known), dtype=torch.long)
        for place, (row, num) in enumerate(zip(rows, known, strict=True)):
            slot_RP[place, max(known) - num :] = self._real_RP[row].nonzero()[:num, 0]
        row_R1, slot_RP = torch.tensor(rows, device=self._lm.device)[:, None], slot_RP.to(self._lm.device)
        layers: Sequence[Any] = self._past.layers
        for layer in layers:  # one after another: two caches at once may not fit
            layer.keys = layer.keys[row_R1, :, slot_RP].transpose(1, 2)
            layer.values = layer.values[row_R1, :, slot_RP].transpose(1, 2)


def _shared(one: list[int], other: list[int]) -> int:
    return len(commonprefix([one, other]))
