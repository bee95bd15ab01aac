"""Episodes to tensors: the only place that cuts windows and aligns tokens with what is learnt about them.

Shapes: B windows, T tokens, S = T - 1 predictions, N action tokens of the batch in time order, M tokens in all.
Position s predicts token s + 1, so whatever ends in _BS is about the token that is being predicted:

    text        "guess\\n"   "5\\n"      "higher\\n"        the agent said "5\\n" and was paid -1
    ids_BT       g  ↵       5  ↵       h  i  ↵
    action_BS       .       1  1       .  .  .           the agent chose the next token
    reward_BS       0       0 -1       0  0  0           on an action's last token
    last_BS         .       .  1       .  .  .           the action ends here

What the environment said after a window's last action is its *trail*, which only a loss on observations reads.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lmrl.codec import Codec
from lmrl.trajectory import Trajectory, Turn

FRESH, ACTION, LAST = 1, 2, 4
"""Flags of a token: not met in an earlier window; chosen by the agent; an action's last."""
TERMINAL, CUT, GOES_ON = 0, 1, 2
"""How a window ends: the episode did; the clock stopped it, so nothing is known of its last action's successor; the
episode goes on in the next window."""


@dataclass(frozen=True)
class View:
    """How much of an episode a policy sees at once; the same rule cuts training windows and what is played on.

    The text that is seen grows until it would hold more than `context` texts (None: no such limit) or leave no room
    for an action; then it drops to half of that. So its beginning moves once in many turns, and a key/value cache
    lives on in between.
    """

    context: int | None
    positions: int
    """Tokens that the model can hold."""
    max_new_tokens: int
    """Tokens that are kept free for an action."""

    @property
    def max_tokens(self) -> int:
        """Tokens that may stand before an action."""
        return self.positions - self.max_new_tokens

    def begin(self, lengths: Sequence[int], start: int) -> int:
        """Where the text seen before the next action begins.

        lengths: tokens of every turn so far, the last one an observation; start: where it began one action ago.
        """
        num = len(lengths)
        if (self.context is None or num - start <= self.context) and sum(lengths[start:]) <= self.max_tokens:
            return start
        most = num if self.context is None else max(1, self.context // 2)
        begin = num - 1  # the last observation is always seen
        while begin >= 2 and num - begin + 2 <= most and sum(lengths[begin - 2 :]) <= self.max_tokens // 2:
            begin -= 2  # an observation and the action after it
        if begin == num - 1 and lengths[begin] > self.max_tokens:
            raise ValueError(f"an observation of {lengths[begin]} tokens: the model has room for {self.max_tokens}")
        return begin


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """Windows of tokens, padded on the right. See the picture at the top of this file."""

    ids_BT: Tensor
    length_B: Tensor
    action_BS: Tensor
    last_BS: Tensor
    fresh_BS: Tensor
    reward_BS: Tensor
    end_B: Tensor
    """TERMINAL, CUT or GOES_ON."""
    next_BT: Tensor | None = None
    """Of a window that goes on: what is seen before the next action, which is the state that a TD target looks at."""
    next_length_B: Tensor | None = None
    notes: Mapping[str, Tensor] = field(default_factory=dict)
    """What `Algorithm.annotate` fixed before the first gradient: name -> x_N."""
    beside: "TokenBatch | None" = None
    """A second batch, from the offline episodes, for losses that mix both."""

    def at_actions(self, x_BS: Tensor) -> Tensor:
        """x_BS (or x_BSD) at the N action tokens: x_N (or x_ND)."""
        return x_BS[self.action_BS]

    @property
    def action_N(self) -> Tensor:
        """The ids that were chosen."""
        return self.at_actions(self.ids_BT[:, 1:])

    @property
    def row_N(self) -> Tensor:
        """The window of each action token."""
        return self.action_BS.nonzero()[:, 0]

    def to(self, device: torch.device | str, non_blocking: bool = False) -> "TokenBatch":
        """The batch on another device."""

        def move(x: Tensor | None) -> Tensor | None:
            return None if x is None else x.to(device, non_blocking=non_blocking)

        tensors = {name: move(getattr(self, name)) for name in self.__slots__ if name not in ("notes", "beside")}
        notes = {name: x_N.to(device, non_blocking=non_blocking) for name, x_N in self.notes.items()}
        beside = self.beside and self.beside.to(device, non_blocking)
        return TokenBatch(**tensors, notes=notes, beside=beside)  # type: ignore[arg-type]


_ARRAYS = {"ids": np.int32, "flags": np.uint8, "reward": np.float32, "start": np.int64, "trail": np.int64}
_TABLES = {"episode": np.int64, "end": np.int8, "total": np.float64, "success": np.bool_}


@dataclass(frozen=True)
class Corpus:
    """A tokenised set of episodes: every window's tokens end to end, and a table of the windows.

    ids, flags, reward: [M]; window w is ids[start[w]:start[w + 1]], its trail begins at ids[trail[w]];
    episode, end: [W]; total (raw return), success: one per episode.
    """

    ids: NDArray[np.int32]
    flags: NDArray[np.uint8]
    reward: NDArray[np.float32]
    start: NDArray[np.int64]
    trail: NDArray[np.int64]
    episode: NDArray[np.int64]
    end: NDArray[np.int8]
    total: NDArray[np.float64]
    success: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.episode)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each window, its trail included."""
        return np.diff(self.start)

    @cached_property
    def spoken(self) -> NDArray[np.int64]:
        """Where each window's first action begins: ids[start[w]:spoken[w]] is what was seen before it."""
        where = np.flatnonzero(self.flags & ACTION)
        return where[np.searchsorted(where, self.start[:-1])]

    def actions(self) -> "Actions":
        """All action tokens, flat, in time order: what returns and advantages are made from."""
        where = np.flatnonzero(self.flags & ACTION)
        window = np.searchsorted(self.start, where, side="right") - 1
        return Actions(
            reward_N=torch.from_numpy(self.reward[where]),
            last_N=torch.from_numpy((self.flags[where] & LAST) > 0),
            window_N=torch.from_numpy(window),
            episode_N=torch.from_numpy(self.episode[window]),
        )

    def save(self, folder: Path) -> None:
        """Write one `.npy` a field, to be memory-mapped by `load`; the folder appears whole or not at all."""
        part = folder.with_name(f"{folder.name}.{os.getpid()}.part")
        part.mkdir(parents=True)
        try:
            for name in _ARRAYS | _TABLES:
                np.save(part / f"{name}.npy", getattr(self, name))
            part.replace(folder)
        except OSError:
            if not folder.is_dir():  # another process was not faster
                raise
        finally:
            shutil.rmtree(part, ignore_errors=True)

    @staticmethod
    def load(folder: Path) -> "Corpus":
        """Memory-map what `save` wrote."""
        return Corpus(**{name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS | _TABLES})


