"""What a command line got wrong, in one line: Hydra says that a key is not there, we say which one is near."""

import re
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf

from lmrl.config import conf_dir, suggest

REFUSED_KEY = re.compile(r"Could not (?:override|delete from config\.) '([^'@]+)'")


def explain(error: HydraException, root: str, arguments: Sequence[str]) -> str:
    """Say in words what Hydra refused in `arguments`, a command line over the root config `root`."""
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        group, _, option = error.missing_cfg_file.rpartition("/")
        near = suggest(option, error.options)
        every = f" (there are {', '.join(error.options)})" if near.endswith("?") else ""
        return f"{group}={option}: no such option{near}{every}"
    if isinstance(error, OverrideParseException):
        reason = [line for line in str(error).splitlines() if not line.startswith(("See ", "Error parsing"))]
        return f"{error.override}: not a key=value that Hydra can read: {' '.join(reason)}"
    refused = REFUSED_KEY.match(str(error))
    if refused and isinstance(error, ConfigCompositionException):
        return _unknown_key(refused[1], root, arguments) or str(error).strip()
    return str(error).strip()


def _unknown_key(key: str, root: str, arguments: Sequence[str]) -> str | None:
    """Walk down the config to the part of `key` that is not there; None if all of it is."""
    node: object = _with_choices_only(root, arguments)
    parts = key.split(".")
    for i, part in enumerate(parts):
        if not isinstance(node, DictConfig):
            return f"{key}: {'.'.join(parts[:i])} is a value and has no keys"
        if part not in node:
            prefix = "".join(f"{p}." for p in parts[:i])
            return f"{key}: no such key{suggest(prefix + part, [prefix + str(name) for name in node])}"
        node = node._get_node(part)
    return None


def _with_choices_only(root: str, arguments: Sequence[str]) -> DictConfig:
    """The config that the command line's choices of files make, without its values: what there is to override."""
    args, _ = get_args_parser().parse_known_args(list(arguments))
    extra = [f"hydra.searchpath=[file://{Path(args.config_dir).absolute()}]"] if args.config_dir else []
    with initialize_config_dir(str(_folder(args)), version_base="1.3"):
        choices = [c for o in OverridesParser.create().parse_overrides(args.overrides) if (c := _choice(o))]
        return compose(args.config_name or root, overrides=choices + extra)


def _choice(override: Override) -> str | None:
    """The override if it chooses a file of a group; the first of them if it sweeps."""
    loader = GlobalHydra.instance().config_loader()
    if not loader.get_group_options(override.key_or_group):
        return None
    if override.is_sweep_override():
        return f"{override.get_key_element()}={next(override.sweep_string_iterator())}"
    return override.input_line


def complete(root: str, arguments: list[str]) -> list[str]:
    """Give `--help` and `--info` an option of each group that must be chosen: Hydra cannot show a config without."""
    args, _ = get_args_parser().parse_known_args(arguments)
    if not (args.help or args.info):
        return arguments
    given = {override.partition("=")[0] for override in args.overrides}
    groups = [group for group in _required(_folder(args) / f"{args.config_name or root}.yaml") if group not in given]
    return [f"{group}={min((_folder(args) / group).glob('*.yaml')).stem}" for group in groups] + arguments


def _required(file: Path) -> Iterator[str]:
    """The groups that stand as `???` in a root config's defaults."""
    for entry in OmegaConf.select(OmegaConf.load(file), "defaults"):
        if isinstance(entry, DictConfig):
            yield from (str(group) for group in entry if OmegaConf.is_missing(entry, group))


def _folder(args: Namespace) -> Path:
    return Path(args.config_path or conf_dir()).absolute()
