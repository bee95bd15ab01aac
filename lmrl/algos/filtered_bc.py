"""Filtered behaviour cloning: BC on the best episodes (LMRL-Gym, section 5).

Dialogue and Wordle keep the best share by raw return, Maze and Chess the successes (`spec` of the paper's appendix).
With `data=online` the same class is online filtered BC: each round keeps the best of what the policy just played.
"""

from typing import Annotated, Any

import numpy as np
from annotated_types import Gt, Le
from numpy.typing import NDArray

from lmrl.algos.base import OptimizerFactory, Schedule
from lmrl.algos.bc import BC
from lmrl.kinds import NotNegative
from lmrl.models import LanguageModel


def best_share(total: NDArray[Any], share: float) -> NDArray[Any]:
    """The best int(share * n) returns, at least one; of equal ones the first (LMRL-Gym sorts and cuts).

    >>> best_share(np.array([1.0, 3.0, 3.0, 3.0]), 0.5).tolist()
    [False, True, True, False]
    """
    keep = np.zeros(len(total), dtype=np.bool_)
    keep[np.argsort(-total, kind="stable")[: max(1, int(share * len(total)))]] = True
    return keep


class FilteredBC(BC):
    """BC on the best `share` of the episodes, of the successful ones alone if `successes_only`."""

    def __init__(
        self,
        model: LanguageModel,
        *,
        optimizer: OptimizerFactory,
        schedule: Schedule,
        observation_weight: NotNegative,
        share: Annotated[float, Gt(0), Le(1)],
        successes_only: bool,
    ) -> None:
        super().__init__(model, optimizer=optimizer, schedule=schedule, observation_weight=observation_weight)
        self.share, self.successes_only = share, successes_only

    def keep(self, total: NDArray[Any], success: NDArray[Any]) -> NDArray[Any]:
        keep: NDArray[Any] = best_share(total, self.share)
        return keep & success if self.successes_only else keep
