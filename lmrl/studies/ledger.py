"""A study in MLflow: an experiment of its name, in it a run per trial, below that the runs of its seeds, and a summary.

A store that goes away later costs a warning; what the study knows is in its own storage.
"""

import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from omegaconf import DictConfig, OmegaConf

from lmrl import __version__
from lmrl.provenance import git_tags
from lmrl.store import Outbox, Status, absolute, connect, log_origin, open_run, told
from lmrl.studies.plan import Plan


class Attributes(Protocol):
    """What remembers its MLflow run: a trial or a study of Optuna's."""

    @property
    def user_attrs(self) -> dict[str, Any]: ...

    def set_user_attr(self, key: str, value: Any) -> None: ...


class Page:
    """One run of the ledger; without a store, nothing."""

    def __init__(self, outbox: Outbox | None = None) -> None:
        self._outbox = outbox

    @property
    def overrides(self) -> list[str]:
        """What puts a training below this run."""
        return [f"tracking.parent={self._outbox.run_id}"] if self._outbox else []

    def write(self, figures: Mapping[str, float], tags: Mapping[str, str]) -> None:
        """Figures as `study/<name>`, and how it ended."""
        if self._outbox is None:
            return
        self._outbox.metrics({f"study/{name}": value for name, value in figures.items()}, 0, int(1000 * time.time()))
        for key, value in tags.items():
            self._outbox.send(lambda client, run, key=key, value=value: client.set_tag(run, key, value))  # type: ignore[misc]


class Ledger:
    """The experiment of a study. tracking: that of its runs' config."""

    def __init__(self, plan: Plan, tracking: DictConfig) -> None:
        self._plan, self._uri = plan, absolute(tracking.uri)
        self._store = f"{zlib.crc32((self._uri or '').encode()):08x}"

    @property
    def overrides(self) -> list[str]:
        """What puts a training into the experiment."""
        return [f"tracking.experiment={self._plan.study}"]

    @contextmanager
    def page(self, kind: str, name: str, whose: Attributes, params: Mapping[str, Any]) -> Iterator[Page]:
        """The run of a trial or of the study, KILLED if the block is interrupted, FAILED if it raises.

        whose: what remembers it. Raises ValueError if the store does not answer at the beginning.
        """
        if self._uri is None:
            yield Page()
            return
        outbox = self._opened(kind, name, whose, params)
        status: Status = "FAILED"
        try:
            yield Page(outbox)
            status = "FINISHED"
        except KeyboardInterrupt:
            status = "KILLED"
            raise
        finally:
            outbox.close(status)

    def _opened(self, kind: str, name: str, whose: Attributes, params: Mapping[str, Any]) -> Outbox:
        assert self._uri
        tags = {"kind": kind, "study": self._plan.study, "question": self._plan.question, "lmrl_version": __version__}
        with told(self._uri):
            client = connect(self._uri)
            key = f"mlflow {self._store} {name}"
            run = open_run(client, self._uri, self._plan.study, name, whose.user_attrs.get(key))
            whose.set_user_attr(key, run.info.run_id)
            log_origin(client, run, OmegaConf.create(dict(params)), {}, {**tags, **git_tags()})
        return Outbox(client, run.info.run_id, Path(self._plan.place))
