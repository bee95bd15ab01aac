"""Where the workers of a study meet: its storage, and who works on which trial.

Promises, for any number of workers that are started, stopped and killed at any time: a study gets exactly as many
trials as it asks for; no two workers have the same one; one whose worker died is taken up by another, under its number
and with its parameters. So whoever works on a trial holds a lock that ends with the process: on files as long as all
are on one machine, else PostgreSQL's. (Optuna's own heartbeat fails a trial after minutes and counts another one,
needs `Study.optimize`, and knows no journal.)
"""

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import optuna
from optuna.storages import BaseStorage
from optuna.trial import TrialState

from lmrl.studies.locks import FileLocks, Locks, ServerLocks, alone
from lmrl.studies.plan import Plan, made
from lmrl.studies.space import draw
from lmrl.studies.storages import address, file_of, opened, told

_GATE, _TABLES = "gate", "tables"
"""The locks of whoever begins a study or picks a trial, and of whoever may make the storage, which studies share."""
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
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        file = file_of(plan.storage)
        if not (begin or file is None or file.is_file()):
            raise ValueError(f"storage = {plan.storage}: no such file; the study has not begun")
        with told(plan.storage):
            self._locks: Locks = (
                FileLocks(file.with_name(f"{file.name}.locks")) if file else ServerLocks(address(plan.storage))
            )
            with alone(self._locks, _TABLES):
                storage = opened(plan.storage, file)
        with self.alone():
            self.study = self._joined(storage, begin)

    def _joined(self, storage: BaseStorage, begin: bool) -> optuna.Study:
        plan = self.plan
        names = [study.study_name for study in optuna.get_all_study_summaries(storage)]
        if plan.study not in names and not begin:
            raise ValueError(f"study = {plan.study}: has not begun; in this storage are {', '.join(names) or 'none'}")
        study = optuna.create_study(
            storage=storage,
            study_name=plan.study,
            direction=plan.objective.direction,
            sampler=optuna.samplers.RandomSampler(),  # each trial brings its own
            pruner=made("pruner", plan.pruner or {"_target_": "optuna.pruners.NopPruner"}),
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
        with told(self.plan.storage), alone(self._locks, self._lock(_GATE)):
            yield

    def _lock(self, name: str | int) -> str:
        return f"{self.plan.study}.{name}"

    @contextmanager
    def trial(self) -> Iterator[optuna.Trial | None]:
        """A trial to work on, this worker's until the end of the block; None if there is none now."""
        with self.alone():
            picked = self._picked()
        if picked is None:
            yield None
            return
        try:
            with told(self.plan.storage):
                yield self._drawn(picked)
        finally:
            self._locks.give(self._lock(picked.number))

    def _drawn(self, picked: optuna.trial.FrozenTrial) -> optuna.Trial:
        """The trial with its parameters: what it drew before its worker died, if it had one, stays."""
        self.study.sampler = self._sampler(picked.number)
        trial = optuna.Trial(self.study, picked._trial_id)
        for name, kind in self.plan.distributions.items():
            draw(trial, name, kind)
        return trial

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
        taken = self._locks.take(self._lock(number))
        assert taken, f"trial {number} is new and has a worker"
        return self.study.get_trials(deepcopy=False)[number]

    def _orphaned(self, number: int) -> bool:
        """Whether nobody has the trial's lock, and it has not ended meanwhile; the lock is ours then."""
        if not self._locks.take(self._lock(number)):
            return False
        if self.study.get_trials(deepcopy=False)[number].state == TrialState.RUNNING:
            return True
        self._locks.give(self._lock(number))
        return False

    def _sampler(self, number: int) -> optuna.samplers.BaseSampler:
        node: dict[str, Any] = dict(self.plan.sampler or {"_target_": "optuna.samplers.TPESampler", "seed": 0})
        if isinstance(node.get("seed"), int) and not node["_target_"].endswith(_ONE_SEQUENCE):
            node["seed"] = zlib.crc32(f"{node['seed']} {number}".encode())
        sampler: optuna.samplers.BaseSampler = made("sampler", node)
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
        with told(self.plan.storage):
            trials = self.study.get_trials(deepcopy=False)
        return max(self.plan.size, len(trials)) - sum(trial.state.is_finished() for trial in trials)


def _differing(begun: str, plan: Plan) -> str:
    before, now = json.loads(begun), json.loads(plan.identity)
    return " and ".join(key for key in now if before.get(key) != now[key])
