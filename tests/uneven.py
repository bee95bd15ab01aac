"""Algorithms for two processes of which one alone does something."""

import torch
from torch import Tensor

from lmrl.algos.base import Metrics
from lmrl.algos.bc import BC
from lmrl.algos.ilql import ILQL
from lmrl.batches import TokenBatch
from lmrl.reading import hidden


class Uneven(BC):
    """It meets a loss that is not finite."""

    def loss(self, batch: TokenBatch) -> tuple[Tensor, Metrics]:
        loss, metrics = super().loss(batch)
        return (loss * float("nan") if self.global_rank and self.global_step == 2 else loss), metrics


class Reader(ILQL):
    """It reads its batch once more, as ILQL does only where a window goes on."""

    def loss(self, batch: TokenBatch) -> tuple[Tensor, Metrics]:
        found = super().loss(batch)
        if self.global_rank:
            with torch.no_grad():
                hidden(self.value.lm, batch.ids_BT)
        return found
