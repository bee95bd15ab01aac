"""Build what a config names, fit it, let it play, and leave a record: the whole of `python -m lmrl`."""

import json
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from hydra.utils import instantiate
from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.callbacks import TQDMProgressBar
from omegaconf import DictConfig, OmegaConf, open_dict

from lmrl.algos.base import Algorithm
from lmrl.config import check, config_hash
from lmrl.course import Course
from lmrl.data import OfflineData, OnlineData
from lmrl.evaluate import assess, keep_transcripts, prefixed, scores_of, show, view_of, without, write_metrics
from lmrl.models import load_weights, read_checkpoint
from lmrl.pages import curve_png
from lmrl.signals import Stop, Stopped, listening
from lmrl.task import Task
from lmrl.tracking import Tracker

SAVE_SECONDS = 60.0
"""A killed offline run loses at most so much."""


def train(cfg: DictConfig, folder: Path, overrides: Sequence[str] = ()) -> dict[str, float]:
    """Train what cfg names and return its final metrics, which also stand in `folder/metrics.json`.

    A folder with an unfinished run of the same config is gone on with. Raises ConfigError before anything is built,
    ValueError for what a user can mend, Stopped after SIGINT or SIGTERM.
    """
    check(cfg)
    quieten()
    with listening() as stop:
        ckpt = Path(cfg.init.ckpt) if cfg.init.ckpt else None
        if ckpt is None and "algo" in cfg.init:
            ckpt = cloned(cfg, folder / "bc", overrides, stop)
        metrics = run(cfg, folder, overrides, ckpt, stop)
    report(cfg, folder, metrics, ckpt)
    return metrics


