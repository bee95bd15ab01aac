"""Whole runs: what they leave behind, how they begin, stop, go on and fail."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from mlflow import MlflowClient
from omegaconf import OmegaConf
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from lmrl import course
from lmrl.algos.bc import BC
from lmrl.algos.ppo import PPO
from lmrl.batches import TokenBatch
from lmrl.data import OnlineData
from lmrl.datasets import Dataset, Source
from lmrl.episodes import EPISODES, read_played
from lmrl.glossary import explain
from lmrl.run import Run
from lmrl.signals import Stop, Stopped
from lmrl.train import train
from tests.test_models import bpe, folder_of
from tests.whole import OFFLINE, ONLINE, config, played_again

BC_STEPS = "init.trainer.max_steps=5"


def weights(folder: Path) -> dict[str, torch.Tensor]:
    saved: dict[str, dict[str, torch.Tensor]] = torch.load(folder / "last.ckpt", weights_only=True)
    return saved["state_dict"]


def the_runs(folder: Path) -> dict[str, object]:
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    (experiment,) = [e for e in client.search_experiments() if e.name == "lmrl"]
    return {r.info.run_name: r for r in client.search_runs([experiment.experiment_id])}


@pytest.mark.slow
def test_a_run_leaves_what_its_page_and_its_folder_promise(tmp_path: Path) -> None:
    metrics = train(config(tmp_path, "task=maze", "algo=bc", *OFFLINE), tmp_path / "run", ["task=maze"])
    assert json.loads((tmp_path / "run" / "metrics.json").read_text()) == metrics
    assert OmegaConf.load(tmp_path / "run" / "config.yaml").task.name == "maze"
    assert OmegaConf.load(tmp_path / "run" / "overrides.yaml") == ["task=maze"]
    (run,) = the_runs(tmp_path).values()
    assert run.info.status == "FINISHED"
    assert run.data.params["algo._target_"] == "lmrl.algos.bc.BC"
    assert {"data_hash", "config_hash", "git_commit"} <= run.data.tags.keys()
    assert run.data.metrics["final/return_mean"] == pytest.approx(metrics["final/return_mean"])
    played = read_played(tmp_path / "run" / EPISODES)
    assert played.returns.mean() == pytest.approx(metrics["final/return_mean"])
    assert played.scores["paper"].best == -6.84
    assert (tmp_path / "run" / "curve.png").stat().st_size > 10_000
    logged = [json.loads(line)["metrics"] for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    for name in {name for line in logged for name in line} | run.data.metrics.keys():
        explain(name)  # KeyError: the name has no sentence


@pytest.mark.slow
@pytest.mark.parametrize(("algo", "size"), [("ilql", OFFLINE), ("mc_returns", OFFLINE), ("ppo", ONLINE)])
def test_a_run_that_is_stopped_and_goes_on_is_bit_for_bit_the_run_that_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, algo: str, size: tuple[str, ...]
) -> None:
    cfg = config(tmp_path, "task=maze", f"algo={algo}", BC_STEPS, *size)
    train(cfg, tmp_path / "through")
    assert (tmp_path / "through" / "values.csv").is_file() == (algo != "ppo")
    plain, steps = course.Course.on_train_batch_end, 0

    def stopping(self: course.Course, *args: object) -> None:
        nonlocal steps
        steps += 1
        self._stop.asked |= steps == 7
        plain(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(course.Course, "on_train_batch_end", stopping)
        with pytest.raises(Stopped):
            train(cfg, tmp_path / "stopped")
    train(cfg, tmp_path / "stopped")
    one, two = weights(tmp_path / "through"), weights(tmp_path / "stopped")
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert steps >= 7
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    (experiment,) = [e.experiment_id for e in client.search_experiments() if e.name == "lmrl"]
    assert [r.info.status for r in client.search_runs([experiment])] == ["FINISHED"] * 3  # with the cloning


def curves(folder: Path) -> dict[str, dict[int, float]]:
    """Every value at its step, of what is logged of looks and rounds."""
    found: dict[str, dict[int, float]] = {}
    for row in map(json.loads, (folder / "metrics.jsonl").read_text().splitlines()):
        for name, value in row["metrics"].items():
            if name.startswith(("eval/", "round/")):
                found.setdefault(name, {})[row["step"]] = value
    return found


class Killed(BaseException):
    """What nobody catches, as SIGKILL."""


def breaking_off(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """Kill the run in its third round, or stop it while it plays that round, looks at itself, or is scored."""
    loss, played, look, finish = PPO.loss, OnlineData._play, Run._look, Run._finish

    def kill(self: PPO, batch: TokenBatch) -> object:
        if self.rounds == 3:
            raise Killed
        return loss(self, batch)

    def play(self: OnlineData) -> object:
        if self.rounds == 2:
            self.on_turn.__self__.asked = True  # type: ignore[attr-defined]
        return played(self)

    def stop_looking(self: Run, algo: PPO, *args: Any) -> object:
        self.stop.asked |= (algo.global_step > 0) is (where == "look")
        return look(self, algo, *args)

    def stop_at_last(self: Run, *args: Any) -> object:
        self.stop.asked = True
        return finish(self, *args)

    owner, name, patch = {
        "kill": (PPO, "loss", kill),
        "round": (OnlineData, "_play", play),
        "look": (Run, "_look", stop_looking),
        "first look": (Run, "_look", stop_looking),
        "last games": (Run, "_finish", stop_at_last),
    }[where]
    monkeypatch.setattr(owner, name, patch)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["kill", "round", "look", "first look", "last games"])
def test_an_online_run_goes_on_bit_for_bit_from_wherever_it_was_broken_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    rounds = ("init=scratch", "data.env_steps=60", "data.episodes=2", "data.batch_size=4", "task.max_turns=6")
    cfg = config(tmp_path, "task=maze", "algo=ppo", "data.offline_batch=0", "algo.bc_weight=0", *rounds)
    metrics = train(cfg, tmp_path / "through")
    with monkeypatch.context() as patch:
        breaking_off(patch, where)
        with pytest.raises(Killed if where == "kill" else Stopped):
            train(cfg, tmp_path / "broken")
    record = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db").get_run(
        (tmp_path / "broken" / "run_id").read_text().strip()
    )
    assert record.info.status == ("FAILED" if where == "kill" else "KILLED")
    again = train(cfg, tmp_path / "broken")
    assert ("goes on from" in capsys.readouterr().out) is (where != "first look"), "before a round nothing is saved"
    assert again | {"train_seconds": 0} == metrics | {"train_seconds": 0}, "the verdict too"
    through, broken = curves(tmp_path / "through"), curves(tmp_path / "broken")
    assert through == broken, "and what it was made from"
    assert through["eval/turns"].keys() == {0, 18, 30}, "before it plays, and twice"
    one, two = weights(tmp_path / "through"), weights(tmp_path / "broken")
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.slow
def test_a_run_begins_from_behaviour_cloning_which_is_trained_once(tmp_path: Path) -> None:
    train(config(tmp_path, "task=maze", "algo=ilql", BC_STEPS, *OFFLINE), tmp_path / "one")
    train(config(tmp_path, "task=maze", "algo=mc_returns", BC_STEPS, *OFFLINE), tmp_path / "two")
    assert (tmp_path / "one" / "bc" / "last.ckpt").is_file()
    assert not (tmp_path / "two" / "bc").exists()
    runs = the_runs(tmp_path)
    assert set(runs) == {"maze-bc-s0", "maze-ilql-s0", "maze-mc_returns-s0"}
    # a folder may since be another run's
    other = config(tmp_path, "task=maze", "algo=bc", "seed=5", *OFFLINE)
    (tmp_path / "one" / "bc" / "last.ckpt").rename(tmp_path / "kept.ckpt")
    train(other, tmp_path / "other")
    shutil.copy(tmp_path / "other" / "last.ckpt", tmp_path / "one" / "bc" / "last.ckpt")
    train(config(tmp_path, "task=maze", "algo=mc_returns", BC_STEPS, "seed=0", *OFFLINE), tmp_path / "three")
    assert (tmp_path / "three" / "bc" / "last.ckpt").is_file()
    (tmp_path / "kept.ckpt").replace(tmp_path / "one" / "bc" / "last.ckpt")
    began, later = runs["maze-bc-s0"], runs["maze-mc_returns-s0"]
    assert later.data.tags["begins_from_run"] == began.info.run_id
    assert began.data.tags[f"begins.{later.info.run_id}"] == "maze-mc_returns-s0"
    assert all(
        torch.equal(weights(tmp_path / "two")[f"lm.{k}"], v) for k, v in _cloned(tmp_path / "one" / "bc").items()
    )


def _cloned(folder: Path) -> dict[str, torch.Tensor]:
    return {name.removeprefix("lm."): x for name, x in weights(folder).items() if name.startswith("lm.")}


def test_a_wrong_number_of_the_algorithm_is_told_before_any_cloning_is_trained(tmp_path: Path) -> None:
    cfg = config(tmp_path, "task=maze", "algo=ilql", "algo.value_range=[0,-9]", "tracking.uri=null", BC_STEPS, *OFFLINE)
    with pytest.raises(ValueError, match=r"algo\.value_range = \[0, -9\]: the least and"):
        train(cfg, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_who_stops_while_data_are_made_does_not_wait_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: Source) -> Dataset:
        signal.raise_signal(signal.SIGINT)
        pytest.fail("it goes on")

    monkeypatch.setattr(Source, "dataset", interrupted)
    with pytest.raises(Stopped):
        train(config(tmp_path, "task=maze", "algo=bc", *OFFLINE), tmp_path / "run")
    (run,) = the_runs(tmp_path).values()
    assert run.info.status == "KILLED"  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_loss_that_is_not_finite_ends_the_run_with_its_last_good_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = BC.loss

    def breaking(self: BC, batch: TokenBatch) -> object:
        loss, metrics = plain(self, batch)
        return (loss * torch.nan if self.global_step == 6 else loss), metrics

    monkeypatch.setattr(BC, "loss", breaking)
    metrics = train(config(tmp_path, "task=maze", "algo=bc", *OFFLINE), tmp_path / "run")
    assert (metrics["diverged"], metrics["steps"]) == (1.0, 7)  # the last of them moved nothing
    assert all(x.isfinite().all() for x in weights(tmp_path / "run").values())
    (run,) = the_runs(tmp_path).values()
    assert (run.info.status, run.data.tags["diverged"]) == ("FINISHED", "true")


@pytest.mark.slow
def test_a_gradient_that_is_not_finite_moves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = BC.loss

    def breaking(self: BC, batch: TokenBatch) -> object:
        loss, metrics = plain(self, batch)
        if self.global_step == 6:
            loss.register_hook(lambda grad: grad * torch.inf)
        return loss, metrics

    monkeypatch.setattr(BC, "loss", breaking)
    assert train(config(tmp_path, "task=maze", "algo=bc", *OFFLINE), tmp_path / "run")["diverged"] == 1.0
    assert all(x.isfinite().all() for x in weights(tmp_path / "run").values())


@pytest.mark.slow
def test_a_folder_with_another_run_is_refused(tmp_path: Path) -> None:
    train(config(tmp_path, "task=maze", "algo=bc", *OFFLINE), tmp_path / "run")
    with pytest.raises(ValueError, match="holds a run of another config"):
        train(config(tmp_path, "task=maze", "algo=bc", "seed=1", *OFFLINE), tmp_path / "run")
    (tmp_path / "run" / "last.ckpt").write_bytes(b"half a file")
    with pytest.raises(ValueError, match=r"last\.ckpt: not a readable checkpoint"):
        train(config(tmp_path, "task=maze", "algo=bc", *OFFLINE), tmp_path / "run")


@pytest.mark.slow
def test_a_missing_checkpoint_to_begin_from_is_told_by_name(tmp_path: Path) -> None:
    cfg = config(tmp_path, "task=maze", "algo=ilql", f"init.ckpt={tmp_path}/nowhere.ckpt", *OFFLINE)
    with pytest.raises(ValueError, match=r"nowhere\.ckpt: no such checkpoint"):
        train(cfg, tmp_path / "run")
    assert the_runs(tmp_path)["maze-ilql-s0"].info.status == "FAILED"


@pytest.mark.slow
def test_a_full_disk_leaves_the_last_checkpoint_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(config(tmp_path, "task=maze", "algo=bc", *OFFLINE), tmp_path / "run")
    before = (tmp_path / "run" / "last.ckpt").read_bytes()

    class FullDisk:
        is_global_zero = True

        def save_checkpoint(self, path: Path, weights_only: bool) -> None:
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device", str(path))

    with pytest.raises(OSError, match="No space left"):
        course.save(FullDisk(), tmp_path / "run" / "last.ckpt")  # type: ignore[arg-type]
    assert (tmp_path / "run" / "last.ckpt").read_bytes() == before
    assert not list((tmp_path / "run").glob("*.part"))


@pytest.mark.slow
@pytest.mark.parametrize("algo", ["bc", "ilql"])
def test_a_run_killed_before_its_first_checkpoint_keeps_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, algo: str
) -> None:
    typed = ["task=maze", f"algo={algo}", "init.trainer.max_steps=2", "trainer.max_steps=2", "tracking=off"]
    typed = [word for word in typed if algo == "ilql" or not word.startswith("init.")]

    def kill(self: BC, batch: TokenBatch) -> object:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(BC, "loss", kill)
        with pytest.raises(Killed):
            train(config(tmp_path, *typed), tmp_path / "run")
    folder = tmp_path / "run" / "bc" if algo == "ilql" else tmp_path / "run"
    left = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert "last.ckpt" not in left
    with pytest.raises(ValueError, match=rf"hydra\.run\.dir = {folder}: holds a run of another config"):
        train(config(tmp_path, *typed, "seed=1"), tmp_path / "run")
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == left
    assert train(config(tmp_path, *typed), tmp_path / "run")["steps"] == 2


def test_a_folder_of_an_evaluation_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("kind: evaluation")
    with pytest.raises(ValueError, match="holds a run of another config"):
        train(config(tmp_path, "task=maze", "algo=bc", *OFFLINE), tmp_path)


@pytest.mark.slow
def test_a_run_that_goes_on_counts_the_seconds_of_all_its_processes(tmp_path: Path) -> None:
    cfg = config(tmp_path, "task=maze", "algo=bc", "trainer.max_steps=2", "tracking=off")
    once = train(cfg, tmp_path / "run")["train_seconds"]
    saved = torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)
    assert 0 < saved["callbacks"]["Course"]["seconds"] <= once
    saved["callbacks"]["Course"]["seconds"] = 1000.0
    torch.save(saved, tmp_path / "run" / "last.ckpt")
    assert train(cfg, tmp_path / "run")["train_seconds"] > 1000


@pytest.mark.slow
@pytest.mark.parametrize("last", ["curve_png", "write_metrics", "keep_transcripts"])
def test_a_disk_that_is_full_at_the_end_costs_no_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    cfg = config(tmp_path, "task=maze", "algo=bc", "trainer.max_steps=2", "evaluation.times=0")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(f"lmrl.run.{last}", full)
        with pytest.raises(OSError, match="No space left"):
            train(cfg, tmp_path / "run")
    (record,) = the_runs(tmp_path).values()
    assert record.info.status == "FAILED"
    assert weights(tmp_path / "run")
    assert train(cfg, tmp_path / "run")["steps"] == 2
    (record,) = the_runs(tmp_path).values()
    assert record.info.status == "FINISHED"


def test_a_gpu_that_is_not_here_is_told_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    cfg = config(tmp_path, "task=maze", "algo=bc", "hardware=gpu", f"tracking.uri=sqlite:///{tmp_path}/new.db")
    before = list(tmp_path.iterdir())
    with pytest.raises(ValueError, match=r"trainer\.accelerator = gpu: no GPU here; use hardware=cpu"):
        train(cfg, tmp_path / "run")
    assert list(tmp_path.iterdir()) == before


def test_a_step_of_no_batches_is_told_before_anything_is_made(tmp_path: Path) -> None:
    cfg = config(tmp_path, "task=maze", "algo=bc", "trainer.accumulate_grad_batches=0")
    with pytest.raises(ValueError, match=r"trainer\.accumulate_grad_batches = 0: at least 1"):
        train(cfg, tmp_path / "run")


@pytest.mark.slow
def test_a_checkpoint_plays_with_no_other_argument_than_its_path(tmp_path: Path) -> None:
    metrics = train(config(tmp_path, "task=wordle", "algo=bc", "model.layers=1", *OFFLINE), tmp_path / "run")
    again = played_again(tmp_path / "run")
    assert again["final/return_mean"] == metrics["final/return_mean"]
    assert again["final/episodes"] == metrics["final/episodes"] == 10, "as many games as the run's own last look"
    assert (tmp_path / "eval" / "transcripts" / "final.html").is_file()


@pytest.mark.slow
def test_a_checkpoint_does_not_play_with_another_list_unawares(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("panic\nknoll\nmount\n")
    train(config(tmp_path, "task=wordle", "algo=bc", f"task.env.words={words}", *OFFLINE), tmp_path / "run")
    words.write_text("panic\nknoll\n")
    with pytest.raises(ValueError, match=r"trained with \{'words': '3 words, .*'\}, and now there is .*'2 words"):
        played_again(tmp_path / "run")
    (other := tmp_path / "other.txt").write_text("panic\nmount\n")
    assert played_again(tmp_path / "run", f"+task.env.words={other}")["final/episodes"] == 10
    played = OmegaConf.load(tmp_path / "eval" / "config.yaml").task
    assert [played.env.words, played.data.make.words, played.facts.words, played.score.words] == [str(other)] * 4


@pytest.mark.slow
def test_rounds_of_which_nothing_is_kept_end_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model that has learnt nothing says no move: every round is played, and no step is taken."""
    few = ["data.env_steps=64", "data.episodes=8", "task.max_turns=2", "init=scratch", "tracking=off"]
    metrics = train(config(tmp_path, "task=maze", "algo=online_filtered_bc", *few), tmp_path / "run")
    assert "round 3: FilteredBC keeps none of 8 games and plays on" in capsys.readouterr().out
    assert metrics["steps"] == 0
    assert (tmp_path / "run" / "last.ckpt").is_file()


