"""`lmrl-benchmark sweeps/TABLE.yaml`: run what a table (`lmrl.reports.matrix`) lacks, and write the report.

A run that the store has as FINISHED, of the same setting, seed and last evaluation, is not repeated; one that was
interrupted goes on in its folder, and one that another store has plays once more for this one. Each is a process of its
own. Cloning comes first, since the others begin from it.
"""

import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from threading import Event

from omegaconf import DictConfig

from lmrl.cli import GOES_ON, settled
from lmrl.overrides import parsed, searching
from lmrl.reports.archive import NoStoreError, stored_runs
from lmrl.reports.matrix import Cell, Table, cells, key_of, read
from lmrl.studies.job import Job, training


def main(arguments: Sequence[str] | None = None, command: Sequence[str] | None = None) -> int:
    """The command; its exit status, as of `lmrl.cli`; 1 too if a run came to nothing."""
    parser = ArgumentParser("lmrl-benchmark", description="Run what a table lacks, and write the report.")
    parser.add_argument("file", type=Path, help="the table, such as sweeps/paper_table_short.yaml")
    parser.add_argument("overrides", nargs="*", default=[], metavar="key=value", help="of all its runs")
    parser.add_argument("--status", action="store_true", help="say what is missing, and run nothing")
    args = parser.parse_intermixed_args(arguments)
    return settled(lambda: _answer(args.file, args.overrides, args.status, command), "train", GOES_ON)


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


def lacking(every: Sequence[Cell]) -> list[Cell]:
    """Those that their store does not have as finished. Raises ValueError if it does not answer."""
    tracking = every[0].config.tracking
    try:
        stored = stored_runs(tracking.uri, tracking.experiment) if tracking.uri else []
    except NoStoreError:  # the first run makes it
        stored = []
    had = {(key_of(run.params), run.params["seed"]) for run in stored if run.tags.get("kind") == "training"}
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
