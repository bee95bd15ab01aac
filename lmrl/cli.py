"""The commands `lmrl`, `lmrl-eval`, `lmrl-play`, `lmrl-data` and `lmrl-fidelity`: Hydra over what does the work.

They promise to answer `--help` and a wrong config within a second, so this module imports nothing heavy; to tell an
error in one line (LMRL_TRACEBACK=1 or HYDRA_FULL_ERROR=1: with its traceback); and to end with 0, with 2 after an error
that the user can mend (as `argparse` does), with 1 after a fault of ours, with 130 when interrupted, by SIGINT or
SIGTERM. A multirun ends with what its jobs ended with: 1 if one of them did, else 2.
"""

import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, InstantiationException
from hydra.utils import get_method
from omegaconf import DictConfig
from yaml import YAMLError

from lmrl.config import check, conf_dir, several_processes
from lmrl.errors import in_a_line
from lmrl.overrides import NO_NAME, explain, opened, parsed
from lmrl.signals import interruptible
from lmrl.signatures import from_source
from lmrl.tasks.uci import EngineError
from lmrl.usage import examples, usage

REFUSED = 2
"""The exit status after an error that the user can mend."""
GOES_ON = "interrupted; the same command goes on"
LIGHTNING_REFUSES = "MisconfigurationException"
"""What it raises for an argument that it does not take: known by name, since importing it takes seconds."""
HYDRA_RAISES = "HYDRA_FULL_ERROR"
"""The variable by which Hydra hands its errors on instead of printing them; we tell them our way."""


def train() -> int:
    return run("train", "lmrl.train.train", "lmrl task=TASK algo=ALGO: make the data, train, play, score, log.")


def evaluate() -> int:
    sys.argv[1:] = opened(sys.argv[1:], ("algo", "task"))  # they stand empty, for changes to the checkpoint's
    return run("evaluate", "lmrl.evaluate.evaluate", "lmrl-eval ckpt=PATH: let a checkpoint play and score it.")


def play() -> int:
    return run("play", "lmrl.play.play", "lmrl-play task=TASK: play yourself, scored and stored like any player.")


def data() -> int:
    return run("prepare", "lmrl.prepare.prepare", "lmrl-data task=TASK: make a task's data, describe and export them.")


def fidelity() -> int:
    return run(
        "fidelity", "lmrl.fidelity.fidelity", "lmrl-fidelity task=TASK simulator=lm: hold a speaker to the rules."
    )


def report() -> int:
    return run(
        "report", "lmrl.reports.report.report", "lmrl-report: set the finished runs of a store beside the paper's."
    )


def run(root: str, work: str, purpose: str) -> int:
    """Run Hydra over `conf/<root>.yaml` with the function of the dotted name `work`; return the exit status.

    The function takes the config, the run's folder and the overrides that were typed. A job that fails in a multirun is
    told at once and the others go on.
    """
    asked, here = os.environ.get(HYDRA_RAISES), os.getpid()
    failed: list[int] = []

    def job(cfg: DictConfig) -> object:
        with _environ(HYDRA_RAISES, asked):
            try:
                return _do(work, cfg)
            except Exception as error:
                if os.getpid() != here:  # in a launcher's worker: Hydra carries the error home
                    raise
                failed.append(_told(error, root))
                return None

    def answer() -> int:
        with _environ(HYDRA_RAISES, "1"):
            _answer(job, root, purpose)
        return min(failed, default=0)

    return settled(answer, root)


def settled(work: Callable[[], int], root: str, interrupted: str = "interrupted") -> int:
    """The exit status that `work` returns, or that of its error or interruption, which is told on standard error."""
    try:
        with interruptible():
            return work()
    except KeyboardInterrupt:
        print(interrupted, file=sys.stderr)
        return 130
    except Exception as error:
        return _told(error, root)


def _answer(job: Callable[[DictConfig], object], root: str, purpose: str) -> None:
    """Show the help, or let Hydra do what it was asked."""
    args = parsed(sys.argv[1:])
    if args.config_dir and not Path(args.config_dir).is_dir():
        raise ValueError(f"--config-dir {args.config_dir}: no such folder")
    if args.help:
        print(usage(root, purpose, args))
        return
    if args.info:
        sys.argv[1:1] = examples(root, args)
    hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name=root)(job)()


def _do(work: str, cfg: DictConfig) -> object:
    check(cfg, from_source)  # what the files tell, before the import that takes seconds
    runtime = HydraConfig.get()
    named = any(override.startswith("hydra.run.dir=") for override in runtime.overrides.hydra)
    if several_processes() and not named:
        raise ValueError("hydra.run.dir: the processes of torchrun must share a folder; name it")
    return get_method(work)(cfg, Path(runtime.runtime.output_dir), list(runtime.overrides.task))


def _told(error: Exception, root: str) -> int:
    """The exit status of an error, once it is told."""
    line = describe(error, root)
    if line is None or "1" in map(os.environ.get, ("LMRL_TRACEBACK", HYDRA_RAISES)):
        traceback.print_exception(error)
    else:
        print(f"error: {line}", file=sys.stderr)
    return 1 if line is None else REFUSED


def describe(error: Exception, root: str) -> str | None:
    """What a user can mend, in a line; None for a fault of ours, which deserves its traceback."""
    if isinstance(error, InstantiationException):  # Hydra's wrapping of what a constructor raised
        key = str(error).rpartition("full_key: ")[2]
        cause = describe(error.__cause__, root) if isinstance(error.__cause__, Exception) else None
        return cause and _placed(key, cause)
    if isinstance(error, HydraException) or NO_NAME in str(error):
        return explain(error, root, parsed(sys.argv[1:]))
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, YAMLError):
        return in_a_line(error)
    ours = isinstance(error, ValueError | OSError | EngineError)
    return str(error) if ours or type(error).__name__ == LIGHTNING_REFUSES else None


def _placed(key: str, text: str) -> str:
    """A constructor's complaint under the key of its node, once.

    >>> _placed("task.env", "lives = 0: at least 1"), _placed("task.data", "data.seed = -1: at least 0")
    ('task.env.lives = 0: at least 1', 'task.data.seed = -1: at least 0')
    """
    parent, _, last = key.rpartition(".")
    if text.startswith(f"{key}."):
        return text
    if text.startswith(f"{last}."):
        return f"{parent}.{text}".lstrip(".")
    return f"{key}.{text}" if re.match(r"\w+ = ", text) else f"{key}: {text}"


@contextmanager
def _environ(name: str, value: str | None) -> Iterator[None]:
    """Set a variable, or unset it, for a while."""
    before = os.environ.pop(name, None)
    os.environ.update({name: value} if value is not None else {})
    try:
        yield
    finally:
        os.environ.pop(name, None)
        os.environ.update({name: before} if before is not None else {})