def test_a_folder_that_cannot_be_written_is_told_by_its_key(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"hydra\.run\.dir = .*file/run: cannot be written \(Not a directory\)"):
        train(config(tmp_path, "task=maze", "algo=bc", "init=scratch"), tmp_path / "file" / "run")


@pytest.mark.slow
def test_sigterm_saves_and_closes_the_run_as_killed(tmp_path: Path) -> None:
    overrides = [
        "task=maze", "algo=bc", "trainer.max_steps=100000", "workers=1", "task.data.episodes=60", "model.width=16",
        f"hydra.run.dir={tmp_path}/run", f"tracking.uri=sqlite:///{tmp_path}/mlflow.db", f"cache={tmp_path}/cache",
    ]  # fmt: skip
    run = subprocess.Popen([sys.executable, "-m", "lmrl", *overrides], stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while "train/loss" not in _text(tmp_path / "run" / "metrics.jsonl") and time.monotonic() < deadline:
        time.sleep(0.2)
    os.kill(run.pid, signal.SIGTERM)
    out, _ = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "goes on with the same command" in out
    assert (tmp_path / "run" / "last.ckpt").is_file()
    (record,) = the_runs(tmp_path).values()
    assert record.info.status == "KILLED"


def _text(path: Path) -> str:
    return path.read_text() if path.is_file() else ""


def test_a_second_signal_ends_the_run_at_once() -> None:
    stop = Stop()
    stop._hear(signal.SIGTERM, None)
    with pytest.raises(Stopped):
        stop.check()
    with pytest.raises(KeyboardInterrupt):
        stop._hear(signal.SIGTERM, None)


def in_two_processes(tmp_path: Path, *overrides: str) -> dict[str, float]:
    """The metrics of a run of four steps, shared by two processes."""
    train(config(tmp_path, "task=maze", "algo=bc", *OFFLINE), tmp_path / "begin")
    overrides = (
        "task=maze", "debug=one_step", "trainer.max_steps=4", "model.width=16", "tracking=off",
        "trainer.devices=2", "+trainer.strategy=ddp_find_unused_parameters_true",
        f"hydra.run.dir={tmp_path}/run", f"cache={tmp_path}/cache", f"init.ckpt={tmp_path}/begin/last.ckpt", *overrides,
    )  # fmt: skip
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "lmrl", *overrides]
    subprocess.run(torchrun, check=True, timeout=600)
    metrics: dict[str, float] = json.loads((tmp_path / "run" / "metrics.json").read_text())
    return metrics


