"""`python -m tests.speed [SUBJECT ...]`: measure and print a table; 0 whether or not the figures are reached."""

import argparse
import gc
import importlib
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from tests.speed.measure import Effort, Figure

SUBJECTS = ("startup", "envs", "opponents", "episodes", "rollouts", "values", "training", "reports")
FULL = Effort(repetitions=7, share=1.0)


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.speed", description=__doc__)
    parser.add_argument("subjects", nargs="*", choices=[*SUBJECTS, []], metavar="SUBJECT", help=", ".join(SUBJECTS))
    chosen = parser.parse_args(arguments).subjects or SUBJECTS
    console = Console(width=120)
    settle()
    with tempfile.TemporaryDirectory() as folder:
        for subject in chosen:
            with console.status(subject):
                found = measure(subject, FULL, Path(folder))
            console.print(table(subject, found))


def settle() -> None:
    """One thread, as a run has it, no advice of Lightning's, and no pause for garbage that is none."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    for name in ("lightning.pytorch.utilities.rank_zero", "lightning.pytorch.accelerators"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*treespec, LeafSpec.*")
    for subject in SUBJECTS:
        importlib.import_module(f"tests.speed.{subject}")
    gc.collect()
    gc.freeze()  # looking through all that the libraries hold takes 0.2 s and would fall on whoever's turn it is


def measure(subject: str, effort: Effort, folder: Path) -> list[Figure]:
    """The figures of one subject."""
    module = importlib.import_module(f"tests.speed.{subject}")
    found: list[Figure] = module.figures(effort, folder)
    return found


def table(subject: str, figures: Sequence[Figure]) -> Table:
    """The figures for people: medians, and the lowest and highest repetition."""
    load = os.getloadavg()[0]
    drawn = Table(title=f"{subject} (load {load:.1f} on {os.cpu_count()} cores)", title_justify="left")
    for column in ("figure", "to reach", "reached", "lowest to highest", ""):
        drawn.add_column(column, justify="left" if column in ("figure", "") else "right")
    for figure in figures:
        drawn.add_row(*cells(figure))
    return drawn


def cells(figure: Figure) -> list[str]:
    """A row of the table."""
    target = ""
    if figure.at_least is not None:
        target = f"at least {number(figure.at_least)}"
    if figure.at_most is not None:
        target = f"at most {number(figure.at_most)}"
    spread = f"{number(min(figure.values))} to {number(max(figure.values))}"
    verdict = {True: "met", False: "MISSED", None: ""}[figure.met]
    return [figure.name, target, f"{number(figure.reached)} {figure.unit}", spread, verdict]


def number(x: float) -> str:
    """Two digits after the point, or thousands apart.

    >>> number(0.123), number(43210.9)
    ('0.12', '43 211')
    """
    return f"{x:.2f}" if abs(x) < 100 else f"{x:,.0f}".replace(",", " ")


if __name__ == "__main__":
    main(sys.argv[1:])
