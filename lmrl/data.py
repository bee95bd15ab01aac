"""What is trained on: offline episodes, or what the policy has just played. Both feed the same training step.

A batch is a pure function of (seed, its number), so a run that goes on from a checkpoint sees what it would have seen.
Online, an epoch is a round: Lightning asks for the loader anew, which plays, annotates, and passes over the episodes.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from numpy.typing import NDArray

from lmrl.algos.base import Algorithm
from lmrl.batches import TokenBatch
from lmrl.codec import Codec
from lmrl.corpus import Corpus
from lmrl.datasets import Dataset
from lmrl.kinds import Count, Natural, Rate
from lmrl.rollout import play
from lmrl.sharding import gathered
from lmrl.task import Start, Task
from lmrl.tokenizing import tokenize
from lmrl.trajectory import Trajectory
from lmrl.view import View
from lmrl.windows import Stream, Windows

FORMAT = 2
"""Of a corpus on disk: raised when the same episodes would be cut or written otherwise."""


def corpus_of(dataset: Dataset, codec: Codec, view: View, cache: Path) -> Corpus:
    """The data set in tokens, memory-mapped; made once per data, tokenizer and view."""
    made_by = f"{FORMAT} {dataset.digest} {view} {codec.to_json()}"
    folder = cache / f"tokens-{hashlib.sha256(made_by.encode()).hexdigest()[:16]}"
    if not folder.is_dir():
        tokenize(dataset, codec, view).save(folder)
    return Corpus.load(folder)


def held_out(episodes: int, share: float, seed: int) -> NDArray[np.bool_]:
    """Which offline episodes a run with this seed does not train on."""
    return np.random.default_rng(seed).random(episodes) < share


class _Data(LightningDataModule):
    """What both kinds share."""

    def __init__(self, task: Task, algo: Algorithm, view: View, seed: int, cache: Path, batch_size: int) -> None:
        super().__init__()
        self.task, self.algo, self.view = task, algo, view
        self.seed, self.cache, self.batch_size = seed, cache, batch_size
        self.dataset = task.data.dataset()

    def offline(self) -> Corpus:
        """The task's offline episodes in tokens."""
        return corpus_of(self.dataset, self.algo.model.codec, self.view, self.cache)

    def windows(self, corpus: Corpus, episodes: NDArray[np.bool_]) -> Windows:
        """The windows of these episodes, annotated by the algorithm."""
        everything = Windows(corpus, np.arange(len(corpus)))
        notes = self.algo.annotate(corpus, lambda: self._on_device(everything.in_order(256)))
        trail, ahead = self.algo.reads_observations, self.algo.looks_ahead
        return Windows(corpus, np.flatnonzero(episodes[corpus.episode]), notes, trail=trail, ahead=ahead)

    def _on_device(self, batches: Iterator[TokenBatch]) -> Iterator[TokenBatch]:
        assert self.trainer is not None
        with self.trainer.precision_plugin.forward_context():  # the update's own arithmetic
            for batch in batches:
                yield batch.to(self.algo.device)

    def progress(self) -> float:
        """Share of the run that is done."""
        raise NotImplementedError

    def learnt(self) -> float:
        """Share of the run that has been learnt from, which the learning rate goes by."""
        return self.progress()


