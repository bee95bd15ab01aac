"""One MLflow run per training or evaluation, through Lightning's Logger interface.

Promises: every metric is also a line of `metrics.jsonl` in the run's folder, store or no store. A store that does not
answer at the start is an error; one that goes away later costs a warning and nothing else, and is asked once more at
the end. A run says truthfully how it ended, and a resumed one is the same run. Of several processes the first writes.
"""

import json
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only
from omegaconf import DictConfig, OmegaConf
from typing_extensions import override

from lmrl import __version__
from lmrl.config import config_hash
from lmrl.provenance import git_tags
from lmrl.store import (
    Outbox,
    Status,
    absolute,
    connect,
    dataset_input,
    finished_runs,
    log_origin,
    open_run,
    system_monitor,
    told,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

_NAME = re.compile(r"[\w\-./ ]{1,250}", re.ASCII)


class Tracker(Logger):
    """The record of one run.

    uri: an MLflow store or server; None: the run's folder alone. run_id: a run to go on with; left out, it is the one
    that `folder/run_id` names, or else a new one. parent: the run that this one stands below.
    """

    def __init__(
        self,
        folder: Path,
        run_name: str,
        run_id: str | None = None,
        *,
        uri: str | None,
        experiment: str,
        parent: str | None = None,
    ) -> None:
        super().__init__()
        self.folder, self.run_name, self.run_id = Path(folder), run_name, run_id
        self.uri, self.experiment = absolute(uri or None), experiment
        self._below = {"mlflow.parentRunId": parent} if parent else {}
        self._history: dict[str, dict[int, float]] = {}
        self._outbox: Outbox | None = None
        self._monitor: SystemMetricsMonitor | None = None

    @property
    @override
    def name(self) -> str:
        """Empty, as is `version`: Lightning shall add no folders of its own to the run's."""
        return ""

    @property
    @override
    def version(self) -> str:
        return ""

    @property
    @override
    def save_dir(self) -> str:
        return str(self.folder)

    @property
    def history(self) -> Mapping[str, Sequence[tuple[int, float]]]:
        """Every metric so far, those of an interrupted run included: (step, last value) by rising step."""
        return {name: sorted(values.items()) for name, values in self._history.items()}

    @contextmanager
    def recording(
        self, config: DictConfig | Mapping[str, Any], overrides: Sequence[str], tags: Mapping[str, str]
    ) -> Iterator[None]:
        """`start` before the block and `finish` after it: KILLED if it was interrupted, FAILED if it raised."""
        try:
            self.start(config, overrides, tags)
            yield
        except BaseException as error:
            self.finish("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
            raise
        self.finish("FINISHED")

    @rank_zero_only
    def start(self, config: DictConfig | Mapping[str, Any], overrides: Sequence[str], tags: Mapping[str, str]) -> None:
        """Open the run, or open it again, and log what made it.

        `config.yaml` and `overrides.yaml`, in the folder and as artifacts; flat parameters, of which a run that is
        opened again keeps the old; tags as given, `lmrl_version`, `config_hash`, `git_commit` and `git_dirty`; system
        metrics until `finish`.
        Raises ValueError naming tracking.uri if the store does not answer or does not know the run.
        """
        composed = OmegaConf.create(config)  # type: ignore[arg-type]
        typed = OmegaConf.create(list(overrides))
        texts = {"config.yaml": OmegaConf.to_yaml(composed, resolve=True), "overrides.yaml": OmegaConf.to_yaml(typed)}
        self._leave(texts)
        self._remember()
        if self.uri is None:
            return
        made_by = {
            "lmrl_version": __version__,
            "config_hash": config_hash(composed),
            **git_tags(),
            **self._below,
            **tags,
        }
        with told(self.uri):
            client = connect(self.uri)
            run = open_run(client, self.uri, self.experiment, self.run_name, self._known_id())
        self.run_id = run.info.run_id
        self._outbox = Outbox(client, self.run_id, self.folder)
        (self.folder / "run_id").write_text(self.run_id + "\n", encoding="utf-8")
        with told(self.uri):
            log_origin(client, run, composed, texts, made_by)
            self._monitor = system_monitor(self.run_id, self.uri)

    @rank_zero_only
    @override
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """One line and one call for all of them. Raises ValueError for a name that MLflow would refuse."""
        now, step = time.time(), step or 0
        values = {name: float(value) for name, value in metrics.items()}
        for name in values.keys() - self._history.keys():
            if not _NAME.fullmatch(name):
                raise ValueError(f"metric {name!r}: a name has letters, digits, '_', '-', '.', '/' and spaces only")
        self._keep(values, step)
        finite = {name: value if math.isfinite(value) else None for name, value in values.items()}
        with self._lines.open("a", encoding="utf-8") as out:
            out.write(json.dumps({"step": step, "time": now, "metrics": finite}) + "\n")
        if self._outbox:
            self._outbox.metrics(values, step, int(1000 * now))

    @rank_zero_only
    @override
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Nothing: `start` has logged the config, where every hyper-parameter comes from."""

    def log_dataset(self, name: str, digest: str, path: Path, stats: Mapping[str, float]) -> None:
        """The data that this run learns from, as an MLflow dataset, and each statistic as the metric `data/<key>`."""
        self._send(lambda client, run: client.log_inputs(run, [dataset_input(name, digest, path, stats)]))
        self.log_metrics({f"data/{key}": value for key, value in stats.items()}, 0)

    def log_text(self, text: str, artifact: str) -> None:
        """Store a text as the artifact of that path."""
        self._send(lambda client, run: client.log_text(run, text, artifact))

    def log_file(self, path: Path) -> None:
        """Store a file under its own name."""
        self._send(lambda client, run: client.log_artifact(run, str(path)))

    def tag(self, key: str, value: str, run_id: str | None = None) -> None:
        """Set a tag of the run, or of another one."""
        self._send(lambda client, run: client.set_tag(run_id or run, key, value))

    def find(self, tags: Mapping[str, str]) -> list[dict[str, Any]]:
        """FINISHED runs of the experiment with all these tags, newest first: `{"id": str, "tags": {...}}` each.

        Needs no `start`. Raises ValueError naming tracking.uri if the store does not answer, or a tag with a quote.
        """
        if self.uri is None:
            return []
        with told(self.uri):
            runs = finished_runs(connect(self.uri), self.experiment, tags)
        return [{"id": run.info.run_id, "tags": dict(run.data.tags)} for run in runs]

    def finish(self, status: Status) -> None:
        """Close the run, sending what a lost store has not had. Only the first call counts."""
        if status not in get_args(Status):
            raise ValueError(f"status = {status!r}: a run ends as one of {', '.join(get_args(Status))}")
        monitor, self._monitor = self._monitor, None
        outbox, self._outbox = self._outbox, None
        if monitor:
            monitor.finish()  # type: ignore[no-untyped-call]
        if outbox:
            outbox.close(status)

    @property
    def _lines(self) -> Path:
        return self.folder / "metrics.jsonl"

    def _send(self, call: "Callable[[MlflowClient, str], object]") -> None:
        if self._outbox:
            self._outbox.send(call)

    def _leave(self, texts: Mapping[str, str]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (self.folder / name).write_text(text, encoding="utf-8")

    def _keep(self, values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            self._history.setdefault(name, {})[step] = value

    def _remember(self) -> None:
        """What an interrupted run has left in its folder."""
        if not self._lines.exists():
            return
        for line in self._lines.read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):  # cut off when the run was killed
                row = json.loads(line)
                self._keep({k: math.nan if v is None else v for k, v in row["metrics"].items()}, row["step"])

    def _known_id(self) -> str | None:
        note = self.folder / "run_id"
        return self.run_id or (note.read_text(encoding="utf-8").strip() if note.exists() else None)
