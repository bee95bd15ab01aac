"""Where a task's offline episodes come from: made by its scripted players, or read from a file of the user's.

Either way they end up in the cache as JSON lines (`lmrl.trajectory`), named by a hash of what made them, with their
statistics beside them. A file in the cache is whole: it is written elsewhere in the folder and moved into place. Making
data that was stopped goes on after the last chunk; whoever asks for the same meanwhile waits for it.
"""

import hashlib
import json
import signal
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from tqdm import tqdm

from lmrl.files import Growing, whole
from lmrl.kinds import Count, Natural
from lmrl.parquet import is_parquet, read_parquet
from lmrl.scoring import of_data
from lmrl.signals import end_with_parent, held_back
from lmrl.trajectory import Trajectory, checked, read_lines, read_records, to_line

READ = 1000
"""Episodes of a file that are read at a time."""

Maker = Callable[..., Iterable[Trajectory]]


@dataclass(frozen=True)
class Dataset:
    """Episodes on disk; iterating reads them anew."""

    path: Path
    digest: str
    """Names what made them."""
    stats: Mapping[str, float]
    """`episodes`; `actions`, of all of them; `return_std` (population); and, each with the ends `_low` and `_high` of
    its 95 % interval, `return_mean`, `turns` (actions per episode), `success` (share of episodes) and `invalid` (share
    of actions)."""

    def __iter__(self) -> Iterator[Trajectory]:
        """Raises ValueError naming the file, what is wrong with it and the remedy, if it was damaged since."""
        count = 0
        try:
            for episode in read_lines(self.path):
                count += 1
                yield episode
            if count != self.stats["episodes"]:
                raise ValueError(f"{self.path}: {count} of {self.stats['episodes']} episodes are left")
        except ValueError as error:
            raise _damaged(error) from error


@dataclass(frozen=True, kw_only=True)
class Source:
    """A task's data as `conf/task/<name>.yaml` describes it."""

    make: Maker
    """Scripted players: called as make(episodes=n, seed=s)."""
    read: Callable[[Path], Iterator[Trajectory]]
    """Reads the reference's format."""
    episodes: Count
    seed: Natural
    path: str | None
    """A file to use in place of `make`: our JSON lines, our Parquet, or the reference's format, told by its content."""
    cache: str
    """Folder for what was made."""
    workers: Count
    """Processes that make it; the result does not depend on their number."""
    chunk: Count
    """Episodes that a worker makes at a time, and the most that stopping it loses. Part of what a seed means."""
    version: Natural
    """Raised when the same seed would make other episodes."""

    def __post_init__(self) -> None:
        if self.path and not Path(self.path).is_file():
            what = "a folder" if Path(self.path).is_dir() else "no such file"
            raise ValueError(f"data.path = {self.path!r}: {what}; a file is needed, or null to make the data")

    def fingerprint(self) -> str:
        """A hash of what makes the data, with the content of the files that it names, or of the file in its place."""
        parts = [self.version, self.chunk, self.seed, self.episodes, _recipe(self.make)]
        if self.path:
            parts = [self.version, _recipe(self.read), _file_digest(Path(self.path))]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]

    def dataset(self) -> Dataset:
        """The episodes, made or read now unless the cache has them.

        Raises ValueError where a file of the user's is broken or the cache cannot be written.
        """
        digest = self.fingerprint()
        name = Path(self.path).stem if self.path else str(_recipe(self.make)["function"])
        lines = Path(self.cache) / f"{name}-{digest}.jsonl"
        stats = lines.with_suffix(".stats.json")
        if not (lines.is_file() and stats.is_file()):
            self._write(lines, stats)
        return Dataset(lines, digest, _read_stats(stats))

    def _write(self, lines: Path, stats: Path) -> None:
        """Write the episodes and, before they appear, their statistics: both are there, or the data is made again."""
        try:
            lines.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{lines}.lock"):
                if not (lines.is_file() and stats.is_file()):  # nobody else has made it meanwhile
                    _grow(lines, stats, self._chunks)
        except OSError as error:
            reason = error.strerror or str(error)
            raise ValueError(
                f"cache = {lines.parent}: cannot keep data there ({reason}); name another folder"
            ) from error

    def _chunks(self, done: int) -> "Generator[_Chunk, None, None]":
        """Every chunk in order but the first `done`."""
        if self.path:
            return _show(_read_chunks(Path(self.path), self.read, done), None, done * READ)
        chunks = _make_chunks(self.make, self.episodes, self.seed, self.workers, self.chunk, done)
        return _show(chunks, self.episodes, done * self.chunk)


@dataclass(frozen=True)
class _Chunk:
    """Some episodes, written out, and what the statistics need of each."""

    text: str
    rows: list[tuple[float, ...]]
    """Return, actions, success (0 or 1) and invalid actions of each."""


def _chunk(episodes: Iterable[Trajectory]) -> _Chunk:
    lines: list[str] = []
    rows: list[tuple[float, ...]] = []
    for episode in episodes:
        info = episode.info
        lines.append(to_line(episode) + "\n")
        rows.append((episode.total, episode.num_actions, info.get("success", False), info.get("invalid_actions", 0)))
    return _Chunk("".join(lines), rows)