class OfflineData(_Data):
    """The task's offline episodes, without end; `trainer.max_steps` says when it is enough."""

    def __init__(
        self,
        task: Task,
        algo: Algorithm,
        view: View,
        seed: int,
        cache: Path,
        *,
        batch_size: Count,
        holdout: Rate,
    ) -> None:
        super().__init__(task, algo, view, seed, cache, batch_size)
        if algo.on_policy:
            raise ValueError(f"data = offline: {type(algo).__name__} learns from its own play, data=online")
        self.holdout = holdout

    def setup(self, stage: str) -> None:
        if self.trainer and self.trainer.max_steps < 1:
            raise ValueError(f"trainer.max_steps = {self.trainer.max_steps}: offline data has no end; at least 1")
        corpus = self.offline()
        out = held_out(len(corpus.total), self.holdout, self.seed)
        keep = self.algo.keep(corpus.total, corpus.success) & ~out
        if not keep.any():
            why = f"the filter of {type(self.algo).__name__} and data.holdout = {self.holdout:g}"
            raise ValueError(f"{why} leave none of {len(keep)} episodes to train on")
        self.train_windows = self.windows(corpus, keep)
        self.held_out = self.train_windows.others(np.flatnonzero(out[corpus.episode]))

    def train_dataloader(self) -> Stream:
        assert self.trainer is not None
        trainer = self.trainer

        def begin() -> int:
            return int(trainer.global_step) * int(trainer.accumulate_grad_batches)

        rank, world = trainer.global_rank, trainer.world_size
        return Stream(self.train_windows, self.batch_size, self.seed, begin, rank, world)

    @torch.no_grad()
    def held_out_loss(self) -> float | None:
        """The loss on at most eight batches of episodes that are not trained on; None without such episodes."""
        batches = self._on_device(islice(self.held_out.in_order(self.batch_size), 8))
        losses = [float(self.algo.loss(batch)[0]) for batch in batches]
        return sum(losses) / len(losses) if losses else None

    def progress(self) -> float:
        assert self.trainer is not None
        return min(1.0, self.trainer.global_step / self.trainer.max_steps)


class OnlineData(_Data):
    """Rounds of play: `episodes` games by the current policy, then `passes` over them, until `env_steps` are played."""

    def __init__(
        self,
        task: Task,
        algo: Algorithm,
        view: View,
        seed: int,
        cache: Path,
        *,
        batch_size: Count,
        episodes: Count,
        passes: Count,
        env_steps: Count,
        offline_batch: Natural,
        max_turns: Count | None = None,
        pool: Count = 1,
    ) -> None:
        """`max_turns`: actions after which a game that is trained on is cut; None: where the task itself cuts it.

        `pool`: batches of a round that are sorted by length together; 1 leaves each a mixture.
        """
        super().__init__(task, algo, view, seed, cache, batch_size)
        self._played_task = replace(task, max_turns=min(max_turns or task.max_turns, task.max_turns))
        self.episodes, self.passes, self.env_steps, self.offline_batch = episodes, passes, env_steps, offline_batch
        self.pool = pool
        self.on_turn: Callable[[int], None] = lambda live: None
        """Heard before each turn that is played: a place to stop."""
        self.played = self.rounds = 0
        """Environment steps and rounds so far."""
        self._before = 0
        self.round: dict[str, float] = {}
        """Figures of the last round."""

    def setup(self, stage: str) -> None:
        if self.offline_batch:
            corpus = self.offline()
            windows = Windows(corpus, np.arange(len(corpus)))
            self._beside = Stream(windows, self.offline_batch, self.seed, lambda: 0, 0, 1)

    def train_dataloader(self) -> "Round | list[TokenBatch]":
        """Play a round and learn from it; without batches, which ends the run, if nothing in all of it can be kept."""
        assert self.trainer is not None
        if self.progress() >= 1:  # broken off after its last round
            return []
        self._before = self.played
        self.algo.eval()
        with gathered(self.algo):
            corpus, keep = self._worthwhile()
            windows = self.windows(corpus, keep)
        self.round |= self.algo.round
        self.algo.train()
        order = self._order(windows) if keep.any() else []
        # every rank must take the same number of steps
        count = int(self.algo.over_processes(len(order), "min"))
        beside = self._beside if self.offline_batch else None
        return Round(
            windows,
            order[:count],
            beside,
            int(self.trainer.global_step) * int(self.trainer.accumulate_grad_batches),
            lambda: self.algo.anywhere(self.algo.skips()),
        )

    def _worthwhile(self) -> tuple[Corpus, NDArray[np.bool_]]:
        """Play rounds until every rank has an episode that the algorithm keeps, or no more may be played."""
        assert self.trainer is not None
        while True:
            corpus = self._play()
            keep = self.algo.keep(corpus.total, corpus.success)
            if not self.algo.anywhere(not keep.any()) or self.progress() >= 1:
                return corpus, keep
            print(f"round {self.rounds}: {type(self.algo).__name__} keeps none of {len(keep)} games and plays on")

    def _order(self, windows: Windows) -> list[NDArray[np.int64]]:
        """The round's batches, by default of mixed lengths.

        Failures are long and successes short, so a batch of like lengths would hold one kind only: all of its
        advantages may be negative, and PPO then moves probability to what nobody said.
        """
        passes = (windows.epoch(self.batch_size, self.seed, self.rounds, p, pool=self.pool) for p in range(self.passes))
        return [batch for order in passes for batch in order]

    def _play(self) -> Corpus:
        assert self.trainer is not None
        rank, world = self.trainer.global_rank, self.trainer.world_size
        starts = starts_of_round(self.seed, self.rounds, self.episodes, rank, world)
        policy = self.algo.policy(self.view, "sample")
        label = f"round {self.rounds + 1}"
        episodes = play(self._played_task, policy, starts, label=label, on_turn=self.on_turn)
        corpus = tokenize(episodes, self.algo.model.codec, self.view)
        self.rounds += 1
        self.played += int(self.algo.over_processes(sum(e.num_actions for e in episodes), "sum"))
        self.round = {"env_steps": self.played, "return_mean": float(corpus.total.mean())}
        self.round |= {"success": float(corpus.success.mean()), **sayings(episodes)}
        return corpus

    def progress(self) -> float:
        return min(1.0, self.played / self.env_steps)

    def learnt(self) -> float:
        return min(1.0, self._before / self.env_steps)

    def state_dict(self) -> dict[str, int]:
        return {"played": self.played, "rounds": self.rounds}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        self.played, self.rounds = state_dict["played"], state_dict["rounds"]