def quieten() -> None:
    """Keep Lightning's and torch's advice on settings that are ours on purpose from a reader's screen."""
    import logging

    for name in ("lightning.pytorch.utilities.rank_zero", "lightning.pytorch.accelerators", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*lr_scheduler.step.*")
    warnings.filterwarnings("ignore", message=".*training_step.* returned .None.*")
    warnings.filterwarnings("ignore", message=".*Trying to infer the .batch_size.*")
    warnings.filterwarnings("ignore", message=".*`isinstance.treespec, LeafSpec.`.*")


def cloning(cfg: DictConfig) -> DictConfig:
    """The config of the behaviour cloning that a run begins from. Raises ConfigError."""
    clone = OmegaConf.create(OmegaConf.to_container(cfg, resolve=False))
    assert isinstance(clone, DictConfig)
    with open_dict(clone):
        clone.algo, clone.data = clone.init.algo, clone.init.data
        clone.trainer = OmegaConf.merge(cfg.trainer, {"reload_dataloaders_every_n_epochs": 0}, clone.init.trainer)
        clone.init, clone.policy = {"ckpt": None}, "sample"
    check(clone)
    return clone


def identity(cfg: DictConfig, task: Task) -> str:
    """A hash of all that decides the weights of a run: two runs of one identity are the same run."""
    parts = {key: cfg[key] for key in ("task", "data", "model", "algo", "init", "seed")}
    trainer = {k: v for k, v in cfg.trainer.items() if k not in ("log_every_n_steps", "enable_progress_bar")}
    made = {"trainer": trainer, "dataset": task.data.fingerprint(), "threads": cfg.hardware.threads}
    node = OmegaConf.create({"parts": OmegaConf.to_container(OmegaConf.create(dict(cfg)), resolve=True), **made})
    node.parts = {key: node.parts[key] for key in parts}
    for place in ("cache", "workers", "path"):  # where data lies and how it is made change no episode
        node.parts.task.data.pop(place, None)
    return config_hash(node)


def cloned(cfg: DictConfig, folder: Path, overrides: Sequence[str], stop: Stop) -> Path:
    """The behaviour cloning to begin from: looked up in the store, or else trained as a run of its own."""
    clone = cloning(cfg)
    name = identity(clone, instantiate(clone.task, _convert_="all"))
    tracker: Tracker = instantiate(cfg.tracking)(folder=folder, run_name="")
    for found in tracker.find({"identity": name}):
        ckpt = Path(found["tags"].get("checkpoint", ""))
        if ckpt.is_file():
            print(f"begins from behaviour cloning: {ckpt}")
            return ckpt
    print(f"begins from behaviour cloning, which is trained first: {folder}")
    ckpt = folder / "last.ckpt"
    if not (folder / "metrics.json").is_file() or read_checkpoint(ckpt)["lmrl"].get("identity") != name:
        run(clone, folder, [*overrides, "# as the beginning of another run"], None, stop)
    return ckpt


def run(cfg: DictConfig, folder: Path, overrides: Sequence[str], begin: Path | None, stop: Stop) -> dict[str, float]:
    """One run: fit, play, record. `begin`: the checkpoint whose language model it starts from."""
    torch.set_num_threads(cfg.hardware.threads)
    torch.set_flush_denormal(True)  # a tied softmax's gradients go denormal late in training
    seed_everything(cfg.seed, workers=True, verbose=False)
    task: Task = instantiate(cfg.task, _convert_="all")
    tracker: Tracker = instantiate(cfg.tracking)(folder=folder, run_name=run_name(cfg))
    name = identity(cfg, task)
    resume = _resumable(folder, name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(OmegaConf.to_yaml(cfg, resolve=True), encoding="utf-8")
    tracker.start(cfg, overrides, tags(cfg, task, name, begin))
    try:
        metrics = _work(cfg, folder, task, tracker, begin, resume, stop, name)
    except BaseException as error:
        tracker.finish("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
        raise
    tracker.finish("FINISHED")
    return metrics


def run_name(cfg: DictConfig) -> str:
    """`maze-ilql-s0`: the algorithm by its class, since configs of one class differ in data alone."""
    kind = str(cfg.algo._target_).rpartition(".")[2].lower()
    online = "online-" if cfg.data._target_.endswith("OnlineData") and kind == "filteredbc" else ""
    return f"{cfg.task.name}-{online}{kind}-s{cfg.seed}"


def tags(cfg: DictConfig, task: Task, name: str, begin: Path | None) -> dict[str, str]:
    """What runs are found by."""
    kinds = {"task": cfg.task.name, "algo": run_name(cfg).split("-")[-2], "seed": str(cfg.seed), "kind": "training"}
    begun = {"begins_from": str(begin.resolve())} if begin else {}
    if begin and (begin.parent / "run_id").is_file():
        begun["begins_from_run"] = (begin.parent / "run_id").read_text(encoding="utf-8").strip()
    return {**kinds, "identity": name, "data_hash": task.data.fingerprint(), **begun}


def _resumable(folder: Path, name: str) -> Path | None:
    """The folder's checkpoint if it is of this very run. Raises ValueError if it is of another."""
    ckpt = folder / "last.ckpt"
    if not ckpt.is_file():
        return None
    if read_checkpoint(ckpt)["lmrl"].get("identity") != name:
        raise ValueError(f"hydra.run.dir = {folder}: holds the checkpoint of another config; name another folder")
    print(f"goes on from {ckpt}")
    return ckpt


def _work(
    cfg: DictConfig,
    folder: Path,
    task: Task,
    tracker: Tracker,
    begin: Path | None,
    resume: Path | None,
    stop: Stop,
    name: str,
) -> dict[str, float]:
    algo = build(cfg, begin, name)
    view = view_of(task, algo.model)
    stats = task.data.dataset().stats
    tracker.log_dataset(task.name, task.data.fingerprint(), task.data.dataset().path, stats)
    data = instantiate(cfg.data, _convert_="all")(task, algo, view, cfg.seed, Path(cfg.cache))
    if isinstance(data, OnlineData):
        data.on_turn = stop.check

    def look() -> dict[str, float]:
        policy = algo.policy(view, cfg.policy)
        episodes, first = cfg.evaluation.episodes, cfg.evaluation.first_seed
        _, figures = assess(task, policy, episodes, first, label="evaluation", on_turn=stop.check)
        held_out = data.held_out_loss() if isinstance(data, OfflineData) else None
        return prefixed(figures, "eval") | ({} if held_out is None else {"val/loss": held_out})

    course = Course(data, folder / "last.ckpt", look, stop, times=cfg.evaluation.times, seconds=SAVE_SECONDS)
    seconds = fit(cfg, algo, data, tracker, course, resume)
    if course.stopped:
        print(f"stopped; goes on with the same command and hydra.run.dir={folder}")
        raise Stopped
    tracker.tag("checkpoint", str((folder / "last.ckpt").resolve()))
    tracker.tag("diverged", str(algo.diverged).lower())
    return finish(cfg, folder, task, tracker, algo, seconds, stop)


def build(cfg: DictConfig, begin: Path | None, name: str) -> Algorithm:
    """The algorithm around its model, with the weights that it begins from."""
    model = instantiate(cfg.model, _convert_="all")()
    if begin is not None:
        load_weights(model, begin)
    algo: Algorithm = instantiate(cfg.algo, _convert_="all")(model)
    algo.stored = {"config": OmegaConf.to_yaml(cfg, resolve=True), "identity": name}
    return algo


def fit(
    cfg: DictConfig,
    algo: Algorithm,
    data: OfflineData | OnlineData,
    tracker: Tracker,
    course: Course,
    resume: Path | None,
) -> float:
    """Train; the seconds that it took, looking included."""
    trainer: Trainer = instantiate(cfg.trainer, _convert_="all")(
        logger=tracker,
        callbacks=[course, TQDMProgressBar(refresh_rate=20, leave=False)],
        default_root_dir=tracker.folder,
    )
    begun = time.monotonic()
    trainer.fit(algo, data, ckpt_path=resume, weights_only=True)
    return time.monotonic() - begun


def finish(
    cfg: DictConfig, folder: Path, task: Task, tracker: Tracker, algo: Algorithm, seconds: float, stop: Stop
) -> dict[str, float]:
    """The final figures: the weights as training left them, on the published protocol."""
    algo.eval()
    policy = algo.policy(view_of(task, algo.model), cfg.policy)
    count, first = cfg.evaluation.final_episodes, cfg.evaluation.first_seed
    played, figures = assess(task, policy, count, first, label="final evaluation", on_turn=stop.check)
    steps = int(algo.trainer.global_step)
    metrics = prefixed(figures, "final") | {"train_seconds": seconds, "steps": steps, "diverged": float(algo.diverged)}
    tracker.log_metrics(metrics, steps)
    keep_transcripts(tracker, played[: cfg.evaluation.transcripts], figures, "final")
    curve_png(tracker.history, folder / "curve.png")
    tracker.log_file(folder / "curve.png")
    stats: Mapping[str, Any] = task.data.dataset().stats
    metrics |= prefixed({k: float(v) for k, v in stats.items()}, "data")
    write_metrics(folder, metrics)
    return metrics


def report(cfg: DictConfig, folder: Path, metrics: Mapping[str, float], begin: Path | None) -> None:
    """Print what came out beside what it began from and the data, and what to try next."""
    rows = {run_name(cfg): without(metrics, "final")}
    if begin is not None and (begin.parent / "metrics.json").is_file():
        rows["behaviour cloning"] = without(json.loads((begin.parent / "metrics.json").read_text()), "final")
    data = without(metrics, "data")
    task: Task = instantiate(cfg.task, _convert_="all")
    rows["data"] = data | {f"score_{k}": score(data["return_mean"]) for k, score in scores_of(task, data).items()}
    show(rows)
    print(f"trained in {metrics['train_seconds']:.0f} s; figures, transcripts and checkpoint: {folder}")
    print(f"next:  lmrl-eval ckpt={folder}/last.ckpt policy=greedy")
    print(f"       lmrl-play task={cfg.task.name}")
    print("       make ui   (MLflow with every run)" if cfg.tracking.uri else "")