def _make_chunk(make: Maker, episodes: int, seed: int) -> _Chunk:
    return _chunk(map(checked, make(episodes=episodes, seed=seed)))


def _make_chunks(make: Maker, episodes: int, seed: int, workers: int, chunk: int, done: int) -> Iterator[_Chunk]:
    """Every chunk in order but the first `done`; a chunk's seed depends on the data's seed and its place alone."""
    places = range(done, -(-episodes // chunk))
    sizes = [min(chunk, episodes - place * chunk) for place in places]
    seeds = [int(np.random.SeedSequence([seed, place]).generate_state(1)[0]) for place in places]
    makes = [make] * len(sizes)
    if len(sizes) <= 1 or workers == 1:
        yield from map(_make_chunk, makes, sizes, seeds)
        return
    pool = ProcessPoolExecutor(min(workers, len(sizes)), get_context("spawn"), end_with_parent)
    try:
        with held_back(signal.SIGINT):  # a terminal interrupts the workers too, but who asked for them ends them
            chunks = pool.map(_make_chunk, makes, sizes, seeds)
        yield from chunks
    finally:
        pool.shutdown(cancel_futures=True)


def _reader(path: Path, reference: Callable[[Path], Iterator[Trajectory]]) -> Callable[[Path], Iterator[Trajectory]]:
    """What reads this file, told by its content."""
    if is_parquet(path):
        return read_parquet
    return read_lines if _is_ours(path) else reference


def _read_chunks(path: Path, reference: Callable[[Path], Iterator[Trajectory]], done: int) -> Iterator[_Chunk]:
    episodes = _reader(path, reference)(path)
    number = sum(1 for _ in islice(episodes, done * READ))
    while (chunk := _chunk(islice(episodes, READ))).rows:
        yield chunk
        number += len(chunk.rows)
    if not number:
        raise ValueError(f"task.data.path = '{path}': it has no episodes")


def _show(chunks: Iterator[_Chunk], episodes: int | None, done: int) -> Generator[_Chunk, None, None]:
    """Hand the chunks on and show how many episodes there are."""
    with tqdm(total=episodes, initial=done, desc="data", unit=" episodes", file=sys.stderr, mininterval=0.5) as bar:
        for chunk in chunks:
            yield chunk
            bar.update(len(chunk.rows))


def _grow(lines: Path, stats: Path, chunks: Callable[[int], Generator[_Chunk, None, None]]) -> None:
    part = Growing(lines)
    try:
        with closing(chunks(len(part.notes))) as rest:
            for chunk in rest:
                part.add(chunk.text, chunk.rows)
        with whole(stats) as beside:
            beside.write_text(json.dumps(of_data([row for rows in part.notes for row in rows]), indent=1))
    except BaseException as error:
        if isinstance(error, OSError | ValueError) or not part.notes:  # broken; what was only stopped goes on
            part.discard()
        raise
    part.finish()


def _read_stats(path: Path) -> dict[str, float]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise _damaged(f"{path}: {error}") from error


def _damaged(reason: object) -> ValueError:
    return ValueError(f"{reason}; this data set was damaged in the cache: delete the file, and it is made anew")


def _recipe(call: Callable[..., Any]) -> dict[str, Any]:
    """What a function and the keywords bound to it are, with the content of each file that a keyword names."""
    function = getattr(call, "func", call)
    keywords = {key: _content(value) for key, value in getattr(call, "keywords", {}).items()}
    module = str(function.__module__)
    return {"function": f"{module.rpartition('.')[2]}_{function.__qualname__}", "module": module, "keywords": keywords}


def _content(value: Any) -> Any:
    is_file = isinstance(value, str) and Path(value).is_file()
    return _file_digest(Path(value)) if is_file else value


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_ours(path: Path) -> bool:
    """Whether the first line is an episode of ours."""
    return next(read_records(path, lambda record: isinstance(record, dict) and "turns" in record), False)


def describe(dataset: Dataset) -> str:
    """The statistics as a table for people."""
    stats = dataset.stats
    rows = {
        "episodes": f"{stats['episodes']:,}",
        "actions": f"{stats['actions']:,}, {stats['turns']:.1f} an episode",
        "return": f"{_interval(stats, 'return_mean', 1, 2)} (standard deviation {stats['return_std']:.2f})",
        "success": f"{_interval(stats, 'success', 100, 1)} % of the episodes",
        "invalid": f"{_interval(stats, 'invalid', 100, 1)} % of the actions",
        "file": str(dataset.path),
    }
    return "\n".join(f"{name:<10}{value}" for name, value in rows.items())


def _interval(stats: Mapping[str, float], key: str, scale: float, digits: int) -> str:
    value, low, high = (f"{scale * stats[key + end]:.{digits}f}" for end in ("", "_low", "_high"))
    return f"{value} [{low}, {high}]"
