"""Which runs of a real store become which rows."""

from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from lmrl.episodes import EPISODES, read_played
from lmrl.identity import setting
from lmrl.reports import archive
from lmrl.reports.archive import StoredRun, files, stored_runs
from lmrl.reports.rows import Row, rows
from tests.stored import empty, leave


def found(uri: str) -> list[Row]:
    return rows(uri, stored_runs(uri, "lmrl"))


def test_a_row_has_a_run_a_seed_the_newest_that_ended_well(tmp_path: Path) -> None:
    uri = empty(tmp_path)
    leave(uri, [-9, -9], seed=2)
    leave(uri, [-8, -6], seed=1)
    leave(uri, [-3, -3], seed=2)
    leave(uri, [0, 0], seed=2, status="FAILED")
    leave(uri, [0, 0], seed=3, tags={"kind": "play"})
    (row,) = found(uri)
    assert [run.params["seed"] for run in row.runs] == ["1", "2"]
    assert [returns.tolist() for returns in row.returns] == [[-8, -6], [-3, -3]]
    assert (row.task, row.algo, row.model, row.policy, row.others) == ("maze", "bc", "tiny", "sample", {})
    assert (row.episodes, row.minutes) == ((2, 2), 1.5)


def test_settings_are_never_mixed_the_newest_is_shown_and_the_others_told(tmp_path: Path) -> None:
    uri = empty(tmp_path)
    old = {"algo.gamma": "0.9"}
    for seed in (1, 2, 3):
        leave(uri, [-9], seed=seed, params=old)
    leave(uri, [-5], seed=1, params={"algo.gamma": "1.0", "task.data.cache": "here"})
    leave(uri, [-5], seed=2, params={"algo.gamma": "1.0", "task.data.cache": "there"})
    (row,) = found(uri)
    assert len(row.runs) == 2, "where data lies is no setting"
    assert list(row.others.values()) == [3]
    leave(uri, [-9], seed=4, params=old)
    (row,) = found(uri)
    assert len(row.runs) == 4, "who adds a seed to a setting makes it the newest"


def test_another_list_speaker_opponent_model_or_way_to_act_is_a_row_of_its_own(tmp_path: Path) -> None:
    uri = empty(tmp_path)
    leave(uri, [-1], tags={"words": "40 words, aa"})
    leave(uri, [-2], tags={"words": "431 words, bb"})
    leave(uri, [-3], params={"model.name": "some/folder/gpt2"})
    leave(uri, [-4], params={"policy": "greedy"}, tags={"kind": "evaluation"})
    leave(uri, [-5], algo="online_filtered_bc")
    named = {(row.facts, row.algo, row.model, row.policy) for row in found(uri)}
    assert named == {
        (("40 words, aa",), "bc", "tiny", "sample"),
        (("431 words, bb",), "bc", "tiny", "sample"),
        ((), "bc", "gpt2", "sample"),
        ((), "bc", "tiny", "greedy"),
        ((), "online_filtered_bc", "tiny", "sample"),
    }


def test_an_evaluation_never_stands_in_place_of_the_training_s_own_figures(tmp_path: Path) -> None:
    uri, played = empty(tmp_path), {"kind": "evaluation"}
    leave(uri, [-9], seed=1, params={"algo.gamma": "0.9"})
    leave(uri, [-8, -6], seed=1)
    leave(uri, [0], seed=1, tags=played)
    leave(uri, [0], seed=1, tags=played, params={"algo.gamma": "0.9"})
    leave(uri, [-3], seed=2, tags=played)
    leave(uri, [-4], seed=2, tags=played)
    (row,) = found(uri)
    assert [returns.tolist() for returns in row.returns] == [[-8, -6], [-4]], "of a seed without training the newest"


def test_what_plays_the_checkpoint_of_a_training_that_did_not_end_well_is_no_seed(tmp_path: Path) -> None:
    uri = empty(tmp_path / "here")
    ended = {1: leave(uri, [-8], seed=1, status="KILLED"), 2: leave(uri, [-7], seed=2, params={"policy": "greedy"})}
    ended[3] = leave(empty(tmp_path / "elsewhere"), [-6], seed=3)
    for seed, run in {**ended, 4: None}.items():
        ckpt = tmp_path / f"run{seed}" / "last.ckpt"
        ckpt.parent.mkdir()
        if run:
            (ckpt.parent / "run_id").write_text(f"{run}\n")
        leave(uri, [-seed], seed=seed, tags={"kind": "evaluation", "checkpoint": str(ckpt)})
    (row,) = [row for row in found(uri) if row.policy == "sample"]
    assert [run.params["seed"] for run in row.runs] == ["2", "3", "4"], "of another store's nothing is known"


