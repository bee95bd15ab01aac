"""What every algorithm shares: Lightning's hooks, the learning-rate schedule, the player. Written once, one level deep.

A subclass answers `loss`; the other questions have defaults. What stands before the `*` of a constructor comes from
the program, what stands after it from the YAML.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR
from transformers import PreTrainedModel

from lmrl.batches import TokenBatch
from lmrl.corpus import Corpus
from lmrl.kinds import Mode, Natural, Share, Unit
from lmrl.models import LanguageModel
from lmrl.policy import Actor, LMPolicy
from lmrl.reading import hidden, logits
from lmrl.view import View

Metrics = dict[str, Tensor]
OptimizerFactory = Callable[..., Optimizer]


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Learning rate over a run: linear warm-up, constant, then linear to nearly zero.

    >>> schedule = Schedule(warmup=10, decay=0.5, floor=0.0)
    >>> schedule(4, progress=0.1), schedule(100, progress=0.5), schedule(200, progress=0.75)
    (0.5, 1.0, 0.5)
    """

    warmup: Natural
    """Steps until the rate is full."""
    decay: Share
    """Share of the run, at its end, over which the rate falls; 0 keeps it constant."""
    floor: Share
    """What is left of the rate at the very end."""

    def __call__(self, step: int, progress: float) -> float:
        rise = min(1.0, (step + 1) / max(1, self.warmup))
        fall = min(1.0, (1 - progress) / self.decay) if self.decay else 1.0
        return rise * max(self.floor, fall)


