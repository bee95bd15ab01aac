"""Finished runs as a store holds them, a thousand in seconds.

MLflow's own search makes an object of every parameter: for a thousand runs that takes longer than all the rest of a
report. A database is therefore asked for the rows themselves; a server has no other way than the search.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from lmrl.store import absolute, connect, told

if TYPE_CHECKING:
    from sqlalchemy import Connection

_RUNS = """
SELECT runs.run_uuid, runs.name, runs.start_time, runs.artifact_uri FROM runs
JOIN experiments ON runs.experiment_id = experiments.experiment_id
WHERE experiments.name = :experiment AND runs.status = 'FINISHED' AND runs.lifecycle_stage = 'active'
"""
_ROWS = "SELECT run_uuid, key, value FROM {table} WHERE run_uuid IN (SELECT run_uuid FROM ({runs}) AS chosen)"
_NUMBERS = " AND NOT is_nan"
_PAGE = 1000
_AT_ONCE = 8
"""Downloads from a server."""


class NoStoreError(ValueError):
    """A local store that is not there yet."""


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run that ended well."""

    id: str
    name: str
    begun: int
    """Milliseconds since 1970."""
    artifacts: str
    """Where its files lie."""
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    """The last value of each, if it is a number."""
    tags: Mapping[str, str]


def stored_runs(uri: str, experiment: str) -> list[StoredRun]:
    """The FINISHED runs of an experiment, oldest first; none if there is no such experiment.

    Raises NoStoreError if the store's file is not there, ValueError if it does not answer; both name tracking.uri.
    """
    uri = absolute(uri) or uri
    file = Path(uri.removeprefix("sqlite:///").partition("?")[0])
    if uri.startswith("sqlite:///") and not file.is_file():
        raise NoStoreError(f"tracking.uri = {uri}: no such store; name the one that runs were recorded in")
    with told(uri):
        found = _searched(uri, experiment) if uri.startswith("http") else _selected(uri, experiment)
        return sorted(found, key=lambda run: run.begun)  # here, since it is now that a server is asked


def _selected(uri: str, experiment: str) -> list[StoredRun]:
    from sqlalchemy import create_engine, text

    engine = create_engine(uri)
    try:
        with engine.connect() as line:
            runs = line.execute(text(_RUNS), {"experiment": experiment}).all()
            params, metrics, tags = (_by_run(line, experiment, t) for t in ("params", "latest_metrics", "tags"))
    finally:
        engine.dispose()
    empty: dict[str, Any] = {}
    return [
        StoredRun(id, name, begun, place, params.get(id, empty), metrics.get(id, empty), tags.get(id, empty))
        for id, name, begun, place in runs
    ]


def _by_run(line: "Connection", experiment: str, table: str) -> dict[str, dict[str, Any]]:
    from sqlalchemy import text

    result: dict[str, dict[str, Any]] = {}
    query = text(_ROWS.format(table=table, runs=_RUNS) + _NUMBERS * (table == "latest_metrics"))
    for run, key, value in line.execute(query, {"experiment": experiment}):
        result.setdefault(run, {})[key] = value
    return result


def _searched(uri: str, experiment: str) -> Iterator[StoredRun]:
    client = connect(uri)
    found = client.get_experiment_by_name(experiment)
    page = None
    while found is not None:
        runs = client.search_runs([found.experiment_id], "attributes.status = 'FINISHED'", 1, _PAGE, page_token=page)
        for run in runs:
            info, data = run.info, run.data
            numbers = {name: value for name, value in data.metrics.items() if value == value}
            yield StoredRun(
                info.run_id, info.run_name, info.start_time, info.artifact_uri, data.params, numbers, data.tags
            )
        if not (page := runs.token):
            return


def files(uri: str, runs: Iterable[StoredRun], name: str) -> dict[str, Path]:
    """Where that artifact of each run lies, by the run's id; a server's are fetched. Runs without it are left out."""
    local, away = {}, []
    for run in runs:
        place = _folder(run.artifacts)
        if place is None:
            away.append(run.id)
        elif (place / name).is_file():
            local[run.id] = place / name
    if not away:
        return local
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        fetched = pool.map(lambda run: _fetched(uri, run, name), away)
        return local | {run: path for run, path in zip(away, fetched, strict=True) if path}


def _folder(place: str) -> Path | None:
    """The folder that an address names; None if it is on another machine."""
    parts = urlsplit(place)
    return Path(unquote(parts.path)) if parts.scheme in ("", "file") else None


def _fetched(uri: str, run: str, name: str) -> Path | None:
    from mlflow.exceptions import MlflowException

    try:
        return Path(connect(uri).download_artifacts(run, name))
    except (MlflowException, OSError):
        return None
