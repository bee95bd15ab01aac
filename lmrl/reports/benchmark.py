"""`lmrl-benchmark sweeps/TABLE.yaml`: run what a table lacks, and write the report.

A table takes its tasks, algorithms and seeds from the grid of a named experiment, and may change them:

    experiment: paper_table                     conf/experiment/paper_table.yaml
    seeds: [1, 2, 3]                            in place of its own; likewise tasks and algos
    overrides: [model=tiny]                     of all runs
    cells: {"chess mc_returns,ilql": [trainer.max_steps=400], "* ppo": [data.env_steps=20000]}    and of some

A run that the store has as FINISHED, of the same setting, seed and last evaluation, is not repeated; one that was
interrupted goes on in its folder, and one that another store has plays once more for this one. Each is a process of its
own. Cloning comes first, since the others begin from it.
"""

import hashlib
import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import product
from pathlib import Path
from threading import Event
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from lmrl.cli import describe
from lmrl.config import check, conf_dir, suggest
from lmrl.identity import setting
from lmrl.kinds import Count, Positive
from lmrl.overrides import parsed, searching
from lmrl.provenance import flat
from lmrl.reports.archive import NoStoreError, stored_runs
from lmrl.signals import interruptible
from lmrl.studies.job import Job, training
from lmrl.studies.plan import composed

PLAY = ("policy", "evaluation.final_episodes", "evaluation.first_seed")
"""What decides a run's final figures, besides its weights."""
OWN = {"task": "tasks", "algo": "algos", "seed": "seeds"}
"""Overrides that a table makes itself, and its keys that they come from."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """What a YAML below `sweeps/` asks for."""

    experiment: str
    tasks: Sequence[str] = ()
    """Left out, as algos and seeds may be: those of the experiment."""
    algos: Sequence[str] = ()
    seeds: Sequence[int] = ()
    overrides: Sequence[str] = ()
    cells: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """`TASKS ALGOS` -> overrides, of all that fit, in order; names are parted by commas, and `*` is any."""
    minutes: Positive = 120.0
    """After which a run is ended."""
    at_once: Count = 2

    def __post_init__(self) -> None:
        for key in OWN.values():
            given = list(getattr(self, key))
            if not given or len(set(given)) < len(given):
                raise ValueError(f"{key} = {given}: at least one, none twice")
        if min(self.seeds) < 0:
            raise ValueError(f"seeds = {list(self.seeds)}: none below 0")
        for key, overrides in self.cells.items():
            self._check_cells(key, overrides)

    def _check_cells(self, key: str, overrides: Any) -> None:
        if not isinstance(overrides, list) or not all(isinstance(text, str) for text in overrides):
            raise ValueError(f"cells.{key} = {overrides!r}: takes a list of overrides, such as [trainer.max_steps=400]")
        if len(key.split()) != 2:
            raise ValueError(f"cells.{key}: write TASKS ALGOS, such as 'maze,chess bc' or '* ppo'")
        for names, kind in zip(key.split(), ("tasks", "algos"), strict=True):
            known = getattr(self, kind)
            for name in names.split(","):
                if name not in (*known, "*"):
                    raise ValueError(f"cells.{key}: {name!r} is none of the table's {kind}{suggest(name, known)}")

    def cells_of(self, task: str, algo: str) -> list[str]:
        """What is overridden there.

        >>> cells = {"* ppo": ["a=1"], "maze,chess bc,ppo": ["a=2", "b=1"]}
        >>> grid = {"tasks": ["maze", "chess", "wordle"], "algos": ["bc", "ppo"], "seeds": [1]}
        >>> table = Table(experiment="paper_table", cells=cells, **grid)
        >>> table.cells_of("chess", "ppo"), table.cells_of("wordle", "bc")
        (['a=1', 'a=2', 'b=1'], [])
        """
        found: list[str] = []
        for key, given in self.cells.items():
            tasks, algos = (names.split(",") for names in key.split())
            if {task, "*"} & set(tasks) and {algo, "*"} & set(algos):
                found += given
        return found


@dataclass(frozen=True)
class Cell:
    """A run of the table."""

    task: str
    algo: str
    seed: int
    overrides: Sequence[str]
    config: DictConfig
    """Of any seed."""

    @cached_property
    def key(self) -> tuple[str, ...]:
        """By which the store knows it, with its seed."""
        return _key(flat(OmegaConf.to_container(self.config, resolve=True)))

    @property
    def name(self) -> str:
        """Of its folder: another key has another."""
        return f"{self.task}-{self.algo}-s{self.seed}-{hashlib.sha256(repr(self.key).encode()).hexdigest()[:6]}"


def _key(params: Mapping[str, str]) -> tuple[str, ...]:
    return setting(params), *(params.get(name, "") for name in PLAY)


def main(arguments: Sequence[str] | None = None, command: Sequence[str] | None = None) -> int:
    """The command; its exit status: 1 after an error, or if a run came to nothing; 130 when interrupted."""
    parser = ArgumentParser("lmrl-benchmark", description="Run what a table lacks, and write the report.")
    parser.add_argument("file", type=Path, help="the table, such as sweeps/paper_table_short.yaml")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="of all its runs")
    parser.add_argument("--status", action="store_true", help="say what is missing, and run nothing")
    args = parser.parse_intermixed_args(arguments)
    try:
        with interruptible():
            return _answer(args.file, args.overrides, args.status, command)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on", file=sys.stderr)
        return 130
    except Exception as error:
        line = describe(error, "train")
        if line is None:
            raise
        print(f"error: {line}", file=sys.stderr)
        return 1


def _answer(file: Path, overrides: Sequence[str], status: bool, command: Sequence[str] | None) -> int:
    table = read(file)
    every = cells(table, overrides)
    missing = lacking(every)
    print(f"{len(every)} runs, {len(missing)} of them missing", flush=True)
    if status:
        print("\n".join(cell.name for cell in missing))
        return 0
    first = [cell for cell in missing if cell.algo == "bc"]
    with training((cell.config for cell in missing), command) as command:
        failed = [*work(table, first, file.stem, command)]
        failed += work(table, [cell for cell in missing if cell not in first], file.stem, command)
    for text in failed:  # before the report, which may raise
        print(f"came to nothing: {text}", file=sys.stderr)
    _report(every[0].config.tracking)
    return 1 if failed else 0


def read(file: Path) -> Table:
    """The table in a file, its grid filled in. Raises ConfigError and ValueError, OSError if it cannot be read."""
    node = yaml.safe_load(file.read_text(encoding="utf-8"))
    if not isinstance(node, dict):
        raise ValueError(f"{file}: not a table; it needs the key experiment, such as experiment: paper_table")
    node = json.loads(json.dumps(node, default=str))  # a date of YAML's is a text here
    _check_keys(node)
    return Table(**{**_grid(node["experiment"]), **node})


def _check_keys(node: dict[str, Any]) -> None:
    cfg = OmegaConf.create(json.dumps(node).replace("${", "$"))  # it is the runs' configs that fill these in
    assert isinstance(cfg, DictConfig)
    cfg["_target_"] = "lmrl.reports.benchmark.Table"
    check(cfg)


def _grid(experiment: str) -> dict[str, Any]:
    """Tasks, algorithms and seeds of a named experiment."""
    path = conf_dir() / "experiment" / f"{experiment}.yaml"
    if not path.is_file():
        raise ValueError(
            f"experiment = {experiment}{suggest(experiment, (p.stem for p in path.parent.glob('*.yaml')))}"
        )
    params = OmegaConf.select(OmegaConf.load(path), "hydra.sweeper.params") or {}
    listed = {key: [text.strip() for text in str(value).split(",")] for key, value in params.items()}
    return {
        "tasks": listed.get("task", []),
        "algos": listed.get("algo", []),
        "seeds": [int(seed) for seed in listed.get("seed", [])],
    }


def cells(table: Table, overrides: Sequence[str]) -> list[Cell]:
    """All runs, a task's side by side, in order of the algorithms. Raises ConfigError, ValueError."""
    found = []
    for task, algo in product(table.tasks, table.algos):
        own = [*table.overrides, *table.cells_of(task, algo), *overrides]
        _refuse_own(own)
        given = [f"task={task}", f"algo={algo}", *own]
        config = composed(given)
        found += [Cell(task, algo, seed, [*given, f"seed={seed}"], config) for seed in table.seeds]
    return found


