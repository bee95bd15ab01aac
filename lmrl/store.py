"""A line to an MLflow store: short of patience, quiet, and free to break.

MLflow and its database take seconds to import, so a function imports them when it is called.
"""

import json
import logging
import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from filelock import FileLock
from omegaconf import DictConfig, OmegaConf

from lmrl.errors import in_a_line
from lmrl.provenance import flat

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Metric, Run
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

Status = Literal["FINISHED", "FAILED", "KILLED"]

ADDRESS = re.compile(r"sqlite:///.|(?!sqlite)[\w+-]+://|databricks")
"""Of a store. What is none MLflow would take for a folder."""
_log = logging.getLogger(__name__)
_PATIENCE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""MLflow's own defaults wait for minutes, and its telemetry needs a network. What the user has set stays."""
_CHATTER = {
    "mlflow.store.db": logging.CRITICAL,  # it shows the traceback of what we tell in one line
    "mlflow.system_metrics": logging.CRITICAL,  # it warns of a lost server too, and one line is enough
    "urllib3.connectionpool": logging.ERROR,
}
_BATCH = 1000
"""Metrics that MLflow takes in one call."""
_PARAMS = 100
"""Parameters or tags that MLflow takes in one call."""
_TURN = 300.0
"""Seconds that a process waits for others to have opened the same store."""
_DIGEST = 36
"""Characters of a data set's digest that MLflow keeps."""


class Outbox:
    """What one run sends to its store. From the first failure on everything waits, to be tried once more at the end."""

    def __init__(self, client: "MlflowClient", run_id: str, folder: Path) -> None:
        self.client, self.run_id, self.folder = client, run_id, folder
        self.lost = False
        self._metrics: list[Metric] = []
        self._calls: list[Callable[[MlflowClient, str], object]] = []

    def metrics(self, values: Mapping[str, float], step: int, milliseconds: int) -> None:
        from mlflow.entities import Metric

        self._metrics += [Metric(name, value, milliseconds, step) for name, value in values.items()]
        self._flush_unless_lost()

    def send(self, call: "Callable[[MlflowClient, str], object]") -> None:
        self._calls.append(call)
        self._flush_unless_lost()

    def close(self, status: Status) -> None:
        """The status goes first: it tells at once whether anybody listens."""
        refused = self._failure(lambda: self.client.set_terminated(self.run_id, status)) or self._failure(self._flush)
        if refused:
            missing = f"{len(self._metrics)} metrics and {len(self._calls)} other records"
            _log.warning("MLflow lacks %s (%s); metrics.jsonl is whole: %s", missing, refused, self.folder)

    def _flush_unless_lost(self) -> None:
        if not self.lost and (refused := self._failure(self._flush)):
            self.lost = True
            _log.warning("MLflow takes no more (%s); the run goes on and tries again at its end", refused)

    def _failure(self, call: Callable[[], object]) -> str | None:
        """Why a call failed; None if it did not."""
        try:
            call()
        except _failures() as error:
            return _reason(error)
        return None

    def _flush(self) -> None:
        """Send metrics, then every other record; one that is refused keeps no other from being sent."""
        while self._metrics:
            self.client.log_batch(self.run_id, metrics=self._metrics[:_BATCH])
            del self._metrics[:_BATCH]
        waiting, self._calls = self._calls, []
        refused: Exception | None = None
        for call in waiting:
            try:
                call(self.client, self.run_id)
            except _failures() as error:
                self._calls.append(call)
                refused = error
        if refused:
            raise refused


def connect(uri: str) -> "MlflowClient":
    """A client; whether a server answers shows in the first call."""
    for name, value in _PATIENCE.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient

    for name, level in _CHATTER.items():
        logging.getLogger(name).setLevel(level)
    if not ADDRESS.match(uri):
        such = "such as sqlite:///mlflow.db or http://localhost:5000"
        raise ValueError(f"tracking.uri = {uri}: not an address, {such}; to have no store, say tracking=off")
    file = _sqlite_file(uri)
    with _alone_at(file) if file else nullcontext():
        return MlflowClient(tracking_uri=uri)


@contextmanager
def _alone_at(file: Path) -> Iterator[None]:
    """One process at a time: MLflow makes and migrates its tables as if there were no other.

    What cannot be opened is told at once; MLflow would try it ten times, for minutes.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    (lock := Path(f"{file}.lock")).touch()  # one that cannot be made would be waited for, as if others had it
    with FileLock(lock, timeout=_TURN):
        sqlite3.connect(file).close()
        yield


def absolute(uri: str | None) -> str | None:
    """A local store's path in full: MLflow keeps one connection a name, wherever the process has moved since."""
    if uri is None or not uri.startswith("sqlite:///"):
        return uri
    return f"sqlite:///{Path(uri.removeprefix('sqlite:///')).resolve()}"


