"""Where the config tree lives, and the one check every config passes before anything is built.

The constructor's signature is the schema: `check` holds every `_target_` node against it, so a class needs nothing but
an honest signature, and other libraries' classes are judged as well as ours.
"""

import collections.abc
import difflib
import hashlib
import inspect
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from inspect import Parameter
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import InterpolationKeyError, InterpolationToMissingValueError, OmegaConfBaseException

from lmrl.signatures import Signature, imported

HYDRA_KEYS = {"_target_", "_partial_", "_args_", "_convert_", "_recursive_"}
UNKNOWN = object()
"""Stands for a value that only Hydra's runtime can resolve."""


class ConfigError(ValueError):
    """A config that its targets would not take."""


def conf_dir() -> Path:
    """The config tree: inside the package in a wheel, beside it in a checkout."""
    installed = Path(__file__).parent / "conf"
    return installed if installed.is_dir() else Path(__file__).parents[1] / "conf"


def several_processes() -> bool:
    """Whether torchrun has started others beside this process."""
    return int(os.environ.get("WORLD_SIZE", 1)) > 1


def config_hash(node: DictConfig) -> str:
    """Twelve hex digits that name a config: equal for equal resolved values, whatever the order of the keys.

    >>> config_hash(OmegaConf.create({"a": 1, "b": "${a}"})) == config_hash(OmegaConf.create({"b": 1, "a": 1}))
    True
    """
    plain = OmegaConf.to_container(node, resolve=True, throw_on_missing=True)
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()[:12]


def suggest(name: str, known: Iterable[object]) -> str:
    """The end of an error's line: the nearest of the known names, or else all of them.

    >>> suggest("clpi", ["clip", "gamma"])
    "; did you mean 'clip'?"
    >>> suggest("horizon", ["clip", "gamma"])
    '; there are clip, gamma'
    """
    names = [str(k) for k in known]
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there are {', '.join(names)}" if names else ""


def check(cfg: DictConfig, read: Callable[[str], Signature | None] = imported) -> None:
    """Hold every `_target_` node against its target's signature.

    `read` finds the signature of a dotted name, or None where it cannot tell; `lmrl.signatures.from_source` imports
    nothing. Under `_partial_` the program brings the positional arguments later, so only those after `*` must be set.
    Raises ConfigError naming the full key, what was given and what the target takes.
    """
    for key, node in _targets(cfg, ""):
        try:
            signature = read(node._target_)
        except ImportError as error:
            raise ConfigError(f"{_join(key, '_target_')} = {node._target_}: {error.__cause__ or error}") from error
        if signature is not None:
            _check_names(node, key, signature.parameters)
            _check_values(node, key, signature)


def _targets(node: Any, key: str) -> Iterator[tuple[str, DictConfig]]:
    """Every node with a `_target_`, outermost first, with its full key. Nodes reached by interpolation count once."""
    if isinstance(node, DictConfig) and not node._is_none() and not node._is_missing():
        if "_target_" in node:
            yield key, node
        children = list(node.items_ex(resolve=False))
    elif isinstance(node, ListConfig) and not node._is_none() and not node._is_missing():
        children = list(enumerate(node._iter_ex(resolve=False)))
    else:
        return
    for name, child in children:
        yield from _targets(child, _join(key, name))


def _join(key: str, name: object) -> str:
    return f"{key}.{name}" if key else str(name)


def _check_names(node: DictConfig, key: str, parameters: Mapping[str, Parameter]) -> None:
    by_name = [name for name, p in parameters.items() if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)]
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for name in _given(node):
        if name not in by_name and not takes_any:
            raise ConfigError(f"{_join(key, name)}: {node._target_} takes no {name!r}{suggest(name, by_name)}")
    for name in by_name:
        if _is_required(node, parameters[name]) and name not in _given(node):
            raise ConfigError(f"{_join(key, name)}: {node._target_} needs {name!r} and no config sets it")


def _is_required(node: DictConfig, p: Parameter) -> bool:
    filled_later = node.get("_partial_", False) or "_args_" in node
    return p.default is p.empty and (p.kind is p.KEYWORD_ONLY or not filled_later)


def _given(node: DictConfig) -> list[str]:
    return [str(name) for name in node if name not in HYDRA_KEYS]


def _check_values(node: DictConfig, key: str, signature: Signature) -> None:
    for name in _given(node):
        value, hint = _value(node, name, _join(key, name)), signature.hint(name)
        if value is UNKNOWN or fits(value, hint):
            continue
        raise ConfigError(f"{_join(key, name)} = {value!r}: {node._target_} takes {_wording(hint)}")


def _value(node: DictConfig, name: str, key: str) -> Any:
    if OmegaConf.is_missing(node, name):
        raise ConfigError(f"{key} = ???: it has no default; give it one by {key}=VALUE")
    try:
        return node[name]
    except (InterpolationKeyError, InterpolationToMissingValueError) as error:
        text = OmegaConf.to_container(node, resolve=False)[name]  # type: ignore[call-overload,index]
        raise ConfigError(f"{key} = {text}: {str(error).splitlines()[0]}") from error
    except OmegaConfBaseException:
        return UNKNOWN


def _wording(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return f"one of {', '.join(map(repr, get_args(hint)))}"
    return inspect.formatannotation(hint)


def fits(value: Any, hint: Any) -> bool:
    """Whether a value of a config, as Hydra hands it over, is what the annotation says. True where nobody can tell.

    >>> fits(1, float), fits("1", float), fits(True, int), fits(None, int | None)
    (True, False, False, True)
    """
    kind, args = get_origin(hint) or hint, get_args(hint)
    if isinstance(value, DictConfig) and "_target_" in value:
        return True  # judged as a node of its own
    if kind is Literal:
        return any(value == choice and type(value) is type(choice) for choice in args)
    if kind in (Union, UnionType):
        return any(fits(value, arm) for arm in args)
    if not isinstance(kind, type):
        return kind is not None or value is None
    if isinstance(value, ListConfig):
        return _list_fits(value, kind, args)
    if isinstance(value, DictConfig):
        return not issubclass(kind, NO_MAPPING)
    return _atom_fits(value, kind)


LISTS = (collections.abc.Iterable, collections.abc.Container)
NO_MAPPING: Any = (int, float, NoneType, collections.abc.Sequence, collections.abc.Callable)


def _list_fits(value: ListConfig, kind: type, args: tuple[Any, ...]) -> bool:
    if kind is object:
        return True
    if kind in (str, bytes) or not issubclass(kind, LISTS) or issubclass(kind, collections.abc.Mapping):
        return False
    if kind is tuple and args and args[-1] is not ...:
        return len(value) == len(args) and all(map(fits, value, args))
    return not args or all(fits(item, args[0]) for item in value)


def _atom_fits(value: Any, kind: type) -> bool:
    if kind is float:
        return type(value) in (int, float)
    if kind is int:
        return type(value) is int
    if issubclass(kind, Enum | os.PathLike):
        return value is not None  # a name or a path arrives as text
    if isinstance(value, str) and kind is not str and issubclass(str, kind) and kind is not object:
        return False  # a sequence of texts is not a text
    try:
        return isinstance(value, kind)
    except TypeError:  # a protocol that cannot be asked
        return True
