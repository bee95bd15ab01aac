"""`lmrl-data`: make a task's offline episodes, or read the user's, print their statistics, export them. No torch."""

from collections.abc import Sequence
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig

from lmrl.config import check
from lmrl.datasets import Dataset, describe
from lmrl.parquet import export_parquet
from lmrl.trajectory import write_lines

KINDS = (".parquet", ".jsonl")


def prepare(cfg: DictConfig, folder: Path, overrides: Sequence[str] = ()) -> dict[str, float]:
    """Make the data of `cfg.task` unless the cache has it; return its statistics. Nothing is written to `folder`.

    Raises ValueError for a file that cannot be read or an export of unknown kind.
    """
    check(cfg)
    target = Path(cfg.export) if cfg.export else None
    if target and target.suffix not in KINDS:
        raise ValueError(f"export = {target}: a file ends in {' or '.join(KINDS)}")
    dataset = instantiate(cfg.task, _convert_="all").data.dataset()
    print(describe(dataset))
    if target:
        try:
            _export(dataset, target)
        except OSError as error:
            raise ValueError(f"export = {target}: cannot be written ({error.strerror}); name another file") from error
        print(f"{'exported':<10}{target}")
    return dict(dataset.stats)


def _export(dataset: Dataset, target: Path) -> None:
    if target.suffix == ".parquet":
        export_parquet(dataset, target)
    else:
        write_lines(target, dataset)
