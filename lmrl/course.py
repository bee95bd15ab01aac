"""What happens beside the training steps: looking at the policy now and then, saving, and stopping.

The one checkpoint, `last.ckpt`, is replaced whole. Offline it may be of any step, since a batch is a function of its
number; online it is of the end of a round, since a round is played with the weights that it began with. So a run
that goes on from it does bit for bit what it would have done.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from lmrl.algos.base import Algorithm
from lmrl.data import OfflineData, OnlineData
from lmrl.sharding import gathered
from lmrl.signals import Stop, Stopped


def save(trainer: Trainer, path: Path) -> None:
    """Write the checkpoint aside and move it into place: a full disk or a kill leaves the old one."""
    part = path.with_name(path.name + ".part")
    try:
        trainer.save_checkpoint(part, weights_only=False)  # with the optimiser's state
        if trainer.is_global_zero:
            part.replace(path)
    finally:
        if trainer.is_global_zero:
            part.unlink(missing_ok=True)


class Course(Callback):
    """Looks `times` times at what `look` reports, evenly over the run, and saves at least every `seconds`.

    An online run is also looked at before it plays.
    """

    def __init__(
        self,
        data: OfflineData | OnlineData,
        path: Path,
        look: Callable[[], dict[str, float]],
        stop: Stop,
        *,
        times: int,
        seconds: float,
    ) -> None:
        self._data, self._path, self._look, self._stop = data, path, look, stop
        self._times, self._seconds = times, seconds
        begins = isinstance(data, OnlineData) and times > 0  # what play teaches is told from what it began with
        self._looked, self._saved = -1 if begins else 0, time.monotonic()
        self._before, self._begun = 0.0, time.monotonic()
        self.stopped = self.saved = False

    @property
    def seconds(self) -> float:
        """Wall-clock seconds of the run, those before it was resumed included."""
        return self._before + time.monotonic() - self._begun

    def state_dict(self) -> dict[str, Any]:
        return {"looked": self._looked, "seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._looked, self._before = state_dict["looked"], state_dict.get("seconds", 0.0)

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, Algorithm)
        pl_module.progress = self._data.learnt

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._stop.listen()  # Lightning has put a handler of its own before ours, which ends a run unsaved
        assert isinstance(pl_module, Algorithm)
        if self._looked < 0:  # a round has been played by now, and has taught nothing yet
            self._see(trainer, pl_module, 0)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        if isinstance(self._data, OnlineData):  # a round that is saved is over; Lightning counts it after this
            for count in checkpoint["loops"]["fit_loop"]["epoch_progress"].values():
                count["completed"] = count["processed"]

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: object) -> None:
        if isinstance(self._data, OfflineData):
            self._pause(trainer, pl_module)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if isinstance(self._data, OnlineData):
            self._record(trainer, {f"round/{k}": v for k, v in self._data.round.items()})
            self._pause(trainer, pl_module)
            trainer.should_stop |= self._data.progress() >= 1

    def _pause(self, trainer: Trainer, algo: LightningModule) -> None:
        assert isinstance(algo, Algorithm)
        due = int(self._data.progress() * self._times)
        if due > self._looked and not algo.diverged:
            try:
                self._see(trainer, algo, due)
            except Stopped:  # whoever goes on looks again
                if isinstance(self._data, OnlineData):
                    raise  # unsaved: from the round before, so that the look is of these weights
        if algo.anywhere(self._stop.asked):
            self.stopped = trainer.should_stop = True
        online = isinstance(self._data, OnlineData)
        if self.stopped or online or algo.anywhere(time.monotonic() - self._saved > self._seconds):
            self._save(trainer)

    def _see(self, trainer: Trainer, algo: Algorithm, number: int) -> None:
        algo.eval()
        try:
            with gathered(algo):
                self._record(trainer, self._look())
                self._looked = number
        finally:
            algo.train()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._save(trainer)

    def _save(self, trainer: Trainer) -> None:
        save(trainer, self._path)
        self.saved, self._saved = True, time.monotonic()

    @staticmethod
    def _record(trainer: Trainer, metrics: dict[str, float]) -> None:
        if trainer.logger is not None:
            trainer.logger.log_metrics(metrics, step=trainer.global_step)
