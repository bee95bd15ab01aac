"""A person at the keyboard, who may leave at any time."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from mlflow import MlflowClient
from omegaconf import DictConfig

from lmrl.config import conf_dir
from lmrl.play import play
from lmrl.trajectory import read_lines


def config(folder: Path, *overrides: str) -> DictConfig:
    """Games of one move."""
    small = ["task=maze", "task.max_turns=1", "task.data.episodes=20", "workers=1", "games=3", "first_seed=0"]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return compose("play", overrides=[*small, f"cache={folder}/cache", "tracking=off", *overrides])


def typing(monkeypatch: pytest.MonkeyPatch, *typed: str | type[BaseException]) -> None:
    """What the person types, one line a turn; an exception stands for a key that raises it."""
    keys: Iterator[str | type[BaseException]] = iter(typed)

    def typed_next(prompt: str) -> str:
        key = next(keys)
        if isinstance(key, str):
            return key
        raise key

    monkeypatch.setattr("builtins.input", typed_next)


def games(folder: Path) -> list[list[str]]:
    """What was said in each game of the file."""
    return [[turn.text for turn in game.turns if turn.is_action] for game in read_lines(folder / "games.jsonl")]


@pytest.mark.parametrize("key", [EOFError, KeyboardInterrupt])
def test_who_leaves_keeps_the_games_that_were_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: type[BaseException]
) -> None:
    typing(monkeypatch, "move left", "move up", key)
    figures = play(config(tmp_path), tmp_path / "play")
    assert figures["final/episodes"] == 2
    assert json.loads((tmp_path / "play" / "metrics.json").read_text()) == figures
    assert games(tmp_path / "play") == [["move left\n"], ["move up\n"]]


def test_a_finished_game_is_kept_whatever_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typing(monkeypatch, "move left", MemoryError)
    with pytest.raises(MemoryError):
        play(config(tmp_path), tmp_path / "play")
    assert games(tmp_path / "play") == [["move left\n"]]


@pytest.mark.slow
def test_who_finishes_no_game_leaves_a_killed_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typing(monkeypatch, KeyboardInterrupt)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    stored = config(tmp_path, "tracking=mlflow", f"tracking.uri={uri}")
    assert play(stored, tmp_path / "play") == {}
    run = MlflowClient(uri).get_run((tmp_path / "play" / "run_id").read_text().strip())
    assert (run.info.status, run.data.tags["algo"]) == ("KILLED", "person")


def test_a_byte_that_is_no_text_is_a_bad_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"move \xff\nmove up\nmove up\n"), "utf-8"))
    assert play(config(tmp_path), tmp_path / "play")["final/invalid"] == pytest.approx(1 / 3)


def test_a_store_or_folder_that_cannot_be_used_is_told_before_the_first_game(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typing(monkeypatch)  # nobody is asked
    with pytest.raises(ValueError, match=r"tracking\.uri = .*unable to open"):
        play(config(tmp_path, "tracking=mlflow", f"tracking.uri=sqlite:///{tmp_path}"), tmp_path / "play")
    with pytest.raises(ValueError, match=r"hydra\.run\.dir = .*play: holds a run of its own"):
        play(config(tmp_path), tmp_path / "play")


def test_a_person_sees_what_the_task_shows_in_place_of_its_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typing(monkeypatch, "e4", EOFError)
    play(config(tmp_path, "task=chess", "task.max_turns=2", "task.env.opponent=random"), tmp_path / "play")
    shown = capsys.readouterr().out
    assert shown.count("a b c d e f g h") == 2
    assert "move 1\n" in shown
    assert " w   K Q k q " not in shown
