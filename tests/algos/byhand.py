"""Algorithms whose every number a test may set: batches of a few tokens, heads that look answers up, plain losses."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lmrl.algos.base import Algorithm, Schedule
from lmrl.batches import TokenBatch, collate
from lmrl.corpus import Corpus
from lmrl.heads import Head
from lmrl.models import LanguageModel
from lmrl.reading import hidden
from lmrl.tokenizing import tokenize
from lmrl.trajectory import Trajectory, Turn
from lmrl.view import View

CONSTANT = Schedule(warmup=0, decay=0.0, floor=0.0)


def adamw(params: Iterable[Any]) -> torch.optim.Optimizer:
    return torch.optim.AdamW(params, lr=1e-3)


def said(*turns: tuple[str, str, float], then: str = "end\n", done: bool = True) -> Trajectory:
    """(observation, action, reward), …, and what the environment says last."""
    pairs = [turn for seen, action, reward in turns for turn in (Turn(seen, False), Turn(action, True, reward))]
    return Trajectory((*pairs, Turn(then, False)), done, {"success": done, "invalid_actions": 0})


def corpus_of(model: LanguageModel, *episodes: Trajectory, context: int | None = None) -> Corpus:
    return tokenize(episodes, model.codec, View(context, 64, 8))


def batch_of(
    model: LanguageModel, *episodes: Trajectory, context: int | None = None, windows: Iterable[int] | None = None
) -> TokenBatch:
    """The episodes' windows, or some of them, as the data modules would hand them over."""
    corpus = corpus_of(model, *episodes, context=context)
    return batched(corpus, windows)


def batched(corpus: Corpus, windows: Iterable[int] | None = None) -> TokenBatch:
    chosen = np.array(range(len(corpus)) if windows is None else list(windows))
    return collate(corpus, chosen, trail=True, ahead=True)


def annotated(algo: Algorithm, corpus: Corpus) -> TokenBatch:
    """All windows as one batch with the algorithm's notes on them."""

    def batches() -> Iterator[TokenBatch]:
        for window in range(len(corpus)):  # padded otherwise than the batch
            yield batched(corpus, [window])

    return replace(batched(corpus), notes=algo.annotate(corpus, batches))


def padded(batch: TokenBatch, columns: int, ids: int) -> TokenBatch:
    """The same windows with more columns on the right, which hold garbage."""

    def wider(x: Tensor | None, fill: Any) -> Tensor | None:
        return None if x is None else torch.cat([x, torch.full((len(x), columns), fill, dtype=x.dtype)], 1)

    fills: Mapping[str, Any] = {
        "ids_BT": ids,
        "action_BS": False,
        "last_BS": False,
        "fresh_BS": False,
        "reward_BS": 7.0,
        "next_BT": ids,
    }
    return replace(batch, **{name: wider(getattr(batch, name), fill) for name, fill in fills.items()})


def plain_nll(lm: nn.Module, batch: TokenBatch, rows: int) -> Tensor:
    """- log p of every next token, [B, S], from transformers' own forward pass."""
    log_BTV = lm(input_ids=batch.ids_BT).logits[..., :rows].float().log_softmax(-1)
    return -log_BTV[:, :-1].gather(-1, batch.ids_BT[:, 1:, None])[..., 0]


def memoryless(model: LanguageModel) -> LanguageModel:
    """Make the hidden state a function of the last token alone, so that a head can be a table."""
    with torch.no_grad():
        for name, weight in model.lm.named_parameters():
            if name.endswith(("c_proj.weight", "c_proj.bias", "wpe.weight")):
                weight.zero_()
    return model


def answers(model: LanguageModel, lm: nn.Module, head: Head, table: Mapping[str, float | Mapping[str, float]]) -> None:
    """Set a head of a memoryless model: after a text, its one answer, or its answer for each next text.

    With no more texts than hidden units there is an exact solution, which least squares finds.
    """
    with torch.no_grad():
        texts = torch.tensor([[model.codec.encode(text)[-1]] for text in table])
        h = hidden(lm, texts)[:, 0]
        wanted = head.out.bias.expand(len(table), -1).clone()
        for row, answer in enumerate(table.values()):
            if isinstance(answer, Mapping):
                for text, value in answer.items():
                    wanted[row, model.codec.encode(text)[-1]] = value
            else:
                wanted[row] = answer
        features = nn.functional.gelu(head.hidden(h))
        head.out.weight.copy_(torch.linalg.lstsq(features, wanted - head.out.bias).solution.T)


def biased(model: LanguageModel, head: Head, values: Mapping[str, float]) -> None:
    """Set a head's answers for some next texts, whatever the state."""
    with torch.no_grad():
        for text, value in values.items():
            head.out.bias[model.codec.encode(text)[-1]] = value


def random(*heads: Head) -> None:
    """Give heads answers that differ by state: they begin at a constant."""
    generator = torch.Generator().manual_seed(1)
    for head in heads:
        nn.init.normal_(head.out.weight, generator=generator)


def gradients(module: nn.Module) -> dict[str, Tensor]:
    return {name: p.grad for name, p in module.named_parameters() if p.grad is not None}


def moved(algo: Algorithm, batch: TokenBatch) -> set[str]:
    """The names of the parameters that one optimiser step changes."""
    before = {name: p.detach().clone() for name, p in algo.named_parameters()}
    optimizer = algo.configure_optimizers()["optimizer"]
    algo.loss(batch)[0].backward()
    optimizer.step()
    return {name for name, p in algo.named_parameters() if not torch.equal(p, before[name])}
