"""A table of runs, tasks x algorithms x seeds, from a YAML below `sweeps/`.

It takes its tasks, algorithms and seeds from the grid of a named experiment, and may change them:

    experiment: paper_table                     conf/experiment/paper_table.yaml
    seeds: [1, 2, 3]                            in place of its own; likewise tasks and algos
    overrides: [model=tiny]                     of all runs
    cells: {"chess mc_returns,ilql": [trainer.max_steps=400], "* ppo": [data.env_steps=20000]}    and of some
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from lmrl.config import checked, conf_dir, suggest
from lmrl.files import text_of
from lmrl.identity import setting
from lmrl.kinds import Count, Positive
from lmrl.provenance import flat
from lmrl.studies.plan import composed
from lmrl.studies.space import seeds_of

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
        for key in ("tasks", "algos"):
            given = list(getattr(self, key))
            if not given or len(set(given)) < len(given):
                raise ValueError(f"{key} = {given}: at least one, none twice")
        seeds_of(self.seeds)
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
        return key_of(flat(OmegaConf.to_container(self.config, resolve=True)))

    @property
    def name(self) -> str:
        """Of its folder: another key has another."""
        return f"{self.task}-{self.algo}-s{self.seed}-{hashlib.sha256(repr(self.key).encode()).hexdigest()[:6]}"


def key_of(params: Mapping[str, str]) -> tuple[str, ...]:
    """Of a config's flat params: its setting, and what decides how it plays at the end."""
    return setting(params), *(params.get(name, "") for name in PLAY)


def read(file: Path) -> Table:
    """The table in a file, its grid filled in. Raises ConfigError and ValueError, OSError if it cannot be read."""
    node = yaml.safe_load(text_of(file))
    if not isinstance(node, dict):
        raise ValueError(f"{file}: not a table; it needs the key experiment, such as experiment: paper_table")
    node = checked(node, "lmrl.reports.matrix.Table")
    return Table(**{**_grid(node["experiment"]), **node})


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