def _sqlite_file(uri: str) -> Path | None:
    """The file of a local store, without the options of its address."""
    path = uri.removeprefix("sqlite:///").partition("?")[0]
    return Path(path).resolve() if uri.startswith("sqlite:///") else None


def open_run(client: "MlflowClient", uri: str, experiment: str, run_name: str, run_id: str | None) -> "Run":
    """A new run, or with an id that very run, RUNNING again."""
    if run_id is None:
        return client.create_run(_experiment(client, experiment, uri), run_name=run_name)
    client.update_run(run_id, status="RUNNING")
    return client.get_run(run_id)


def _experiment(client: "MlflowClient", name: str, uri: str) -> str:
    """The experiment's id. A new one in a local store keeps its artifacts beside it, wherever one is started from."""
    from mlflow.exceptions import MlflowException

    file = _sqlite_file(uri)
    if client.get_experiment_by_name(name) is None:
        with suppress(MlflowException):  # another run may have made it since; if not, what follows tells
            client.create_experiment(name, (file.parent / "mlartifacts").as_uri() if file else None)
    found = client.get_experiment_by_name(name)
    if found is None or found.lifecycle_stage != "active":
        raise MlflowException(f"experiment {name!r} is deleted or cannot be made")
    return str(found.experiment_id)


def log_origin(
    client: "MlflowClient", run: "Run", config: DictConfig, texts: Mapping[str, str], tags: Mapping[str, str]
) -> None:
    """Parameters that the run does not hold yet, cut where MLflow would cut them; tags; texts, by artifact."""
    from mlflow.entities import Param, RunTag
    from mlflow.utils.validation import MAX_PARAM_VAL_LENGTH

    run_id = run.info.run_id
    plain = flat(OmegaConf.to_container(config, resolve=True))
    params = [Param(k, v[:MAX_PARAM_VAL_LENGTH]) for k, v in plain.items() if k not in run.data.params]
    for first in range(0, len(params), _PARAMS):
        client.log_batch(run_id, params=params[first : first + _PARAMS])
    client.log_batch(run_id, tags=[RunTag(key, value) for key, value in tags.items()])
    for name, text in texts.items():
        client.log_text(run_id, text, name)


def system_monitor(run_id: str, uri: str) -> "SystemMetricsMonitor":
    """MLflow's own thread, started; it goes on counting where a resumed run stopped."""
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

    monitor = SystemMetricsMonitor(run_id, resume_logging=True, tracking_uri=uri)  # type: ignore[no-untyped-call]
    monitor.start()  # type: ignore[no-untyped-call]
    return monitor


def dataset_input(name: str, digest: str, path: Path, stats: Mapping[str, float]) -> "DatasetInput":
    from mlflow.entities import Dataset, DatasetInput, InputTag

    source, profile = json.dumps({"uri": str(path)}), json.dumps(dict(stats))
    dataset = Dataset(name=name, digest=digest[:_DIGEST], source_type="local", source=source, profile=profile)
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


def finished_runs(client: "MlflowClient", experiment: str, tags: Mapping[str, str]) -> "Sequence[Run]":
    """FINISHED runs with all these tags, newest first. Raises ValueError for a tag that holds a quote."""
    where = ["attributes.status = 'FINISHED'", *(_equals(key, value) for key, value in tags.items())]
    found = client.get_experiment_by_name(experiment)
    if found is None:
        return []
    newest_first = ["attributes.start_time DESC"]
    return client.search_runs([found.experiment_id], " and ".join(where), order_by=newest_first)


def _equals(key: str, value: str) -> str:
    if "'" in value or "`" in key:
        raise ValueError(f"tag {key} = {value}: a tag to look for has no quotes")
    return f"tags.`{key}` = '{value}'"


def _failures() -> tuple[type[Exception], ...]:
    """What a store that is away raises; a function, since MLflow and its database are imported when they are used."""
    from alembic.util import CommandError
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return MlflowException, SQLAlchemyError, CommandError, sqlite3.Error, OSError, ImportError


@contextmanager
def told(uri: str) -> Iterator[None]:
    """Turn what a store that is away raises into one line for the user: a ValueError."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, _failures()):
            raise
        hint = "name a store that answers and knows the run, leave tracking.uri at its default, or say tracking=off"
        raise ValueError(f"tracking.uri = {uri}: {_reason(error)}; {hint}") from error


def _reason(error: BaseException) -> str:
    """One line: what the system said, where that is known, instead of what four libraries made of it."""
    cause, seen = error, error
    while (deeper := seen.__cause__ or seen.__context__) is not None:
        seen = deeper
        cause = seen if isinstance(seen, OSError) else cause
    return in_a_line(cause)[:200]
