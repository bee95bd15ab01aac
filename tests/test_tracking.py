"""Real stores: SQLite files, and MLflow's own server, started and killed."""

import json
import logging
import math
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from mlflow import MlflowClient

from lmrl import store
from lmrl.tracking import Tracker

ROOT = Path(__file__).parents[1]
CONFIG: dict[str, Any] = {"task": {"name": "maze"}, "algo": {"gamma": 0.99, "notes": "x" * 7000}}


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once: MLflow takes seconds for its tables."""
    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def uri(tmp_path: Path, empty_store: Path) -> str:
    (tmp_path / "store").mkdir()
    shutil.copy(empty_store, tmp_path / "store")
    return f"sqlite:///{tmp_path}/store/mlflow.db"


def begun(folder: Path, uri: str | None, tags: dict[str, str] | None = None) -> Tracker:
    tracker = Tracker(folder, "maze-ilql", uri=uri, experiment="lmrl")
    tracker.start(CONFIG, ["task=maze", "algo.gamma=0.99"], tags or {"task": "maze"})
    return tracker


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def artifact(client: MlflowClient, tracker: Tracker, path: str) -> str:
    return Path(client.download_artifacts(tracker.run_id, path)).read_text()


def test_a_run_holds_what_made_it(tmp_path: Path, uri: str) -> None:
    tracker = begun(tmp_path / "run", uri)
    tracker.finish("FINISHED")
    client = MlflowClient(uri)
    run = client.get_run(tracker.run_id)
    assert run.info.run_name == "maze-ilql"
    assert run.data.params["algo.gamma"] == "0.99"
    assert run.data.params["algo.notes"] == "x" * 6000  # what MLflow takes; the artifact has it whole
    assert run.data.tags["task"] == "maze"
    assert len(run.data.tags["config_hash"]) == 12
    assert run.data.tags["lmrl_version"]
    assert yaml.safe_load(artifact(client, tracker, "config.yaml")) == CONFIG
    assert yaml.safe_load(artifact(client, tracker, "overrides.yaml")) == ["task=maze", "algo.gamma=0.99"]
    assert (tmp_path / "run" / "run_id").read_text().strip() == tracker.run_id


def test_artifacts_of_a_local_store_lie_beside_it_wherever_the_run_was_started(tmp_path: Path, uri: str) -> None:
    tracker = begun(tmp_path / "run", uri)
    tracker.finish("FINISHED")
    assert list((tmp_path / "store" / "mlartifacts").rglob("config.yaml"))


def test_metrics_are_in_the_store_in_the_file_and_in_the_history(tmp_path: Path, uri: str) -> None:
    tracker = begun(tmp_path / "run", uri)
    tracker.log_metrics({"train/loss": 2.0, "eval/return_mean": -9.0}, 10)
    tracker.log_metrics({"train/loss": 1.0}, 20)
    tracker.finish("FINISHED")
    stored = MlflowClient(uri).get_metric_history(tracker.run_id, "train/loss")
    assert [(m.step, m.value) for m in stored] == [(10, 2.0), (20, 1.0)]
    assert [(line["step"], line["metrics"]) for line in lines(tmp_path / "run")] == [
        (10, {"train/loss": 2.0, "eval/return_mean": -9.0}),
        (20, {"train/loss": 1.0}),
    ]
    assert tracker.history == {"train/loss": [(10, 2.0), (20, 1.0)], "eval/return_mean": [(10, -9.0)]}


def test_a_number_that_is_not_finite_is_null_in_the_file_and_itself_in_the_store(tmp_path: Path, uri: str) -> None:
    tracker = begun(tmp_path / "run", uri)
    tracker.log_metrics({"train/loss": math.nan}, 1)
    tracker.finish("FAILED")
    assert lines(tmp_path / "run")[0]["metrics"] == {"train/loss": None}
    assert math.isnan(MlflowClient(uri).get_run(tracker.run_id).data.metrics["train/loss"])


def test_without_a_store_there_is_the_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tracker = begun(tmp_path / "run", None)
    tracker.log_dataset("maze", "f" * 64, Path("maze.jsonl"), {"episodes": 3.0})
    tracker.log_text("hello", "hello.txt")
    tracker.tag("diverged", "false")
    tracker.finish("FINISHED")
    assert lines(tmp_path / "run")[0]["metrics"] == {"data/episodes": 3.0}
    assert tracker.find({"task": "maze"}) == []
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"metrics.jsonl", "config.yaml", "overrides.yaml"}
    assert yaml.safe_load((tmp_path / "run" / "config.yaml").read_text()) == CONFIG
    assert yaml.safe_load((tmp_path / "run" / "overrides.yaml").read_text()) == ["task=maze", "algo.gamma=0.99"]


def test_a_dataset_is_an_input_of_the_run_and_its_statistics_are_metrics(tmp_path: Path, uri: str) -> None:
    tracker = begun(tmp_path / "run", uri)
    tracker.log_dataset("maze", "f" * 64, Path("maze.jsonl"), {"episodes": 3.0, "return_mean": -83.0})
    tracker.finish("FINISHED")
    run = MlflowClient(uri).get_run(tracker.run_id)
    (used,) = run.inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == ("maze", "f" * 36)
    assert json.loads(used.dataset.source) == {"uri": "maze.jsonl"}
    assert json.loads(used.dataset.profile) == {"episodes": 3.0, "return_mean": -83.0}
    assert run.data.metrics == {"data/episodes": 3.0, "data/return_mean": -83.0}


def test_texts_files_and_tags_arrive(tmp_path: Path, uri: str) -> None:
    tracker = begun(tmp_path / "run", uri)
    tracker.log_text("<p>hi</p>", "transcripts/final.html")
    (tmp_path / "curve.png").write_text("picture")
    tracker.log_file(tmp_path / "curve.png")
    tracker.tag("diverged", "true")
    tracker.finish("FINISHED")
    client = MlflowClient(uri)
    assert artifact(client, tracker, "transcripts/final.html") == "<p>hi</p>"
    assert artifact(client, tracker, "curve.png") == "picture"
    assert client.get_run(tracker.run_id).data.tags["diverged"] == "true"


def test_a_run_begun_again_in_its_folder_is_the_same_run(tmp_path: Path, uri: str) -> None:
    first = begun(tmp_path / "run", uri)
    first.log_metrics({"train/loss": 3.0}, 1)
    first.log_metrics({"train/loss": 9.0}, 2)
    first.finish("KILLED")
    with (tmp_path / "run" / "metrics.jsonl").open("a") as out:
        out.write('{"step": 3, "met')  # as a kill in mid-line leaves it
    again = Tracker(tmp_path / "run", "maze-ilql", uri=uri, experiment="lmrl")
    again.start({**CONFIG, "algo": {"gamma": 0.5, "beta": 4}}, [], {"task": "maze"})
    client = MlflowClient(uri)
    assert again.run_id == first.run_id
    assert client.get_run(again.run_id).info.status == "RUNNING"
    again.log_metrics({"train/loss": 2.0}, 2)
    again.finish("FINISHED")
    run = client.get_run(again.run_id)
    assert (run.info.status, run.data.params["algo.gamma"], run.data.params["algo.beta"]) == ("FINISHED", "0.99", "4")
    assert again.history == {"train/loss": [(1, 3.0), (2, 2.0)]}


def test_a_run_id_overrules_the_folder_and_one_that_nobody_knows_is_an_error(tmp_path: Path, uri: str) -> None:
    first = begun(tmp_path / "run", uri)
    first.finish("FINISHED")
    elsewhere = Tracker(tmp_path / "elsewhere", "x", first.run_id, uri=uri, experiment="lmrl")
    elsewhere.start(CONFIG, [], {})
    elsewhere.finish("FAILED")
    assert MlflowClient(uri).get_run(first.run_id).info.status == "FAILED"
    with pytest.raises(ValueError, match=r"tracking\.uri = .*f0f0"):
        Tracker(tmp_path / "new", "x", "f0f0", uri=uri, experiment="lmrl").start(CONFIG, [], {})


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED"])
def test_a_run_says_how_it_ended_and_the_first_word_counts(tmp_path: Path, uri: str, status: Any) -> None:
    tracker = begun(tmp_path / "run", uri)
    tracker.finish(status)
    tracker.finish("FINISHED" if status != "FINISHED" else "FAILED")
    assert MlflowClient(uri).get_run(tracker.run_id).info.status == status


def test_a_run_cannot_end_otherwise(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="status = 'DONE': a run ends as one of FINISHED, FAILED, KILLED"):
        begun(tmp_path, None).finish("DONE")  # type: ignore[arg-type]


def test_only_finished_runs_with_all_the_tags_are_found_the_newest_first(tmp_path: Path, uri: str) -> None:
    ids = []
    for number, (tags, status) in enumerate(
        [({"a": "1", "b": "2"}, "FINISHED"), ({"a": "1"}, "FINISHED"), ({"a": "1", "b": "2"}, "FAILED")]
        + [({"a": "1", "b": "2"}, "FINISHED")]
    ):
        tracker = begun(tmp_path / str(number), uri, tags)
        tracker.finish(status)  # type: ignore[arg-type]
        ids.append(tracker.run_id)
        time.sleep(0.01)  # the store's clock ticks in milliseconds
    seeker = Tracker(tmp_path / "seeker", "", uri=uri, experiment="lmrl")
    found = seeker.find({"a": "1", "b": "2"})
    assert [run["id"] for run in found] == [ids[3], ids[0]]
    assert found[0]["tags"]["b"] == "2"
    assert Tracker(tmp_path, "", uri=uri, experiment="other").find({"a": "1"}) == []
    with pytest.raises(ValueError, match="no quotes"):
        seeker.find({"a": "it's"})


def test_a_name_that_mlflow_would_refuse_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    tracker = begun(tmp_path, None)
    with pytest.raises(ValueError, match="metric 'train/löss'"):
        tracker.log_metrics({"train/löss": 1.0}, 0)
    assert not (tmp_path / "metrics.jsonl").exists()


def test_a_store_that_does_not_answer_at_the_start_is_one_clear_line(tmp_path: Path) -> None:
    for uri, reason in ((f"http://127.0.0.1:{free_port()}", "refused"), (str(tmp_path / "mlruns"), "not an address")):
        with pytest.raises(ValueError, match=rf"tracking\.uri = .*{reason}.*tracking=off") as told:
            begun(tmp_path / "run", uri)
        assert "\n" not in str(told.value)
    assert Tracker(tmp_path / "run", "x", uri="", experiment="lmrl").uri is None, "MLflow would take its own default"


def test_a_lock_that_cannot_be_made_is_told_and_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_TURN", 1)
    (tmp_path / "mlflow.db.lock").symlink_to(tmp_path / "nowhere" / "lock")
    with pytest.raises(ValueError, match=r"tracking\.uri = .*No such file or directory.*mlflow\.db\.lock"):
        begun(tmp_path / "run", f"sqlite:///{tmp_path}/mlflow.db")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("", "unable to open database file"), ("text.db", "not a database"), ("newer.db", "revision identified by 'f00'")],
)
def test_a_file_that_is_no_store_of_this_mlflow_is_one_clear_line_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    again = SimpleNamespace(sleep=lambda _: pytest.fail("it is tried again"))
    monkeypatch.setattr("mlflow.store.db.utils.time", again)
    (tmp_path / "text.db").write_text("a diary, not a database" * 10)
    with sqlite3.connect(tmp_path / "newer.db") as newer:
        newer.executescript("create table alembic_version (version_num); insert into alembic_version values ('f00')")
    with pytest.raises(ValueError, match=rf"tracking\.uri = .*{reason}.*tracking=off") as told:
        begun(tmp_path / "run", f"sqlite:///{tmp_path}/{name}")
    assert "\n" not in str(told.value)


@pytest.mark.slow
def test_two_runs_that_begin_at_once_make_one_store(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    program = "import sys; from tests.test_tracking import *; begun(Path(sys.argv[1]), sys.argv[2]).finish('FINISHED')"
    runs = [subprocess.Popen([sys.executable, "-c", program, tmp_path / str(i), uri], cwd=ROOT) for i in range(2)]
    assert [run.wait(timeout=300) for run in runs] == [0, 0]
    assert len(Tracker(tmp_path, "", uri=uri, experiment="lmrl").find({"task": "maze"})) == 2


@pytest.mark.parametrize(("error", "status"), [(None, "FINISHED"), (OSError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_a_recording_says_how_its_block_ended(
    tmp_path: Path, uri: str, error: type[BaseException] | None, status: str
) -> None:
    tracker = Tracker(tmp_path / "run", "x", uri=uri, experiment="lmrl")
    with suppress(OSError, KeyboardInterrupt), tracker.recording(CONFIG, [], {}):
        if error:
            raise error
    assert MlflowClient(uri).get_run(tracker.run_id).info.status == status


def test_one_record_that_the_store_refuses_keeps_no_other_from_it(
    tmp_path: Path, uri: str, caplog: pytest.LogCaptureFixture
) -> None:
    tracker = begun(tmp_path / "run", uri)
    tracker.log_file(tmp_path / "missing.png")
    tracker.log_metrics({"train/loss": 1.0}, 1)
    tracker.log_text("hello", "hello.txt")
    tracker.finish("FINISHED")
    client = MlflowClient(uri)
    assert client.get_run(tracker.run_id).data.metrics == {"train/loss": 1.0}
    assert artifact(client, tracker, "hello.txt") == "hello"
    assert [r.message.split(" (")[0] for r in caplog.records] == [
        "MLflow takes no more",
        "MLflow lacks 0 metrics and 1 other records",
    ]


@pytest.mark.slow
def test_a_server_that_goes_away_stops_nothing_and_gets_the_rest_if_it_comes_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    uri = f"http://127.0.0.1:{port}"
    with Server(tmp_path, port):
        tracker = begun(tmp_path / "run", uri)
        tracker.log_metrics({"train/loss": 0.0}, 0)
    began = time.monotonic()
    for step in range(1, 2001):
        tracker.log_metrics({"train/loss": float(step)}, step)
    tracker.log_text("late", "late.txt")
    assert time.monotonic() - began < 15
    warnings = [r.message for r in caplog.records if r.levelno >= logging.WARNING]
    assert len(warnings) == 1
    assert warnings[0].startswith("MLflow takes no more (")
    assert len(lines(tmp_path / "run")) == 2001
    with Server(tmp_path, port):
        tracker.finish("FINISHED")
        client = MlflowClient(uri)
        run = client.get_run(tracker.run_id)
        assert (run.info.status, run.data.metrics["train/loss"]) == ("FINISHED", 2000.0)
        assert artifact(client, tracker, "late.txt") == "late"


@pytest.mark.slow
def test_a_server_that_stays_away_costs_little_and_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    with Server(tmp_path, port):
        tracker = begun(tmp_path / "run", f"http://127.0.0.1:{port}")
    tracker.log_metrics({"train/loss": 1.0}, 1)
    began = time.monotonic()
    tracker.finish("FINISHED")
    assert time.monotonic() - began < 15
    last = [r.message for r in caplog.records if r.levelno >= logging.WARNING][-1]
    assert last.startswith("MLflow lacks 1 metrics and 0 other records (")
    assert last.endswith(str(tmp_path / "run"))


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Server:
    """MLflow's own server for as long as the block lasts; then its whole process group is killed."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port

    def __enter__(self) -> None:
        store = [
            "--backend-store-uri",
            f"sqlite:///{self.folder}/server.db",
            "--artifacts-destination",
            str(self.folder),
        ]
        command = [sys.executable, "-m", "mlflow", "server", "--port", str(self.port), "--workers", "1", *store]
        with (self.folder / "server.log").open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        began = time.monotonic()
        while not self._answers():
            if time.monotonic() - began > 120:
                self.__exit__()
                raise TimeoutError((self.folder / "server.log").read_text())
            time.sleep(0.3)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=1)
        except OSError:
            return False
        return True

    def __exit__(self, *_: object) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