@pytest.mark.slow
@pytest.mark.parametrize("algo", ["bc", "ppo"])
def test_two_processes_train_together(tmp_path: Path, algo: str) -> None:
    assert in_two_processes(tmp_path, f"algo={algo}")["steps"] == 4


@pytest.mark.slow
def test_what_one_process_meets_ends_the_run_of_both(tmp_path: Path) -> None:
    metrics = in_two_processes(tmp_path, "algo=bc", "algo._target_=tests.uneven.Uneven")
    assert (metrics["diverged"], metrics["steps"]) == (1.0, 3.0)  # the last of them moved nothing


def test_a_model_that_lightning_itself_would_cut_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"trainer\.strategy = fsdp: .* use hardware=fsdp"):
        train(config(tmp_path, "task=maze", "algo=bc", "+trainer.strategy=fsdp"), tmp_path / "run")


def test_several_processes_do_not_each_clone_for_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match=r"init\.ckpt = null: with several processes, train algo=bc first"):
        train(config(tmp_path, "task=maze", "algo=ilql", *OFFLINE), tmp_path / "run")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("algo", "size"), [("ilql", ("trainer.max_steps=2",)), ("ppo", ("data.env_steps=20", "data.episodes=4"))]
)
@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_a_model_of_a_folder_runs_through_like_one_of_the_hub(
    tmp_path: Path, kind: str, algo: str, size: tuple[str, ...]
) -> None:
    tokenizer = bpe()
    shape = {"vocab_size": len(tokenizer), "bos_token_id": 0, "eos_token_id": 0, "max_position_embeddings": 256}
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    llama = LlamaForCausalLM(LlamaConfig(intermediate_size=32, **shape, **small))
    lm = llama if kind == "llama" else GPT2LMHeadModel(GPT2Config(**shape, **small))
    typed = ["task=wordle", f"algo={algo}", "model=gpt2", f"model.name={folder_of(tmp_path / 'lm', lm, tokenizer)}"]
    begin = ["init.trainer.max_steps=2", "init.data.batch_size=4", "data.batch_size=4"]
    metrics = train(config(tmp_path, *typed, *begin, *size, width=None), tmp_path / "run")
    assert metrics["final/episodes"] == 10
    assert (tmp_path / "run" / "last.ckpt").is_file()
