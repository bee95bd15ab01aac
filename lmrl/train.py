"""The whole of `python -m lmrl`: a run, and the behaviour cloning that it begins from."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from omegaconf import DictConfig, OmegaConf, open_dict

from lmrl.checkpoints import read_checkpoint
from lmrl.config import check, several_processes
from lmrl.evaluate import data_row, show, without
from lmrl.prompting import prompt
from lmrl.run import Run
from lmrl.signals import Stop, listening

SPEAKERS = ("lmrl.speakers.generation.TextGenerator", "lmrl.speakers.endpoint.Endpoint")
"""Models that speak as they are."""


def train(cfg: DictConfig, folder: Path, overrides: Sequence[str] = ()) -> dict[str, float]:
    """Train what cfg names and return its final metrics, which also stand in `folder/metrics.json`.

    A folder with an unfinished run of the same config is gone on with. Raises ConfigError before anything is built,
    ValueError for what a user can mend, Stopped after SIGINT or SIGTERM.
    """
    check(cfg)
    if _prompted(cfg):
        return prompt(cfg, folder, overrides)
    if cfg.trainer.get("strategy") == "fsdp":
        raise ValueError("trainer.strategy = fsdp: a model that Lightning's own cuts cannot play; use hardware=fsdp")
    if (count := cfg.trainer.get("accumulate_grad_batches", 1)) < 1:
        raise ValueError(f"trainer.accumulate_grad_batches = {count}: at least 1")
    if cfg.trainer.get("accelerator") in ("gpu", "cuda") and not torch.accelerator.is_available():
        raise ValueError(f"trainer.accelerator = {cfg.trainer.accelerator}: no GPU here; use hardware=cpu")
    with listening() as stop:
        begin = Path(cfg.init.ckpt) if cfg.init.ckpt else None
        if begin is None and "algo" in cfg.init:
            begin = cloned(cfg, folder / "bc", overrides, stop)
        run = Run(cfg, folder, stop, begin)
        metrics = run.do(overrides)
    report(run, metrics)
    return metrics


def _prompted(cfg: DictConfig) -> bool:
    """Whether nothing is trained. Raises ValueError where model and algorithm do not fit in that."""
    prompting, speaks = cfg.algo._target_ == "lmrl.prompting.Prompting", cfg.model._target_ in SPEAKERS
    if prompting and not speaks:
        raise ValueError("model: algo=prompting plays what knows a language: model=lm model.name=NAME, or model=openai")
    if speaks and not prompting:
        raise ValueError("model: this one is not trained here, so that algo=prompting is all that plays it")
    return bool(prompting)


def cloning(cfg: DictConfig) -> DictConfig:
    """The config of the behaviour cloning that a run begins from. Raises ConfigError."""
    clone = OmegaConf.create(OmegaConf.to_container(cfg, resolve=False))
    assert isinstance(clone, DictConfig)
    with open_dict(clone):
        clone.algo, clone.data = clone.init.algo, clone.init.data
        offline = {"reload_dataloaders_every_n_epochs": 0}
        clone.trainer = OmegaConf.merge(cfg.trainer, offline, clone.init.trainer)
        clone.evaluation = OmegaConf.merge(cfg.evaluation, clone.init.get("evaluation", {}))
        clone.model = OmegaConf.merge(cfg.model, clone.init.get("model", {}))
        clone.pop("collapse", None)  # of online runs alone
        clone.init, clone.policy = {"ckpt": None}, "sample"
        if clone.tracking.get("parent"):  # of the run that begins from it, as others will
            clone.tracking.parent = None
    check(clone)
    return clone


def cloned(cfg: DictConfig, folder: Path, overrides: Sequence[str], stop: Stop) -> Path:
    """The behaviour cloning to begin from: looked up in the store, or else trained as a run of its own.

    Raises ValueError under torchrun: its processes would each look, and train, for themselves.
    """
    if several_processes():
        raise ValueError("init.ckpt = null: with several processes, train algo=bc first and name its last.ckpt here")
    run = Run(cloning(cfg), folder, stop)
    for found in run.tracker.find({"identity": run.identity}):
        ckpt = Path(found["tags"].get("checkpoint", ""))
        if _is_of(ckpt, run):
            print(f"begins from behaviour cloning: {ckpt}")
            return ckpt
    print(f"begins from behaviour cloning, which is trained first: {folder}")
    if not _is_done(run):
        Run(cfg, folder, stop).algorithm()  # what is wrong with it is told before the cloning, not after
        run.do([*overrides, "algo=bc"])
    return run.ckpt


def _is_done(run: Run) -> bool:
    """Whether the folder holds this very run, ended: without a store, that is how a second start finds the first's."""
    return (run.folder / "metrics.json").is_file() and _is_of(run.ckpt, run)


def _is_of(ckpt: Path, run: Run) -> bool:
    """Whether a checkpoint is there, whole, and of this very run: its folder may since be another's."""
    try:
        return ckpt.is_file() and read_checkpoint(ckpt)["lmrl"].get("identity") == run.identity
    except ValueError:
        return False


def report(run: Run, metrics: Mapping[str, float]) -> None:
    """Print what came out, beside what it began from and the data, and what to try next."""
    rows = {run.algo_name: without(metrics, "final")}
    beside = run.begin.parent / "metrics.json" if run.begin else None
    if beside and beside.is_file():
        rows["bc"] = without(json.loads(beside.read_text(encoding="utf-8")), "final")
    show(rows | {"data": data_row(run.task)})
    print(f"trained in {metrics['train_seconds']:.0f} s; figures, transcripts and checkpoint are in {run.folder}")
    print(f"next:   lmrl-eval ckpt={run.ckpt} policy=greedy")
    print(f"        lmrl-play task={run.task.name}")
    uri = run.cfg.tracking.uri
    print(f"MLflow: {_opening(uri)}" if uri else "no MLflow: tracking=off")


def _opening(uri: str) -> str:
    """How to look at a store: a server's address, or the command that serves a local one."""
    if uri.startswith("http"):
        return uri
    return "make ui" if uri == "sqlite:///mlflow.db" else f"mlflow ui --backend-store-uri {uri}"