@dataclass(frozen=True, slots=True)
class Actions:
    """Action tokens of a whole corpus, in time order; the tokens of one episode are adjacent."""

    reward_N: Tensor
    last_N: Tensor
    """The token is its action's last."""
    window_N: Tensor
    episode_N: Tensor


@dataclass(slots=True)
class _Window:
    first: int  # turn where its text begins
    fresh: int  # first turn that no earlier window held
    actions: list[int]  # its trained actions


def _cut(lengths: Sequence[int], view: View) -> Iterator[_Window]:
    """Group an episode's actions by the text that is seen before them."""
    window = _Window(0, 0, [])
    for action in range(1, len(lengths), 2):
        first = view.begin(lengths[:action], window.first)
        if first != window.first:
            yield window
            window = _Window(first, action, [])
        window.actions.append(action)
    yield window


def tokenize(trajectories: Iterable[Trajectory], codec: Codec, view: View) -> Corpus:
    """Cut episodes into windows and encode them, turn by turn; sampled actions keep the ids they were sampled as.

    An action whose text has no token is an error: its reward would have no place.
    """
    columns: dict[str, list[NDArray[np.generic]]] = {name: [] for name in _ARRAYS | _TABLES}
    batch = _Columns()
    for number, trajectory in enumerate(trajectories):
        batch.add(number, trajectory, codec, view)
        if len(batch.ids) > 1_000_000:  # Python lists take nine times the room of arrays
            batch.flush(columns)
    batch.flush(columns)
    if not columns["episode"] or not len(columns["episode"][0]):
        raise ValueError("no episode to learn from")
    whole = {name: np.concatenate(parts) for name, parts in columns.items()}
    whole["start"] = np.concatenate([[0], np.cumsum(whole["start"])])
    whole["trail"] = whole["start"][:-1] + whole["trail"]
    return Corpus(**whole)


