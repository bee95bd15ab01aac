"""Episodes to tokens: the only place that cuts windows and marks what an algorithm learns from."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lmrl.codec import Codec
from lmrl.corpus import ACTION, CUT, FRESH, GOES_ON, LAST, TERMINAL, TYPES, Corpus
from lmrl.trajectory import Trajectory, Turn
from lmrl.view import View


def tokenize(trajectories: Iterable[Trajectory], codec: Codec, view: View) -> Corpus:
    """Cut episodes into windows and encode them, turn by turn; sampled actions keep the ids they were sampled as.

    An action whose text has no token is an error: its reward would have no place.
    """
    columns: dict[str, list[NDArray[np.generic]]] = {name: [] for name in TYPES}
    batch = _Columns()
    for number, trajectory in enumerate(trajectories):
        batch.add(number, trajectory, codec, view)
        if len(batch.ids) > 1_000_000:  # Python lists take nine times the room of arrays
            batch.flush(columns)
    batch.flush(columns)
    if not columns["episode"] or not len(columns["episode"][0]):
        raise ValueError("no episode to learn from")
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    joined["start"] = np.concatenate([[0], np.cumsum(joined["start"])])
    joined["trail"] = joined["start"][:-1] + joined["trail"]
    return Corpus(**joined)


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
        for name in TYPES:
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
        for name, kind in TYPES.items():
            columns[name].append(np.array(getattr(self, name), dtype=kind))
        self._clear()


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
