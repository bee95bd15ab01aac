"""One run: build what a config names, fit it, let it play, leave a record."""

import hashlib
import logging
import warnings
from collections.abc import Sequence
from functools import cached_property
from itertools import compress, islice
from pathlib import Path

import torch
from hydra.utils import instantiate
from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.callbacks import TQDMProgressBar
from omegaconf import DictConfig, OmegaConf

from lmrl.algos.base import Algorithm
from lmrl.checkpoints import load_weights, read_checkpoint
from lmrl.collapse import Detector, verdict
from lmrl.config import config_hash
from lmrl.course import Course, save
from lmrl.critique import keep_critique
from lmrl.data import OfflineData, OnlineData, held_out
from lmrl.evaluate import assess, keep_episodes, keep_transcripts, prefixed, view_of, write_metrics
from lmrl.identity import algo_name, decisive
from lmrl.pages import curve_png
from lmrl.sharding import gathered
from lmrl.signals import Stop, Stopped
from lmrl.task import Task
from lmrl.tracking import Tracker
from lmrl.trajectory import Trajectory
from lmrl.view import View

SAVE_SECONDS = 60.0
"""A killed offline run loses at most so much."""
JUDGED = 500
"""Episodes of each kind that a critic's values are held against."""


class Run:
    """A training of one config in one folder.

    begin: the checkpoint whose language model it starts from; None: the model as its config makes it.
    """

    def __init__(self, cfg: DictConfig, folder: Path, stop: Stop, begin: Path | None = None) -> None:
        self.cfg, self.folder, self.stop, self.begin = cfg, folder, stop, begin
        self._note = folder / "identity"
        self.task: Task = instantiate(cfg.task, _convert_="all")
        self.tracker: Tracker = instantiate(cfg.tracking)(folder=folder, run_name=self.name)

    @property
    def ckpt(self) -> Path:
        """The run's one checkpoint."""
        return self.folder / "last.ckpt"

    @property
    def name(self) -> str:
        """`maze-ilql-s0`."""
        return f"{self.cfg.task.name}-{self.algo_name}-s{self.cfg.seed}"

    @property
    def algo_name(self) -> str:
        """`ilql`."""
        return algo_name(self.cfg.algo._target_, self.cfg.data._target_)

    @cached_property
    def identity(self) -> str:
        """A hash of all that decides the run's weights: two runs of one identity are the same run."""
        parts = decisive(self.cfg) | {
            "begin": _fingerprint(self.begin),
            "dataset": self.task.data.fingerprint(),
            "threads": self.cfg.hardware.threads,
        }
        return config_hash(OmegaConf.create(parts))

    def do(self, overrides: Sequence[str]) -> dict[str, float]:
        """Carry it through, from its checkpoint if it has one; the final metrics.

        Raises ValueError for what a user can mend, Stopped after a signal; the record says FAILED or KILLED then.
        """
        _settle(self.cfg)
        resume = self._resumable()
        self._settle_in()
        with self.tracker.recording(self.cfg, overrides, self._tags()):
            return self._work(resume)

    def _settle_in(self) -> None:
        """Note whose folder it is before anything else lies there."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not self._noted():
                self._note.write_text(self.identity + "\n", encoding="utf-8")
        except OSError as error:
            raise ValueError(
                f"hydra.run.dir = {self.folder}: cannot be written ({error.strerror}); name another folder"
            ) from error

    def _resumable(self) -> Path | None:
        if self._owners() - {self.identity}:
            raise ValueError(f"hydra.run.dir = {self.folder}: holds a run of another config; name another folder")
        if not self.ckpt.is_file():
            return None
        print(f"goes on from {self.ckpt}")
        return self.ckpt

    def _owners(self) -> set[str | None]:
        """The identities of what lies in the folder; None for what has none, as an evaluation."""
        owners: set[str | None] = set()
        if self.ckpt.is_file():
            owners.add(read_checkpoint(self.ckpt)["lmrl"].get("identity"))
        if noted := self._noted():
            owners.add(noted)
        return owners or ({None} if (self.folder / "config.yaml").is_file() else set())

    def _noted(self) -> str:
        """Whose folder it is, which is known before there is a checkpoint; empty if it is nobody's yet."""
        return self._note.read_text(encoding="utf-8").strip() if self._note.is_file() else ""

    def _tags(self) -> dict[str, str]:
        """What runs are found by."""
        kinds = {"task": self.cfg.task.name, "algo": self.algo_name, "seed": str(self.cfg.seed), "kind": "training"}
        begun = {"begins_from": str(self.begin.resolve())} if self.begin else {}
        if run_id := self._begun_run():
            begun["begins_from_run"] = run_id
        return {
            **kinds,
            "identity": self.identity,
            "data_hash": self.task.data.fingerprint(),
            **self.task.facts(),
            **begun,
        }

    def _begun_run(self) -> str | None:
        note = self.begin.parent / "run_id" if self.begin else None
        return note.read_text(encoding="utf-8").strip() if note and note.is_file() else None

    def _work(self, resume: Path | None) -> dict[str, float]:
        if (run_id := self._begun_run()) and self.tracker.run_id:
            self.tracker.tag(f"begins.{self.tracker.run_id}", self.name, run_id)
        with self.stop.at_once():
            dataset = self.task.data.dataset()
        self.tracker.log_dataset(self.task.name, dataset.digest, dataset.path, dataset.stats)
        algo = self.algorithm()
        seconds = self._fit(algo, resume)
        self.tracker.tag("checkpoint", str(self.ckpt.resolve()))
        self.tracker.tag("diverged", str(algo.diverged).lower())
        if self.cfg.upload_checkpoint:
            self.tracker.log_file(self.ckpt)
        return self._finish(algo, seconds)

    def algorithm(self) -> Algorithm:
        """The algorithm around its model, with the weights that it begins from."""
        model = instantiate(self.cfg.model, _convert_="all")()
        if self.begin is not None:
            load_weights(model, self.begin)
        algo: Algorithm = instantiate(self.cfg.algo, _convert_="all")(model)
        config = OmegaConf.to_yaml(self.cfg)  # unresolved: what an evaluation changes reaches all that hangs on it
        algo.stored = {"config": config, "identity": self.identity, "facts": dict(self.task.facts())}
        return algo

    def _fit(self, algo: Algorithm, resume: Path | None) -> float:
        """Train; the seconds that it took in all processes so far, looks included."""
        view = view_of(self.task, algo.model)
        make_data = instantiate(self.cfg.data, _convert_="all")
        data: OfflineData | OnlineData = make_data(self.task, algo, view, self.cfg.seed, Path(self.cfg.cache))
        if isinstance(data, OnlineData):
            data.on_turn = self.stop.check
        times = self.cfg.evaluation.times
        course = Course(
            data, self.ckpt, lambda: self._look(algo, data, view), self.stop, times=times, seconds=SAVE_SECONDS
        )
        bar = TQDMProgressBar(refresh_rate=20, leave=False)
        make_trainer = instantiate(self.cfg.trainer, _convert_="all")
        trainer: Trainer = make_trainer(logger=self.tracker, callbacks=[course, bar], default_root_dir=self.folder)
        try:
            trainer.fit(algo, data, ckpt_path=resume, weights_only=True)
        except SystemExit:  # Lightning's answer to Stopped in the middle of a round
            if not self.stop.asked:
                raise
            course.stopped = True
        if not (course.stopped or course.saved):  # no round was worth a step
            save(trainer, self.ckpt)
        if course.stopped:
            print(f"stopped; goes on with the same command and hydra.run.dir={self.folder}")
            raise Stopped
        return course.seconds

    def _verdict(self, algo: Algorithm) -> dict[str, float]:
        """Of an online run, whether it collapsed. The curves are in the first process alone."""
        if self.cfg.get("collapse") is None or not algo.trainer.is_global_zero:
            return {}
        detect: Detector = instantiate(self.cfg.collapse)
        score = self.task.score
        found = detect(self.tracker.history, span=score.best - score.floor, diverged=algo.diverged)
        self.tracker.tag("collapse", found[0].kind if found else "none")
        print("\n".join(f"collapsed: {sign.why}" for sign in found) or "no collapse")
        return verdict(found)

    def _look(self, algo: Algorithm, data: OfflineData | OnlineData, view: View) -> dict[str, float]:
        """How the policy plays now, and the loss on what it is not trained on."""
        figures = self._play(algo, view, self.cfg.evaluation.episodes, f"step-{algo.global_step:07d}")
        held_out = data.held_out_loss() if isinstance(data, OfflineData) else None
        return prefixed(figures, "eval") | ({} if held_out is None else {"val/loss": held_out})

    def _play(self, algo: Algorithm, view: View, episodes: int, name: str) -> dict[str, float]:
        policy, first = algo.policy(view, self.cfg.policy), self.cfg.evaluation.first_seed
        played, figures = assess(self.task, policy, episodes, first, label=name, on_turn=self.stop.check)
        if algo.trainer.is_global_zero:
            keep_transcripts(self.tracker, self.task, played[: self.cfg.evaluation.transcripts], figures, name)
            if name == "final":
                keep_episodes(self.tracker, self.task, played)
            if name == "final" and algo.has_critic:
                judged = {"own play": played[:JUDGED], "data held out": self._held_out()}
                keep_critique(self.tracker, algo, view, judged)
        return figures

    def _held_out(self) -> list[Trajectory]:
        """Offline episodes that it was not trained on."""
        episodes = self.task.data.dataset()
        out = held_out(int(episodes.stats["episodes"]), self.cfg.data.get("holdout", 0.0), self.cfg.seed)
        return list(islice(compress(episodes, out), JUDGED))

    def _finish(self, algo: Algorithm, seconds: float) -> dict[str, float]:
        """The final figures: the weights as training left them, on the published protocol."""
        algo.eval().to(algo.trainer.strategy.root_device)  # from where Lightning's teardown took it
        with gathered(algo):
            figures = self._play(algo, view_of(self.task, algo.model), self.cfg.evaluation.final_episodes, "final")
        steps = int(algo.trainer.global_step)
        metrics = prefixed(figures, "final") | {
            "train_seconds": seconds,
            "steps": steps,
            "diverged": float(algo.diverged),
        }
        metrics |= self._verdict(algo)
        self.tracker.log_metrics(metrics, steps)
        metrics |= prefixed({key: float(value) for key, value in self.task.data.dataset().stats.items()}, "data")
        if algo.trainer.is_global_zero:
            curve_png(self.tracker.history, self.folder / "curve.png")
            self.tracker.log_file(self.folder / "curve.png")
            write_metrics(self.folder, metrics)
        return metrics


def _fingerprint(begin: Path | None) -> str | None:
    """What tells the weights that a run begins from: the run that made them and its step, not where it lay."""
    if begin is None or not begin.is_file():
        return None
    saved = read_checkpoint(begin)
    made_by = saved["lmrl"].get("identity")
    return f"{made_by} {saved.get('global_step')}" if made_by else hashlib.sha256(begin.read_bytes()).hexdigest()


def _settle(cfg: DictConfig) -> None:
    """Process-wide settings of a run: threads, the seed of the weights, and quiet about what is so on purpose."""
    torch.set_num_threads(cfg.hardware.threads)
    torch.set_flush_denormal(True)  # a tied softmax's gradients go denormal late in training
    for name in ("lightning.pytorch.utilities.rank_zero", "lightning.pytorch.accelerators", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for text in ("does not have many workers", "in eval mode at the start of training", "smaller than the logging"):
        warnings.filterwarnings("ignore", message=f".*{text}.*")
    for text in ("lr_scheduler.step", "to infer the .batch_size.", "treespec, LeafSpec"):
        warnings.filterwarnings("ignore", message=f".*{text}.*")
    seed_everything(cfg.seed, workers=True, verbose=False)
