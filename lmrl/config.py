"""Where the config tree lives, and the one check every config passes before anything is built.

The constructor's signature is the schema: `check` holds every `_target_` node against it, so a class needs nothing but
an honest signature, and other libraries' classes are judged as well as ours.
"""

import difflib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from inspect import Parameter
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import InterpolationKeyError, InterpolationToMissingValueError, OmegaConfBaseException

from lmrl.kinds import fits, wording
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


def checked(node: Mapping[str, Any], target: str, **below: str) -> dict[str, Any]:
    """What a YAML file says, held against the class that takes it; a date of YAML's is a text.

    below: by key, the classes of what stands there. Raises ConfigError as `check` does.
    """
    plain: dict[str, Any] = json.loads(json.dumps(node, default=str))
    cfg = OmegaConf.create(json.dumps(plain).replace("${", "$"))  # it is the runs' configs that fill these in
    assert isinstance(cfg, DictConfig)
    for key, name in {"": target, **below}.items():
        if isinstance(part := cfg.get(key) if key else cfg, DictConfig):
            part["_target_"] = name
    check(cfg)
    return plain


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
    given = _given(node)
    for name in given:
        if name not in by_name and not takes_any:
            raise ConfigError(f"{_join(key, name)}: {node._target_} takes no {name!r}{suggest(name, by_name)}")
    for name in by_name:
        if name not in given and _is_required(node, parameters[name]):
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
        raise ConfigError(f"{_join(key, name)} = {value!r}: {node._target_} takes {wording(hint)}")


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
