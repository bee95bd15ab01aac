"""What `--help` and `--info` show: the choices and the config, though the user has chosen nothing yet.

Hydra refuses to show a config that still lacks a choice, and takes seconds to list the groups of a tree like ours.
"""

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from lmrl.overrides import folders, searching

TEXT = """\
{purpose}

Choices (group=option)
{choices}

Config of {line} (override anything: key.of.it=value)
{config}
-m key=1,2 runs every combination, --cfg job shows the config, --config-dir adds a folder of yours; --hydra-help has
the rest. An error tells itself in one line; LMRL_TRACEBACK=1 shows where it came from."""


def usage(root: str, purpose: str, args: Namespace) -> str:
    """The help of the command over `conf/<root>.yaml`."""
    overrides = examples(root, args) + args.overrides
    with searching(args) as composed:
        config = OmegaConf.to_yaml(composed(root, overrides))
    groups = [group for group in _groups(root, args) if _options(group, args)]
    choices = "\n".join(f"  {group}: {', '.join(_options(group, args))}" for group in groups)
    return TEXT.format(purpose=purpose, choices=choices, line=" ".join(overrides) or root, config=_indented(config))


def examples(root: str, args: Namespace) -> list[str]:
    """An option for each group that must be chosen and is not."""
    given = {override.partition("=")[0] for override in args.overrides}
    defaults = _defaults(root, args)
    missing = [str(group) for node in defaults for group in node if OmegaConf.is_missing(node, group)]
    return [f"{group}={_options(group, args)[0]}" for group in missing if group not in given]


def _defaults(root: str, args: Namespace) -> list[DictConfig]:
    """The entries `group: option` of a root config's defaults list."""
    file = folders(args)[0] / f"{args.config_name or root}.yaml"
    return [entry for entry in OmegaConf.select(OmegaConf.load(file), "defaults") if isinstance(entry, DictConfig)]


def _groups(root: str, args: Namespace) -> Iterator[str]:
    for entry in _defaults(root, args):
        yield from (str(group) for group in entry if " " not in str(group))  # not `optional tuned`, `override …`


def _options(group: str, args: Namespace) -> list[str]:
    return sorted({file.stem for folder in folders(args) for file in Path(folder, group).glob("*.yaml")})


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())
