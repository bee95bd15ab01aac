"""The benchmark of a real store: three files, one of them a page, and a run of its own."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from mlflow import MlflowClient

from lmrl.config import conf_dir
from lmrl.glossary import explain
from lmrl.reports.board import boards
from lmrl.reports.report import report
from lmrl.scoring import Score
from tests.stored import empty, leave, row

SCALES = {"paper": Score(floor=-101, mean=-83, best=-25.75)}


def made(uri: str, folder: Path) -> dict[str, float]:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return report(compose("report", overrides=[f"tracking.uri={uri}"]), folder)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two tasks: on one all three algorithms, on the other two of them; one evaluation, one list of words."""
    uri, rng = empty(tmp_path_factory.mktemp("store")), np.random.default_rng(0)
    for seed in (1, 2, 3):
        leave(uri, rng.normal(-80, 10, 60), algo="bc", seed=seed)
        leave(uri, rng.normal(-7, 1, 60), algo="ilql", seed=seed)
        leave(uri, rng.normal(-40, 10, 60), algo="ppo", seed=seed)
        leave(uri, rng.normal(-79, 10, 60), task="maze_po", algo="bc", seed=seed, scores=SCALES)
        leave(uri, rng.normal(-8, 1, 60), task="maze_po", algo="ilql", seed=seed, scores=SCALES)
    leave(uri, rng.normal(-7, 1, 60), algo="bc", params={"policy": "greedy"}, tags={"kind": "evaluation"})
    leave(uri, rng.normal(-3, 1, 60), task="wordle", tags={"words": "40 words, <b>"}, kept=False)
    return uri


@pytest.fixture(scope="module")
def folder(store: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report")
    made(store, path)
    return path


def lines(folder: Path) -> dict[tuple[str, str, str], dict[str, str]]:
    with (folder / "report.csv").open(encoding="utf-8") as file:
        return {(row["task"], row["algo"], row["policy"]): row for row in csv.DictReader(file)}


def test_every_player_has_a_line_with_its_interval_its_n_and_its_verdict(folder: Path) -> None:
    found = lines(folder)
    assert len(found) == 7
    ilql = found["maze", "ilql", "sample"]
    assert (ilql["seeds"], ilql["seed_list"], ilql["episodes_a_seed"], ilql["scale"]) == ("3", "1 2 3", "60", "paper")
    assert float(ilql["return_mean_low"]) < -7 < float(ilql["return_mean_high"])
    assert float(ilql["score"]) == pytest.approx(99.8, abs=0.5)
    assert (ilql["paper_return"], ilql["verdict"], ilql["rank"]) == ("-6.97", "reproduced", "1")
    assert found["maze_po", "ilql", "sample"]["verdict"] == "better"
    assert found["maze", "bc", "sample"]["verdict"] == "worse"
    assert found["maze", "bc", "greedy"]["verdict"] == "not comparable"


def test_a_run_that_kept_no_episodes_is_marked_and_has_the_interval_that_it_logged(folder: Path) -> None:
    wordle = lines(folder)["wordle", "bc", "sample"]
    assert wordle["episodes_kept"] == "False"
    assert float(wordle["return_mean_high"]) - float(wordle["return_mean_low"]) == pytest.approx(4 / 60**0.5, rel=0.3)
    assert "summaries alone" in (folder / "report.html").read_text()
    assert "1 × 60, summaries alone" in (folder / "report.md").read_text()


def test_the_page_says_what_is_over_tasks_and_needs_nothing_from_outside(folder: Path) -> None:
    html = (folder / "report.html").read_text()
    assert "Over 2 tasks, model tiny" in html
    assert "Left out, so that more can be compared: ppo." in html, "which plays one of them"
    for title in ("Interquartile mean", "Performance profiles", "Probability of improvement", "Rank stability"):
        assert title in html
    assert html.count('<svg role="img"') == 4 + 3
    assert "40 words, &lt;b&gt;" in html
    assert not re.search(r"\bsrc=|<link|@import|url\(http|href=\"http", html)


def test_the_tables_are_in_markdown_too(folder: Path) -> None:
    text = (folder / "report.md").read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("| ilql") and "-52.9" in line]
    assert line.endswith("| better |")
    assert line.count("|") == 11


def test_the_report_is_a_run_that_the_next_report_does_not_count(store: str, folder: Path, tmp_path: Path) -> None:
    figures = made(store, tmp_path / "again")
    assert (tmp_path / "again" / "report.csv").read_text() == (folder / "report.csv").read_text()
    client = MlflowClient(store)
    experiment = client.get_experiment_by_name("lmrl")
    assert experiment is not None
    newest, *_ = client.search_runs([experiment.experiment_id], "tags.kind = 'report'")
    assert newest.data.metrics == pytest.approx(figures)
    assert figures["report/maze/tiny/ilql/return_mean_low"] == pytest.approx(
        float(lines(folder)["maze", "ilql", "sample"]["return_mean_low"])
    )
    assert {file.path for file in client.list_artifacts(newest.info.run_id)} >= {
        f"report.{kind}" for kind in ("html", "md", "csv")
    }
    for name in figures:
        explain(name)


def test_a_store_without_runs_is_told_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no finished run in experiment lmrl"):
        made(empty(tmp_path), tmp_path / "report")


def test_what_else_is_in_a_store_moves_no_interval_of_a_task() -> None:
    rng = np.random.default_rng(0)
    maze, wordle = (row(task, "bc", *rng.normal(-50, 9, (3, 40))) for task in ("maze", "wordle"))
    ((alone,),) = (board.lines for board in boards([maze]))
    assert [board.lines[0].mean for board in boards([wordle, maze])][1] == alone.mean
