"""A table of runs: what it lacks is run, once, and what is interrupted goes on."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import OmegaConf

from lmrl.config import conf_dir
from lmrl.provenance import flat
from lmrl.reports.benchmark import Cell, Table, cells, lacking, main, read, work
from lmrl.studies.plan import composed
from tests.stored import empty, leave

ROOT = Path(__file__).parents[2]
STANDIN = (sys.executable, str(ROOT / "tests/studies/standin.py"))


def table(folder: Path, **keys: object) -> Path:
    file = folder / "mini.yaml"
    file.write_text(yaml.safe_dump({"experiment": "paper_table", "tasks": ["maze"], "seeds": [1, 2], **keys}))
    return file


def every(file: Path, *overrides: str) -> list[Cell]:
    return cells(read(file), overrides)


def names(found: Sequence[Cell]) -> list[str]:
    return [cell.name.rpartition("-")[0] for cell in found]


def test_a_table_is_the_grid_of_a_named_experiment_with_its_own_changes(tmp_path: Path) -> None:
    found = read(table(tmp_path))
    assert found.algos == ["bc", "filtered_bc", "online_filtered_bc", "mc_returns", "ilql", "ppo"]
    assert len(read(ROOT / "sweeps/paper_table.yaml").tasks) == 10
    cell = every(table(tmp_path, algos=["ilql"], overrides=["algo.tau=0.8"], cells={"* ilql": ["algo.beta=3.0"]}))[0]
    assert list(cell.overrides) == ["task=maze", "algo=ilql", "algo.tau=0.8", "algo.beta=3.0", "seed=1"]


def test_a_wrong_key_or_experiment_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="seed: no key of a table; did you mean 'seeds'"):
        read(table(tmp_path, seed=3))
    with pytest.raises(ValueError, match="experiment = paper_tabel; did you mean 'paper_table'"):
        read(table(tmp_path, experiment="paper_tabel"))


def test_what_the_store_has_of_the_same_setting_and_seed_is_not_missing(tmp_path: Path) -> None:
    uri = empty(tmp_path / "store")
    file = table(tmp_path, algos=["bc"])
    mine = every(file, f"tracking.uri={uri}")
    assert names(lacking(mine)) == ["maze-bc-s1", "maze-bc-s2"]
    params = flat(OmegaConf.to_container(mine[0].config, resolve=True))
    leave(uri, [-1.0], params=params | {"seed": "2", "cache": "elsewhere"})
    leave(uri, [-1.0], params=params | {"seed": "1"}, status="KILLED")
    assert names(lacking(mine)) == ["maze-bc-s1"]
    assert names(lacking(every(file, f"tracking.uri={uri}", "algo.optimizer.lr=0.5"))) == ["maze-bc-s1", "maze-bc-s2"]


def test_runs_are_carried_once_and_those_that_come_to_nothing_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = composed(["task=maze", "algo=bc"])
    common = ["algo.gamma=0.5", "evaluation.times=1"]
    made = [
        Cell("maze", "bc", seed, [*common, f"task.name={end}", f"seed={seed}"], config)
        for seed, end in enumerate(("well", "dies"))
    ]
    (failed,) = work(Table(experiment="paper_table"), made, "mini", STANDIN)
    assert failed.endswith("died")
    assert work(Table(experiment="paper_table"), made[:1], "mini", STANDIN) == []
    starts = (tmp_path / "outputs/mini").glob("*/starts")
    assert sorted(len(path.read_text().split()) for path in starts) == [1, 1]


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
    assert main([str(table(tmp_path, algos=["bcc"]))]) == 1
    assert capsys.readouterr().err.startswith("error: ")
