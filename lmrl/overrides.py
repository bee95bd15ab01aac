"""What a command line got wrong, in one line: Hydra says that a key is not there, we say which one is near."""

import re
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf

from lmrl.config import conf_dir, suggest
from lmrl.errors import in_a_line

REFUSED_KEY = re.compile(r"Could not (?:override|delete from config\.) '([^'@]+)'")
NO_KEY, NOT_CHOSEN = "append to your default list", "No match in the defaults list"
"""What Hydra says where the name is that of a folder of options, which this command does not choose from."""


NO_NAME = "Config group override must be"
"""And where an option is a number: in an error of another kind."""


def parsed(arguments: Sequence[str]) -> Namespace:
    """The arguments as Hydra itself reads them."""
    return get_args_parser().parse_known_args(list(arguments))[0]


def folders(args: Namespace) -> list[Path]:
    """The config trees of a command line: ours, then the user's own."""
    return [Path(folder).absolute() for folder in (args.config_path or conf_dir(), args.config_dir) if folder]


def opened(arguments: Sequence[str], nodes: tuple[str, ...]) -> list[str]:
    """Arguments in which every key below the nodes may be a new one: `algo.beta=3` needs no `+`.

    >>> opened(["ckpt=algo.ckpt", "algo.beta=3", "+algo.clip=1"], ("algo",))
    ['ckpt=algo.ckpt', '++algo.beta=3', '+algo.clip=1']
    """
    return [f"++{text}" if text.startswith(tuple(f"{node}." for node in nodes)) else text for text in arguments]


@contextmanager
def searching(args: Namespace) -> Iterator[Callable[[str, list[str]], DictConfig]]:
    """Lend the function that composes a root config with overrides, searching the folders of a command line.

    Where Hydra runs the program, its own state is put aside meanwhile: it suffers one alone.
    """
    ours, *own = folders(args)
    found = [f"hydra.searchpath=[file://{folder}]" for folder in own]
    whole = GlobalHydra.instance()
    running, whole.hydra = whole.hydra, None
    try:
        with initialize_config_dir(str(ours), version_base="1.3"):
            yield lambda root, overrides: compose(args.config_name or root, overrides=found + overrides)
    finally:
        whole.hydra = running


def explain(error: Exception, root: str, args: Namespace) -> str:
    """Say in words what Hydra refused in a command line over the root config `root`."""
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        group, _, option = error.missing_cfg_file.rpartition("/")
        near = suggest(option, error.options)
        every = f" (there are {', '.join(error.options)})" if near.endswith("?") else ""
        return f"{group}={option}: no such option{near}{every}"
    if isinstance(error, OverrideParseException):
        reason = [line for line in str(error).splitlines() if not line.startswith(("See ", "Error parsing"))]
        return f"{error.override}: not a key=value that Hydra can read: {' '.join(reason)}"
    refused = REFUSED_KEY.match(str(error))
    if refused and NO_KEY in str(error):
        if NOT_CHOSEN not in str(error):
            return " ".join(str(error).splitlines()[:2])
        if refused[1] not in OmegaConf.load(folders(args)[0] / f"{args.config_name or root}.yaml"):
            return f"{refused[1]}: no such key in this command"
        return f"{refused[1]}: nothing to choose in this command; where it has keys, set one: {refused[1]}.KEY=VALUE"
    if refused and isinstance(error, ConfigCompositionException):
        return _unknown_key(refused[1], root, args) or in_a_line(error)
    if NO_NAME in str(error):
        return f"{_no_option(args)}: an option is a name, such as model=tiny"
    return in_a_line(error)


def _no_option(args: Namespace) -> str:
    """The override of a group by what is no name."""
    for override in OverridesParser.create().parse_overrides(args.overrides):
        folder = Path(override.key_or_group)
        if not isinstance(override.value(), str | list) and any((tree / folder).is_dir() for tree in folders(args)):
            return str(override.input_line)
    return " ".join(args.overrides)


def _unknown_key(key: str, root: str, args: Namespace) -> str | None:
    """Walk down the config to the part of `key` that is not there; None if all of it is."""
    node: object = _with_choices_only(root, args)
    parts = key.split(".")
    for i, part in enumerate(parts):
        if not isinstance(node, DictConfig):
            return f"{key}: {'.'.join(parts[:i])} is a value and has no keys"
        if part not in node:
            prefix = "".join(f"{p}." for p in parts[:i])
            known = [prefix + str(name) for name in node if part[:1] == "_" or not str(name).startswith("_")]
            return f"{key}: no such key{suggest(prefix + part, known)}"
        node = node._get_node(part)
    return None


def _with_choices_only(root: str, args: Namespace) -> DictConfig:
    """The config that the command line's choices of files make, without its values: what there is to override."""
    with searching(args) as composed:
        choices = [c for o in OverridesParser.create().parse_overrides(args.overrides) if (c := _choice(o))]
        return composed(root, choices)


def _choice(override: Override) -> str | None:
    """The override if it chooses a file of a group; the first of them if it sweeps."""
    loader = GlobalHydra.instance().config_loader()
    if not loader.get_group_options(override.key_or_group):
        return None
    if override.is_sweep_override():
        return f"{override.get_key_element()}={next(override.sweep_string_iterator())}"
    return override.input_line
