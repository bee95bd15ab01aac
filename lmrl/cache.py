"""Keys and values of many histories side by side, each of which grows at its own pace.

Shapes: R rows (live episodes), C tokens of a chunk, P slots of the key/value cache, D width.

A row's new tokens are written behind those of all rows, so the cache has holes, which a mask hides; positions count
real tokens only. Any causal model of transformers that takes a cache and a mask will do.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import DynamicCache, PreTrainedModel


def padded(rows: Sequence[Sequence[int]]) -> Tensor:
    """Rows of ids as one tensor, padded on the right by 0."""
    table = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
    for row, ids in enumerate(rows):
        table[row, : len(ids)] = ids
    return torch.from_numpy(table)


class Cache:
    """Keys and values of every row, side by side with holes."""

    def __init__(self, lms: Sequence[nn.Module]) -> None:
        self._lms = lms
        self.device = next(lms[0].parameters()).device
        self.clear()

    def clear(self) -> None:
        self._past = [DynamicCache(config=lm.config) for lm in self._lms]  # type: ignore[arg-type]
        self._real_RP: Tensor | None = None

    @property
    def slots(self) -> int:
        return 0 if self._real_RP is None else self._real_RP.shape[1]

    def select(self, rows: Sequence[int], forget: Sequence[bool]) -> None:
        """Keep these rows, in this order; hide what is cached of those to be forgotten."""
        if self._real_RP is None:
            return
        if len(rows) != len(self._real_RP) or rows != list(range(len(rows))):
            index = torch.tensor(rows, device=self.device)
            self._real_RP = self._real_RP[index]
            for past in self._past:
                # as batch_select_indices, and several times faster on CPUs
                past.reorder_cache(index)  # type: ignore[arg-type]
        if any(forget):
            self._real_RP[torch.tensor(forget, device=self.device)] = False

    def part(self, rows: Sequence[int]) -> "Cache":
        """A cache of these rows alone, to be read on for less; see `join`."""
        assert self._real_RP is not None
        few, index = Cache(self._lms), torch.tensor(rows, device=self.device)
        few._real_RP = self._real_RP[index]
        for ours, theirs in zip(self._layers(), few._layers(), strict=True):
            theirs.update(ours.keys[index], ours.values[index])
        return few

    def join(self, rows: Sequence[int], few: "Cache") -> None:
        """Take back a part of these rows with what it has read since; for the other rows that is a hole."""
        assert self._real_RP is not None
        assert few._real_RP is not None
        index, before = torch.tensor(rows, device=self.device), self.slots

        def spread(x: Tensor, like: Tensor) -> Tensor:
            return x.new_zeros(len(like), *x.shape[1:]).index_copy_(0, index, x)

        self._real_RP = torch.cat([self._real_RP, spread(few._real_RP[:, before:], self._real_RP)], 1)
        for ours, theirs in zip(self._layers(), few._layers(), strict=True):
            ours.update(*(spread(x[:, :, before:], ours.keys) for x in (theirs.keys, theirs.values)))

    def _layers(self) -> list[Any]:
        return [layer for past in self._past for layer in past.layers]

    def read(self, chunks: Sequence[Sequence[int]], positions: Sequence[int]) -> list[Tensor]:
        """Feed each row its new tokens, from its position on; the hidden states after its last, each [R, D].

        A row without new tokens stays as it is, and its hidden state means nothing.
        """
        ids_RC = padded(chunks).to(self.device)
        length_R = torch.tensor([len(c) for c in chunks], device=self.device)
        step_C = torch.arange(ids_RC.shape[1], device=self.device)
        real_RC = step_C < length_R[:, None]
        place_RC = torch.tensor(positions, device=self.device)[:, None] + torch.where(real_RC, step_C, 0)
        mask = self._mask(real_RC)
        last_R = (length_R - 1).clamp(min=0)
        states = []
        for lm, past in zip(self._lms, self._past, strict=True):
            assert isinstance(lm, PreTrainedModel)
            out = lm.base_model(
                input_ids=ids_RC,
                position_ids=place_RC,
                attention_mask=mask,
                past_key_values=past,
                use_cache=True,
            ).last_hidden_state
            states.append(out[torch.arange(len(chunks)), last_R])
        return states

    def _mask(self, real_RC: Tensor) -> Tensor | None:
        """What each new token may look at, added to attention scores, [R, 1, C, P]; None where causality is enough."""
        alone = self._real_RP is None
        self._real_RP = real_RC if self._real_RP is None else torch.cat([self._real_RP, real_RC], 1)
        if alone:
            return None
        rows, width = real_RC.shape
        seen_RCP = self._real_RP[:, None, :].expand(rows, width, -1).clone()
        seen_RCP[:, :, -width:] &= torch.ones(width, width, dtype=torch.bool, device=self.device).tril()
        # a hole may look at itself, lest its softmax be over nothing
        seen_RCP[:, torch.arange(width), self.slots - width + torch.arange(width)] = True
        return torch.zeros(seen_RCP.shape, device=self.device).masked_fill_(~seen_RCP, -1e9)[:, None]
