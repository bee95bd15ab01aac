"""A table of runs: what it lacks is run, once, and what is interrupted goes on."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
import yaml
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import OmegaConf

from lmrl.config import conf_dir
from lmrl.provenance import flat
from lmrl.reports.benchmark import lacking, main, work
from lmrl.reports.matrix import Cell, Table, cells, read
from lmrl.studies.plan import composed
from tests.stored import empty, leave

ROOT = Path(__file__).parents[2]
STANDIN = (sys.executable, str(ROOT / "tests/studies/standin.py"))
TABLE = Table(experiment="paper_table", tasks=["maze"], algos=["bc"], seeds=[0, 1])


def table(folder: Path, **keys: object) -> Path:
    file = folder / "mini.yaml"
    file.write_text(yaml.safe_dump({"experiment": "paper_table", "tasks": ["maze"], "seeds": [1, 2], **keys}))
    return file


def every(file: Path, *overrides: str) -> list[Cell]:
    return cells(read(file), overrides)


def names(found: Sequence[Cell]) -> list[str]:
    return [cell.name.rpartition("-")[0] for cell in found]


def standing_in(*ends: str) -> list[Cell]:
    """Cells whose runs the stand-in does, a seed each, and how they end."""
    config = composed(["task=maze", "algo=bc", "tracking=off"])
    common = ["algo.gamma=0.5", "evaluation.times=1"]
    return [
        Cell("maze", "bc", seed, [*common, f"task.name={end}", f"seed={seed}"], config) for seed, end in enumerate(ends)
    ]


def test_a_table_is_the_grid_of_a_named_experiment_with_its_own_changes(tmp_path: Path) -> None:
    found = read(table(tmp_path))
    assert found.algos == ["bc", "filtered_bc", "online_filtered_bc", "mc_returns", "ilql", "ppo"]
    assert len(read(ROOT / "sweeps/paper_table.yaml").tasks) == 10
    cell = every(table(tmp_path, algos=["ilql"], overrides=["algo.tau=0.8"], cells={"* ilql": ["algo.beta=3.0"]}))[0]
    assert list(cell.overrides) == ["task=maze", "algo=ilql", "algo.tau=0.8", "algo.beta=3.0", "seed=1"]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"seed": 3}, r"seed: .* takes no 'seed'; did you mean 'seeds'"),
        ({"experiment": "paper_tabel"}, "experiment = paper_tabel; did you mean 'paper_table'"),
        ({"experiment": None}, "experiment = None: .* takes str"),
        ({"seeds": 5}, "seeds = 5: .* takes .*Sequence.*int"),
        ({"seeds": "1,2,13"}, "seeds = '1,2,13': .* takes .*Sequence.*int"),
        ({"seeds": [1, 1]}, r"seeds = \[1, 1\]: at least one, none twice"),
        ({"seeds": [-1]}, r"seeds = \[-1\]: at least one, none twice, none below 0"),
        ({"tasks": []}, r"tasks = \[\]: at least one"),
        ({"tasks": ["maze", "maze"]}, "tasks = .*: at least one, none twice"),
        ({"minutes": "two"}, "minutes = 'two': .* takes float, above 0"),
        ({"at_once": 0}, "at_once = 0: .* takes int, at least 1"),
        ({"cells": {"maze": ["a=1"]}}, "cells.maze: write TASKS ALGOS"),
        ({"cells": {"maze bc": "a=1"}}, "cells.maze bc = 'a=1': takes a list of overrides"),
        ({"cells": {"maze bc": [1]}}, r"cells.maze bc = \[1\]: takes a list of overrides"),
        ({"cells": {"maez bc": ["a=1"]}}, "cells.maez bc: 'maez' is none of the table's tasks; did you mean 'maze'"),
        ({"cells": {"* bc,pppo": ["a=1"]}}, "'pppo' is none of the table's algos; did you mean 'ppo'"),
    ],
)
def test_what_a_table_does_not_take_is_told(tmp_path: Path, keys: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read(table(tmp_path, **keys))


def test_a_file_that_is_no_table_is_told(tmp_path: Path) -> None:
    file = tmp_path / "mini.yaml"
    for text, told in (("", "not a table"), ("seeds: [1]", "experiment: .* needs 'experiment'")):
        file.write_text(text)
        with pytest.raises(ValueError, match=told):
            read(file)


@pytest.mark.parametrize("text", ["task=wordle", "algo=ppo", "+seed=5"])
def test_what_the_table_itself_sets_is_refused_as_an_override(tmp_path: Path, text: str) -> None:
    key = text.lstrip("+").partition("=")[0]
    with pytest.raises(ValueError, match=f"a table sets {key} itself; change {key}s in its file"):
        every(table(tmp_path), text)
    with pytest.raises(ValueError, match="itself"):
        every(table(tmp_path, overrides=[text]))


def test_what_the_store_has_of_the_same_setting_and_seed_is_not_missing(tmp_path: Path) -> None:
    uri = empty(tmp_path / "store")
    file = table(tmp_path, algos=["bc"])
    mine = every(file, f"tracking.uri={uri}")
    assert names(lacking(mine)) == ["maze-bc-s1", "maze-bc-s2"]
    params = flat(OmegaConf.to_container(mine[0].config, resolve=True))
    leave(uri, [-1.0], params=params | {"seed": "2", "cache": "elsewhere"})
    leave(uri, [-1.0], params=params | {"seed": "1"}, status="KILLED")
    leave(uri, [-1.0], params=params | {"seed": "1"}, tags={"kind": "evaluation"})
    assert names(lacking(mine)) == ["maze-bc-s1"]
    assert names(lacking(every(file, f"tracking.uri={uri}", "algo.optimizer.lr=0.5"))) == ["maze-bc-s1", "maze-bc-s2"]


@pytest.mark.parametrize("text", ["policy=greedy", "evaluation.final_episodes=8", "evaluation.first_seed=7"])
def test_a_run_that_played_otherwise_is_another(tmp_path: Path, text: str) -> None:
    uri = empty(tmp_path / "store")
    file = table(tmp_path, algos=["bc"], seeds=[1])
    (mine,), (other,) = every(file, f"tracking.uri={uri}"), every(file, f"tracking.uri={uri}", text)
    leave(uri, [-1.0], params=flat(OmegaConf.to_container(other.config, resolve=True)) | {"seed": "1"})
    assert lacking([other]) == []
    assert lacking([mine]) == [mine]
    assert mine.name != other.name, "in one folder, the second would be recorded as the first"


def test_only_a_store_that_is_not_there_yet_lacks_all(tmp_path: Path) -> None:
    file, store = table(tmp_path, algos=["bc"]), tmp_path / "mlflow.db"
    mine = every(file, f"tracking.uri=sqlite:///{store}")
    assert lacking(mine) == mine
    store.write_text("garbage, and more of it than the header of a database would have" * 20)
    with pytest.raises(ValueError, match="tracking.uri = .*not a database"):
        lacking(mine)


def test_runs_are_carried_once_and_those_that_come_to_nothing_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = standing_in("well", "dies", "diverges", "collapses", "refused")
    died, refused = work(TABLE, made, "mini", STANDIN)
    assert died.endswith("died"), "while one that diverged or collapsed is data"
    assert refused.endswith("hardware = gpu: no GPU here")
    assert work(TABLE, made[:1], "mini", STANDIN) == []
    starts = (tmp_path / "outputs/mini").glob("*/starts")
    assert sorted(len(path.read_text().split()) for path in starts) == [1] * 5


def test_a_run_is_ended_after_the_tables_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    begun = time.monotonic()
    (late,) = work(replace(TABLE, minutes=0.02), standing_in("hangs"), "mini", STANDIN)
    assert late.endswith("timeout")
    assert time.monotonic() - begun < 10


def test_some_run_at_once_and_an_interruption_ends_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = standing_in("hangs", "hangs", "hangs")
    folders = [tmp_path / "outputs/mini" / cell.name / "starts" for cell in made]

    def interrupt() -> None:
        while not all(path.exists() for path in folders[:2]):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    Thread(target=interrupt, daemon=True).start()
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        work(replace(TABLE, minutes=0.25), made, "mini", STANDIN)
    assert time.monotonic() - begun < 10, "they are not waited for"
    assert [path.exists() for path in folders] == [True, True, False]


def test_what_ended_and_its_store_lacks_is_recorded_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    uri = empty(tmp_path / "store")
    config = composed(["task=maze", "algo=bc", f"tracking.uri={uri}"])
    cell = Cell("maze", "bc", 1, ["algo.gamma=0.5", "evaluation.times=1", "seed=1"], config)
    folder = tmp_path / "outputs/mini" / cell.name
    assert work(TABLE, [cell], "mini", STANDIN) == []
    (folder / "run_id").write_text("of a store that is gone")
    assert work(TABLE, [cell], "mini", STANDIN) == []
    assert not (folder / "run_id").exists(), "which a store that does not know it refuses"
    leave(uri, [-1.0], params=flat(OmegaConf.to_container(config, resolve=True)) | {"seed": "1"})
    assert work(TABLE, [cell], "mini", STANDIN) == []
    assert len((folder / "starts").read_text().split()) == 2, "now the store has it"


def test_the_report_reads_the_runs_own_store_after_what_came_to_nothing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    uri = empty(tmp_path / "store")
    command = [sys.executable, "-c", "raise SystemExit(3)"]
    file = table(tmp_path, algos=["bc"], seeds=[1], overrides=[f"tracking.uri={uri}", "tracking.experiment=mine"])
    capsys.readouterr()  # MLflow tells of the tables that it makes
    assert main([str(file)], command) == 2
    dead, report = capsys.readouterr().err.splitlines()
    assert dead.startswith("came to nothing: maze-bc-s1")
    assert report.startswith(f"error: tracking.uri = {uri}: no finished run in experiment mine")
    leave(uri, [-1.0], algo="ppo")
    assert main([str(file), "tracking.experiment=lmrl"], command) == 1, "a run came to nothing"
    assert list(tmp_path.glob("outputs/report/*/report.html")), "and what there is is reported"


def test_cloning_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    keys = {"tasks": ["maze", "maze_po"], "algos": ["ppo", "bc"], "seeds": [1], "overrides": ["tracking=off"]}
    main([str(table(tmp_path, **keys))], [sys.executable, "-c", "raise SystemExit(3)"])
    ran = re.findall(r"min: (\w+-\w+)-s1", capsys.readouterr().out)
    assert ran == ["maze-bc", "maze_po-bc", "maze-ppo", "maze_po-ppo"]


@pytest.mark.slow
def test_an_interrupted_benchmark_goes_on_and_writes_its_report(tmp_path: Path) -> None:
    file = table(tmp_path, algos=["bc"], overrides=["debug=one_step", "model.width=16"], at_once=1)
    places = [f"tracking.uri=sqlite:///{tmp_path}/mlflow.db", f"cache={tmp_path}/cache"]
    line = [sys.executable, "-m", "lmrl.reports.benchmark", str(file), *places]
    first = subprocess.Popen(line, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert first.stdout
    assert any("1 of 2" in said for said in first.stdout)
    first.send_signal(signal.SIGTERM)
    assert "the same command goes on" in first.communicate()[1]
    assert first.returncode == 130
    again = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "2 runs, 1 of them missing" in again.stdout
    (page,) = tmp_path.glob("outputs/report/*/report.html")
    assert "2 × 8" in page.read_text()
    (tmp_path / "mlflow.db").unlink()
    subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=True)
    status = subprocess.run([*line, "--status"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "2 runs, 0 of them missing" in status.stdout, "a new store has what had ended"


def test_a_grid_names_tasks_and_algorithms_that_there_are() -> None:
    for path in (conf_dir() / "experiment").glob("*.yaml"):
        params = yaml.safe_load(path.read_text()).get("hydra", {}).get("sweeper", {}).get("params", {})
        for group in ("task", "algo"):
            for name in str(params.get(group, "")).split(",") if group in params else ():
                assert (conf_dir() / group / f"{name}.yaml").is_file(), (path.name, name)


GRIDS = [path.stem for path in (conf_dir() / "experiment").glob("*.yaml") if "MULTIRUN" in path.read_text()]


@pytest.mark.parametrize("name", GRIDS)
def test_a_grid_is_one_without_a_flag_or_a_choice(name: str) -> None:
    hydra = Hydra.create_main_hydra2("lmrl", create_config_search_path(str(conf_dir())))
    try:
        assert hydra.get_mode("train", [f"experiment={name}"]) == RunMode.MULTIRUN
    finally:
        GlobalHydra.instance().clear()


@pytest.mark.slow
def test_the_short_table_composes_in_each_cell_and_its_clones_are_those_of_bc() -> None:
    found = cells(read(ROOT / "sweeps" / "paper_table_short.yaml"), ["tracking=off"])
    clones = {cell.task: cell.config.trainer.max_steps for cell in found if cell.algo == "bc"}
    assert len(clones) == 10
    for cell in found:
        if "algo" in cell.config.init:
            assert cell.config.init.trainer.max_steps == clones[cell.task], cell.name


def test_main_tells_a_fault_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(table(tmp_path, algos=["bcc"]))]) == 2
    assert capsys.readouterr().err.startswith("error: ")
