"""An algorithm for two processes of which one alone meets a loss that is not finite."""

from torch import Tensor

from lmrl.algos.base import Metrics
from lmrl.algos.bc import BC
from lmrl.tokens import TokenBatch


class Uneven(BC):
    def loss(self, batch: TokenBatch) -> tuple[Tensor, Metrics]:
        loss, metrics = super().loss(batch)
        return (loss * float("nan") if self.global_rank and self.global_step == 2 else loss), metrics