class Algorithm(LightningModule):
    """How to learn from episodes."""

    on_policy = False
    """Whether it only learns from what it has just played."""
    has_critic = False
    """Whether it has values of actions, of which `critic` tells."""
    gamma: float = 1.0
    """What values of an algorithm that has them multiply the future by,"""
    discount: Unit = "turn"
    """and how often."""

    def __init__(self, model: LanguageModel, optimizer: OptimizerFactory, schedule: Schedule) -> None:
        super().__init__()
        self.model, self.lm = model, model.lm
        self.make_optimizer, self.schedule = optimizer, schedule
        self.progress: Callable[[], float] = lambda: 0.0
        """Share of the run that is done; the data module says."""
        self.diverged = False
        self.round: dict[str, float] = {}
        """What `annotate` has to say of an online round, to be logged as round/*."""
        self.stored: Mapping[str, Any] = {}
        """What a checkpoint says of its making, beside the model and the tokenizer."""

    @property
    def reads_observations(self) -> bool:
        """Whether the loss looks at observation tokens too, so that windows keep their trail. Default: no."""
        return False

    @property
    def looks_ahead(self) -> bool:
        """Whether the loss looks at the state after a window's last action. Default: no."""
        return False

    def keep(self, total: NDArray[Any], success: NDArray[Any]) -> NDArray[Any]:
        """Which episodes to learn from, one truth value each, given raw returns and successes. Default: all."""
        return np.ones(len(total), dtype=np.bool_)

    def annotate(self, corpus: Corpus, batches: Callable[[], Iterable[TokenBatch]]) -> Metrics:
        """What must be fixed before the first gradient: name -> x_N over the corpus' action tokens.

        batches: all windows in order. Default: nothing.
        """
        return {}

    def loss(self, batch: TokenBatch) -> tuple[Tensor, Metrics]:
        """The number to minimise, and what to log beside it."""
        raise NotImplementedError

    def critic(self, batch: TokenBatch) -> Metrics:
        """What is thought of the batch, in raw units of return: x_N at its action tokens.

        `q`: of what was said; `v`, if there is one: of the state it was said in. Asked only of who `has_critic`.
        """
        raise NotImplementedError

    def skips(self) -> bool:
        """Whether what is left of this round is to be passed over. Default: no."""
        return False

    def after_step(self) -> None:
        """What follows each step of the optimiser (target networks). Default: nothing."""

    def actor(self) -> Actor:
        """What is played. Default: the language model itself."""
        return Actor([self.lm], lambda states: self.logits(states[0]))

    def logits(self, h: Tensor) -> Tensor:
        """The language model's scores of the next token, [..., D] -> [..., V]."""
        return logits(self.lm, self.model.codec.size, h)

    def policy(self, view: View, mode: Mode) -> LMPolicy:
        """The player that these weights make."""
        return LMPolicy(self.actor(), self.model.codec, view, mode=mode)

    def train(self, mode: bool = True) -> "Algorithm":
        """As every module's, but a reference policy or a target network never leaves evaluation mode."""
        super().train(mode)
        for child in self.children():
            if not any(p.requires_grad for p in child.parameters()):
                child.eval()
        return self

    def training_step(self, batch: TokenBatch, _: int) -> Tensor:
        loss, metrics = self.loss(batch)
        if self.anywhere(not math.isfinite(float(loss.detach()))):
            self._diverge("the loss is not finite")
            return loss
        rate = self.trainer.optimizers[0].param_groups[0]["lr"]
        self._report({"loss": loss.detach(), "lr": rate} | metrics)
        return loss

    def anywhere(self, fact: bool) -> bool:
        """Whether it is so in any process: all of them must then do the same, or wait for each other for ever."""
        return self.trainer.strategy.reduce_boolean_decision(fact, all=False)

    def over_processes(self, figure: float, how: str) -> float:
        """The mean, sum or min of what each process has; without a trainer there is one."""
        if self._trainer is None:
            return figure
        strategy = self.trainer.strategy
        return strategy.reduce(torch.tensor(figure, device=strategy.root_device), reduce_op=how).item()

    def _report(self, metrics: Mapping[str, Tensor | float]) -> None:
        """Hand figures to the record now and then; Lightning's own way keeps another count, which rounds upset."""
        every: int = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        if self.trainer.logger is not None and every and self.global_step % every == 0:
            named = {f"train/{name}": float(value) for name, value in metrics.items()}
            self.trainer.logger.log_metrics(named, step=self.global_step)

    def _diverge(self, reason: str) -> None:
        """End the run with the weights as they are: they stem from the last finite step."""
        self.diverged = True
        self.trainer.should_stop = True
        print(f"diverged at step {self.global_step}: {reason}")

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Look for what is not finite, log, and clip, with one norm; Lightning's clipping refuses fused optimisers."""
        trained = [p for p in self.parameters() if p.grad is not None]
        norm = nn.utils.get_total_norm([p.grad for p in trained if p.grad is not None])
        if not self.diverged and not torch.isfinite(norm):
            self._diverge("the gradient is not finite")
        if self.diverged:
            optimizer.zero_grad(set_to_none=True)  # without gradients the optimiser moves nothing
            return
        self._report({"grad_norm": norm})
        if gradient_clip_algorithm == "value" or getattr(self.trainer.precision_plugin, "scaler", None):
            self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)
        elif gradient_clip_val:
            nn.utils.clip_grads_with_norm_(trained, gradient_clip_val, norm)

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        super().optimizer_step(*args, **kwargs)
        if not self.diverged:
            self.after_step()

    def groups(self) -> list[dict[str, Any]]:
        """What the optimiser is given. Default: all that is trainable, at one rate."""
        return decay_groups(self)

    def configure_optimizers(self) -> Any:
        try:
            optimizer = self.make_optimizer(self.groups())
        except (TypeError, ValueError) as error:
            raise ValueError(f"algo.optimizer: {error}") from error
        scheduler = LambdaLR(optimizer, lambda step: self.schedule(step, self.progress()))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["lmrl"] = dict(self.model.describe()) | dict(self.stored)


def decay_groups(module: nn.Module) -> list[dict[str, Any]]:
    """Trainable parameters for an optimiser: matrices as they come, biases and norms without weight decay."""
    trained = [p for p in module.parameters() if p.requires_grad]
    flat = [p for p in trained if p.ndim < 2]
    return [{"params": [p for p in trained if p.ndim >= 2]}, {"params": flat, "weight_decay": 0.0}]


def at_actions(lm: PreTrainedModel, batch: TokenBatch) -> Tensor:
    """Last hidden states of a language model where action tokens are predicted: h_ND."""
    return batch.at_actions(hidden(lm, batch.ids_BT)[:, :-1])


def chosen(scores_NV: Tensor, action_N: Tensor) -> Tensor:
    """The score of the token that was chosen: x_N."""
    return scores_NV.gather(-1, action_N[:, None])[:, 0]
