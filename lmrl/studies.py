"""Where the workers of a study meet: its storage, and who works on which trial.

Promises, for any number of workers that are started, stopped and killed at any time: a study gets exactly as many
trials as it asks for; no two workers have the same one; one whose worker died is taken up by another, under its number
and with its parameters. So whoever works on a trial holds a lock that ends with the process: on files as long as all
are on one machine, else PostgreSQL's. (Optuna's own heartbeat fails a trial after minutes and counts another one,
needs `Study.optimize`, and knows no journal.)
"""

import json
import os
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from hydra.utils import instantiate
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.storages.journal._file import BaseJournalFileLock  # which its package does not hand on
from optuna.trial import TrialState
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from lmrl.locks import ALIVE, FileLocks, Locks, ServerLocks
from lmrl.plan import Plan
from lmrl.space import draw

_GATE = "gate"
"""The lock of whoever begins a study or picks a trial."""
_ONE_SEQUENCE = ("GridSampler", "QMCSampler", "BruteForceSampler")
"""Samplers that all workers go through together. Of others each trial has a seed of its own: workers that begin alike
must not draw alike."""


class Desk:
    """A study in its storage, from which a worker gets its trials.

    begin: whether the study may be a new one. Raises ValueError if it may not and is, if the storage cannot be opened,
    and if it holds another study of that name.
    """

    def __init__(self, plan: Plan, *, begin: bool = True) -> None:
        self.plan = plan
        file = _file(plan.storage)
        if not (begin or file is None or file.is_file()):
            raise ValueError(f"storage = {plan.storage}: no such file; the study has not begun")
        self._prefix = f"{plan.study}." if file else ""
        with told(plan.storage):
            self._locks: Locks = (
                FileLocks(file.with_name(f"{file.name}.locks")) if file else ServerLocks(_url(plan.storage), plan.study)
            )
        with self.alone():
            self.study = self._opened(_storage(plan.storage, file), begin)

    def _opened(self, storage: BaseStorage, begin: bool) -> optuna.Study:
        plan = self.plan
        names = [study.study_name for study in optuna.get_all_study_summaries(storage)]
        if plan.study not in names and not begin:
            raise ValueError(f"study = {plan.study}: has not begun; in this storage are {', '.join(names) or 'none'}")
        study = optuna.create_study(
            storage=storage,
            study_name=plan.study,
            direction=plan.objective.direction,
            sampler=optuna.samplers.RandomSampler(),  # each trial brings its own
            pruner=instantiate(plan.pruner, _convert_="all") if plan.pruner else optuna.pruners.NopPruner(),
            load_if_exists=True,
        )
        begun = study.user_attrs.get("plan")
        if begun is None:
            study.set_user_attr("question", plan.question)
            study.set_user_attr("plan", plan.identity)
        elif begun != plan.identity:
            raise ValueError(
                f"study = {plan.study}: was begun with other {_differing(begun, plan)}; name another study"
            )
        return study

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While nobody else begins or picks anything."""
        with told(self.plan.storage):
            while not self._locks.take(self._prefix + _GATE):
                time.sleep(0.05)
            try:
                yield
            finally:
                self._locks.give(self._prefix + _GATE)

    @contextmanager
    def trial(self) -> Iterator[optuna.Trial | None]:
        """A trial to work on, this worker's until the end of the block; None if there is none now."""
        with self.alone():
            picked = self._picked()
        if picked is None:
            yield None
            return
        try:
            self.study.sampler = self._sampler(picked.number)
            trial = optuna.Trial(self.study, picked._trial_id)
            for name, kind in self.plan.distributions.items():
                draw(trial, name, kind)  # or what it drew before its worker died
            yield trial
        finally:
            self._locks.give(f"{self._prefix}{picked.number}")

    def _picked(self) -> optuna.trial.FrozenTrial | None:
        """A trial whose worker died, or one that waits, or a new one; its lock is taken."""
        trials = self.study.get_trials(deepcopy=False)
        for trial in trials:
            if trial.state == TrialState.RUNNING and self._orphaned(trial.number):
                return trial
        waiting = any(trial.state == TrialState.WAITING for trial in trials)
        if not waiting and len(trials) >= self.plan.size:
            return None
        if self.plan.arms and not waiting:
            self.study.enqueue_trial({"arm": list(self.plan.arms)[len(trials)]})
        number = self.study.ask().number
        taken = self._locks.take(f"{self._prefix}{number}")
        assert taken, f"trial {number} is new and has a worker"
        return self.study.get_trials(deepcopy=False)[number]

    def _orphaned(self, number: int) -> bool:
        """Whether nobody has the trial's lock, and it has not ended meanwhile; the lock is ours then."""
        if not self._locks.take(f"{self._prefix}{number}"):
            return False
        if self.study.get_trials(deepcopy=False)[number].state == TrialState.RUNNING:
            return True
        self._locks.give(f"{self._prefix}{number}")
        return False

    def _sampler(self, number: int) -> optuna.samplers.BaseSampler:
        node: dict[str, Any] = dict(self.plan.sampler or {"_target_": "optuna.samplers.TPESampler", "seed": 0})
        if isinstance(node.get("seed"), int) and not node["_target_"].endswith(_ONE_SEQUENCE):
            node["seed"] = zlib.crc32(f"{node['seed']} {number}".encode())
        sampler: optuna.samplers.BaseSampler = instantiate(node, _convert_="all")
        return sampler

    def tell(self, trial: optuna.Trial, value: float | None) -> None:
        """The end of a trial: complete with a value, or else pruned."""
        self.hold()
        state = TrialState.PRUNED if value is None else TrialState.COMPLETE
        with told(self.plan.storage):
            try:
                self.study.tell(trial, value, state)
            except RuntimeError:  # a grid that is exhausted stops the loop of Study.optimize, which is not ours
                if not self.study.get_trials(deepcopy=False)[trial.number].state.is_finished():
                    raise

    def hold(self) -> None:
        """Raise ValueError if the storage was lost, so that another worker may have this one's trial."""
        with told(self.plan.storage):
            self._locks.hold()

    def left(self) -> int:
        """How many trials have not ended, those that nobody has begun included."""
        trials = self.study.get_trials(deepcopy=False)
        return max(self.plan.size, len(trials)) - sum(trial.state.is_finished() for trial in trials)