def test_another_environment_than_the_task_s_own_is_another_task(tmp_path: Path) -> None:
    uri, pieces = empty(tmp_path), "task.env.pieces"
    usual = {"task.max_turns": "25", "task.env.mode": "revenue", "task.env.horizon": "25"}
    mate = {"task.max_turns": "400", "task.env.max_moves": "400", "task.env.opponent": "random"}
    for given in ({}, {"task.env.mode": "fancy"}, {"task.env.horizon": "50", "task.max_turns": "50"}):
        leave(uri, [1], task="car_dealer", params={**usual, **given})
    leave(uri, [1], task="endgames", params={**mate, pieces: '["kQK", "kRK", "kQRK", "kRRK"]'})
    leave(uri, [1], task="endgames", params={**mate, pieces: '["kQK"]'})
    leave(uri, [1], params={"task.max_turns": "9"})
    leave(uri, [1], task="maze_po", params={"task.max_turns": "9"})  # of a file that builds on another
    leave(uri, [1])
    assert sorted((row.task, row.facts) for row in found(uri)) == [
        ("car_dealer", ()),
        ("car_dealer", ("horizon=50",)),
        ("car_dealer", ("mode=fancy",)),
        ("endgames", ()),
        ("endgames", ('pieces=["kQK"]',)),
        ("maze", ()),
        ("maze", ("max_turns=9",)),
        ("maze_po", ("max_turns=9",)),
    ]


def test_a_run_without_episodes_counts_by_its_mean(tmp_path: Path) -> None:
    uri = empty(tmp_path)
    leave(uri, [-4, -2], seed=1, kept=False)
    leave(uri, [-4, -2], seed=2)
    (row,) = found(uri)
    assert not row.kept
    assert [returns.tolist() for returns in row.returns] == [[-3], [-4, -2]]


def test_a_store_that_is_not_there_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such store"):
        stored_runs(f"sqlite:///{tmp_path}/none.db", "lmrl")
    assert not (tmp_path / "none.db").exists()
    assert stored_runs(empty(tmp_path), "other") == []


def test_a_server_that_does_not_answer_is_told_in_a_line() -> None:
    with pytest.raises(ValueError, match="tracking.uri = http://127.0.0.1:1: "):
        stored_runs("http://127.0.0.1:1", "lmrl")


def test_what_is_asked_of_the_database_is_what_mlflow_says(tmp_path: Path) -> None:
    uri = empty(tmp_path)
    known = {leave(uri, [-4, -2], seed=seed, tags={"words": "é"}) for seed in (1, 2)}
    stored = stored_runs(uri, "lmrl")
    assert {run.id for run in stored} == known
    for mine in stored:
        run = MlflowClient(uri).get_run(mine.id)
        theirs = StoredRun(mine.id, run.info.run_name, run.info.start_time, run.info.artifact_uri, run.data.params,
                           run.data.metrics, run.data.tags)  # fmt: skip
        assert mine == theirs


def test_an_option_that_came_later_leaves_the_setting_as_it_was() -> None:
    old = {"algo.clip": "0.2", "data.batch_size": "8"}
    assert setting(old) == setting({**old, "algo.masked": "True", "data.pool": "1", "evaluation.times": "9"})
    assert setting(old) != setting({**old, "algo.masked": "False"})
    assert setting(old) != setting({**old, "init.trainer.max_steps": "9"})


def test_what_is_no_file_of_episodes_is_named(tmp_path: Path) -> None:
    (tmp_path / "episodes.parquet").write_text("no")
    with pytest.raises(ValueError, match=r"episodes\.parquet: not the episodes of a run"):
        read_played(tmp_path / "episodes.parquet")


def test_a_server_tells_the_same_and_its_files_are_fetched(tmp_path: Path) -> None:
    uri = empty(tmp_path)
    ids = [leave(uri, [-4, -2], seed=seed, kept=seed == 1) for seed in (1, 2)]
    MlflowClient(uri).log_metric(ids[0], "train/loss", float("nan"))
    searched = sorted(archive._searched(uri, "lmrl"), key=lambda run: run.begun)  # as for http://
    assert searched == stored_runs(uri, "lmrl")
    assert "train/loss" not in searched[0].metrics, "which is no number"
    away = [replace(run, artifacts="mlflow-artifacts:/1") for run in searched]
    found = files(uri, away, EPISODES)
    assert list(found) == ids[:1], "the other has none"
    assert read_played(found[ids[0]]).returns.tolist() == [-4, -2]