def _refuse_own(overrides: Sequence[str]) -> None:
    for text in overrides:
        key = text.partition("=")[0].lstrip("+~")
        if key in OWN:
            raise ValueError(f"{text}: a table sets {key} itself; change {OWN[key]} in its file")


def lacking(every: Sequence[Cell]) -> list[Cell]:
    """Those that their store does not have as finished. Raises ValueError if it does not answer."""
    tracking = every[0].config.tracking
    try:
        stored = stored_runs(tracking.uri, tracking.experiment) if tracking.uri else []
    except NoStoreError:  # the first run makes it
        stored = []
    had = {(_key(run.params), run.params["seed"]) for run in stored if run.tags.get("kind") == "training"}
    return [cell for cell in every if (cell.key, str(cell.seed)) not in had]


def work(table: Table, missing: Sequence[Cell], name: str, command: Sequence[str]) -> list[str]:
    """Run them, some at once; those that came to nothing, and how."""
    stop, failed, begun = Event(), [], time.monotonic()
    with ThreadPoolExecutor(table.at_once) as pool:
        runs = [(cell, pool.submit(_run, table, cell, name, command, stop)) for cell in missing]
        try:
            for number, (cell, run) in enumerate(runs, 1):
                how = run.result()
                minutes = (time.monotonic() - begun) / 60
                print(f"{number} of {len(runs)}, {minutes:.0f} min: {cell.name} {how}", flush=True)
                if how not in ("finished", "diverged", "collapsed"):
                    failed.append(f"{cell.name}: {how}")
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return failed


def _run(table: Table, cell: Cell, name: str, command: Sequence[str], stop: Event) -> str:
    """Carry one to its end: how it ended, or why it was refused."""
    job = Job(Path("outputs") / name / cell.name, cell.overrides, command)
    job.folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        if job.done and cell.config.tracking.uri and lacking([cell]):
            _forget(job.folder)
        return job.carry(60 * table.minutes, _raising(stop))
    except ValueError as error:
        return str(error)


def _forget(folder: Path) -> None:
    """Have what ended here go on from its checkpoint's end: it plays once more, as a new run of a store without it."""
    for name in ("metrics.json", "run_id"):  # a store that does not know the id refuses it
        (folder / name).unlink(missing_ok=True)


class _Interrupted(Exception):
    """In a thread, whose run is stopped and saved."""


def _raising(stop: Event) -> Callable[[], None]:
    def look() -> None:
        if stop.is_set():
            raise _Interrupted

    return look


def _report(tracking: DictConfig) -> None:
    from lmrl.reports.report import report

    with searching(parsed([])) as compose:
        cfg = compose("report", [])
    cfg.tracking = tracking  # as the runs have it, whichever override or file it came from
    report(cfg, Path("outputs") / "report" / datetime.now().strftime("%Y-%m-%d_%H-%M-%S"))


if __name__ == "__main__":
    sys.exit(main())