@contextmanager
def told(storage: str) -> Iterator[None]:
    """Turn what a storage that is away raises into one line for the user, without its password: a ValueError."""
    try:
        yield
    except ImportError as error:
        raise ValueError(f"storage = {_shown(storage)}: {error}; pip install 'lmrl[postgres]'") from error
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        reason = " ".join(str(getattr(error, "orig", None) or error.__cause__ or error).split())[:200]
        raise ValueError(f"storage = {_shown(storage)}: {reason}; the same command goes on") from error


def _shown(storage: str) -> str:
    return storage if _file(storage) else make_url(storage).render_as_string()


def _url(storage: str) -> str:
    """SQLAlchemy's address, with the driver that is tested."""
    return make_url(storage).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _file(storage: str) -> Path | None:
    """The file of a storage on one machine; None for a server's. Raises ValueError for what is neither."""
    kind, _, place = storage.partition(":///")
    if kind in ("sqlite", "journal") and place:
        return Path(place).absolute()
    if not storage.startswith(("postgresql://", "postgresql+psycopg://")):
        raise ValueError(f"storage = {storage}: write sqlite:///FILE, journal:///FILE or postgresql://USER@HOST/NAME")
    return None


def _storage(storage: str, file: Path | None) -> BaseStorage:
    if file is None:
        return RDBStorage(_url(storage), engine_kwargs={"pool_pre_ping": True, "connect_args": ALIVE})
    file.parent.mkdir(parents=True, exist_ok=True)
    if storage.startswith("journal"):
        return JournalStorage(JournalFileBackend(str(file), _JournalLock(file)))
    return RDBStorage(f"sqlite:///{file}", engine_kwargs={"connect_args": {"timeout": 60}})


class _JournalLock(BaseJournalFileLock):
    """In place of Optuna's own, which outlives a killed holder by 30 seconds, and keeps a line that it left torn."""

    def __init__(self, path: Path) -> None:
        self._path, self._locks = path, FileLocks(path.with_name(f"{path.name}.locks"))

    def acquire(self) -> bool:
        while not self._locks.take("journal"):
            time.sleep(0.001)
        with self._path.open("rb") as journal:
            size = journal.seek(0, os.SEEK_END)
            journal.seek(max(0, size - 1))
            torn = journal.read(1) not in (b"", b"\n")
        if torn:
            os.truncate(self._path, self._path.read_bytes().rfind(b"\n") + 1)
        return True

    def release(self) -> None:
        self._locks.give("journal")


def _differing(begun: str, plan: Plan) -> str:
    before, now = json.loads(begun), json.loads(plan.identity)
    return " and ".join(key for key in now if before.get(key) != now[key])
