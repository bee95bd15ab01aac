"""Training: floating-point operations a second, as a share of what this core's matrix product reaches in bf16.

The count is of useful work alone, for forward once and backward twice:

    6 W n          W: weights of the trunk's matrices; n: real tokens, padding left out
    6 L D t^2      each window of t tokens, in L layers of width D: causal attention, half of the square
    6 D V k        the head over V rows of the embedding, at the k tokens that the loss looks at

Look-ups, norms, activations, softmaxes, the optimiser and Python count as nothing.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import GPT2Config

from lmrl.algos.base import Algorithm
from lmrl.batches import TokenBatch
from lmrl.codec import Codec
from lmrl.corpus import TERMINAL
from lmrl.models import rebuild
from tests.speed.measure import Effort, Figure, by_turns, rate, ratio
from tests.speed.setting import Setting, config, made, setting

PEAK_SIZE = 2048
SMALL: dict[str, Any] = {"n_layer": 12, "n_embd": 768, "n_head": 12, "n_positions": 1024}
"""GPT-2 small (Radford et al. 2019)."""


def figures(effort: Effort, folder: Path) -> list[Figure]:
    """The two sizes of the tiny model and GPT-2 small, each through Lightning and in a bare loop."""
    maze = setting(folder, "task=maze", "algo=bc", episodes=effort.of(1000))
    wordle = setting(folder, "task=wordle", "algo=bc", episodes=effort.of(10000))
    small = gpt2_small(folder, effort.share)
    return [
        *shares("tiny, maze BC (2 layers of 64)", maze, effort.of(32), effort.repetitions, 0.40),
        *shares("tiny, Wordle BC (3 layers of 128)", wordle, effort.of(16), effort.repetitions, 0.40),
        *shares("GPT-2 small, B 4 T 128", small, effort.of(2), min(3, effort.repetitions), 0.55),
    ]


def shares(name: str, chosen: Setting, steps: int, repetitions: int, target: float) -> list[Figure]:
    """Tokens a second, and the share of the peak that they are, of both loops."""
    batches = [chosen.batches[i % len(chosen.batches)] for i in range(steps)]
    tokens = sum(int(batch.length_B.sum()) for batch in batches)
    work = sum(flops(chosen.algo, batch) for batch in batches)
    sides: dict[str, Callable[[], float]] = {
        "peak": partial(rate, partial(product, PEAK_SIZE)),
        "bare": lambda: work / chosen.bare(steps),
        "lightning": lambda: work / chosen.lightning(steps),
    }
    speeds = by_turns(sides, repetitions)
    found = []
    for loop, label in (("lightning", "in Lightning"), ("bare", "bare loop")):
        found += [
            Figure(f"{name}, {label}", "tokens/s", [s / work * tokens for s in speeds[loop]]),
            Figure(f"{name}, {label}", "of the peak", ratio(speeds[loop], speeds["peak"]), at_least=target),
        ]
    return found


def flops(algo: Algorithm, batch: TokenBatch) -> float:
    """Useful floating-point operations of one training step of behaviour cloning; see the top of this file."""
    shape: Any = algo.lm.config
    width, layers = int(shape.hidden_size), int(shape.num_hidden_layers)
    trunk = sum(p.numel() for name, p in algo.lm.base_model.named_parameters() if p.ndim == 2 and name.startswith("h."))
    length_B = batch.length_B.double()
    learnt = batch.action_BS | batch.fresh_BS if algo.reads_observations else batch.action_BS
    head = width * int(shape.vocab_size) * int(learnt.sum())
    return 6 * (trunk * float(length_B.sum()) + layers * width * float(length_B.square().sum()) + head)


def product(size: int) -> int:
    """Multiply two bf16 matrices, four times; the operations of it."""
    a, b = torch.ones(2, size, size, dtype=torch.bfloat16)
    for _ in range(4):
        a @ b
    return 8 * size**3


def gpt2_small(folder: Path, share: float) -> Setting:
    """Behaviour cloning of a random GPT-2 small on four windows of 128 tokens, every one of them learnt."""
    codec = Codec(filler(max(300, int(50257 * share))))
    size = SMALL if share == 1 else SMALL | {"n_layer": 1, "n_embd": 48}
    described = GPT2Config(vocab_size=codec.size, **size, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)
    model = rebuild({"model": described.to_json_string(use_diff=False), "tokenizer": codec.to_json()}, "eager")
    cfg = config(folder, "task=maze", "algo=bc")
    algo = instantiate(cfg.algo, _convert_="all")(model)
    batch = windows(4, 128, codec.size)
    return made(cfg, algo, [lambda: batch])


def filler(size: int) -> Tokenizer:
    """A tokenizer of so many tokens, the bytes and stand-ins."""
    names = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *map(str, range(1000, 1000 + size))]
    tokenizer = Tokenizer(models.BPE(vocab={name: i for i, name in enumerate(names[:size])}, merges=[]))
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def windows(rows: int, tokens: int, vocabulary: int) -> TokenBatch:
    """Windows of chance ids, all chosen by the agent."""
    every_BS = torch.ones(rows, tokens - 1, dtype=torch.bool)
    return TokenBatch(
        ids_BT=torch.randint(vocabulary, (rows, tokens), generator=torch.Generator().manual_seed(0)),
        length_B=torch.full((rows,), tokens),
        action_BS=every_BS,
        last_BS=every_BS,
        fresh_BS=every_BS,
        reward_BS=torch.zeros(rows, tokens - 1),
        end_B=torch.full((rows,), TERMINAL),
    )