def ids_of(turn: Turn, codec: Codec) -> tuple[int, ...]:
    """A turn's ids: as it was sampled, unless a file's ids are another tokenizer's."""
    ids = turn.tokens
    if ids is None or max(ids, default=0) >= codec.size or codec.action(ids) != turn.text:
        return codec.encode(turn.text)
    return ids


class _Columns:
    """A corpus in the making, as lists; `start` holds lengths and `trail` offsets within a window until the end."""

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        for name in _ARRAYS | _TABLES:
            setattr(self, name, [])

    ids: list[int]
    flags: list[int]
    reward: list[float]
    start: list[int]
    trail: list[int]
    episode: list[int]
    end: list[int]
    total: list[float]
    success: list[bool]

    def add(self, number: int, trajectory: Trajectory, codec: Codec, view: View) -> None:
        texts = [ids_of(turn, codec) for turn in trajectory.turns]
        for window in _cut([len(ids) for ids in texts], view):
            before, last = len(self.ids), window.actions[-1]
            for turn in range(window.first, last + 1):
                self._turn(trajectory.turns[turn], texts[turn], turn >= window.fresh, turn >= window.actions[0])
            used = len(self.ids) - before
            if used > view.positions:
                raise ValueError(f"a window of {used} tokens: the model holds {view.positions}; raise max_new_tokens")
            self.trail.append(used)
            if last + 1 < len(texts):
                self._turn(trajectory.turns[last + 1], texts[last + 1][: view.positions - used], True, False)
            self.start.append(len(self.ids) - before)
            self.episode.append(number)
            self.end.append(GOES_ON)
        self.end[-1] = TERMINAL if trajectory.done else CUT
        self.total.append(trajectory.total)
        self.success.append(bool(trajectory.info.get("success", False)))

    def _turn(self, turn: Turn, ids: tuple[int, ...], fresh: bool, trained: bool) -> None:
        chosen = turn.is_action and trained
        if chosen and not ids:
            raise ValueError(f"the action {turn.text!r} has no token")
        self.ids += ids
        self.flags += [(FRESH if fresh else 0) | (ACTION if chosen else 0)] * len(ids)
        self.reward += [0.0] * len(ids)
        if chosen:
            self.flags[-1] |= LAST
            self.reward[-1] = turn.reward

    def flush(self, columns: dict[str, list[NDArray[np.generic]]]) -> None:
        for name, kind in (_ARRAYS | _TABLES).items():
            columns[name].append(np.array(getattr(self, name), dtype=kind))
        self._clear()


def _gather(begin: NDArray[np.int64], end: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Indices [B, T] of the tokens from begin to end, and which of them are real."""
    steps = np.arange(max(1, int((end - begin).max())))
    real = steps < (end - begin)[:, None]
    return np.where(real, begin[:, None] + steps, begin[:, None]), real


def _tokens(corpus: Corpus, index: NDArray[np.int64], real: NDArray[np.bool_]) -> Tensor:
    return torch.from_numpy(np.where(real, corpus.ids[index], 0).astype(np.int64))


def collate(corpus: Corpus, windows: NDArray[np.int64], *, trail: bool, ahead: bool) -> TokenBatch:
    """The batch of these windows; with their trails, for a loss on observations; with what the next action sees."""
    begin = corpus.start[windows]
    index, real = _gather(begin, corpus.start[windows + 1] if trail else corpus.trail[windows])
    flags = np.where(real, corpus.flags[index], 0)[:, 1:]
    batch = TokenBatch(
        ids_BT=_tokens(corpus, index, real),
        length_B=torch.from_numpy(real.sum(1)),
        action_BS=torch.from_numpy((flags & ACTION) > 0),
        last_BS=torch.from_numpy((flags & LAST) > 0),
        fresh_BS=torch.from_numpy((flags & FRESH) > 0),
        reward_BS=torch.from_numpy(np.where(real, corpus.reward[index], 0)[:, 1:]),
        end_B=torch.from_numpy(corpus.end[windows].astype(np.int64)),
    )
    if not ahead:
        return batch
    after = np.minimum(windows + 1, len(corpus) - 1)
    begin = corpus.start[after]
    index, real = _gather(begin, np.where(corpus.end[windows] == GOES_ON, corpus.spoken[after], begin))
    return replace(batch, next_BT=_tokens(corpus, index, real), next_length_B=torch.from_numpy(real.sum(1)))