class Round:
    """The batches of one round, until `enough`; each with an offline one beside it if the loss mixes both."""

    def __init__(
        self,
        windows: Windows,
        order: list[NDArray[np.int64]],
        beside: Stream | None,
        first: int,
        enough: Callable[[], bool],
    ) -> None:
        self._windows, self._order, self._beside, self._first, self._enough = windows, order, beside, first, enough

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[TokenBatch]:
        for number, windows in enumerate(self._order, self._first):
            if self._enough():
                return
            batch = self._windows.batch(windows)
            yield batch if self._beside is None else replace(batch, beside=self._beside[number])


def sayings(episodes: Sequence[Trajectory]) -> dict[str, float]:
    """What kind of actions some episodes hold, as shares of all: distinct texts, the commonest text, invalid ones.

    >>> from lmrl.trajectory import Turn
    >>> said = [turn for text in ("up", "up", "hm", "up") for turn in (Turn("?", False), Turn(text, True))]
    >>> sayings([Trajectory(tuple(said), True, {"invalid_actions": 1})])
    {'distinct_actions': 0.5, 'repeated': 0.75, 'invalid': 0.25}
    """
    texts = Counter(turn.text for episode in episodes for turn in episode.turns if turn.is_action)
    invalid = sum(episode.info["invalid_actions"] for episode in episodes)
    counts = {"distinct_actions": len(texts), "repeated": max(texts.values()), "invalid": invalid}
    return {name: count / texts.total() for name, count in counts.items()}


def starts_of_round(seed: int, number: int, episodes: int, rank: int, world: int) -> list[Start]:
    """Seeds that no other round, run or evaluation (which counts from a million) plays."""
    first = ((seed + 1) << 40) + number * episodes
    return [Start(first + i) for i in range(rank, episodes, world)]
