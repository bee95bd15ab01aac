"""What a parameter takes: kinds of numbers and names for annotations, and whether a config's value is of that kind.

An annotation says the range as well, so that `algo.gamma=2` is refused before anything is built or imported.
"""

import collections.abc
import inspect
import operator
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from os import PathLike
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from omegaconf import DictConfig, ListConfig

Natural = Annotated[int, Ge(0)]
Count = Annotated[int, Ge(1)]
NotNegative = Annotated[float, Ge(0)]
Positive = Annotated[float, Gt(0)]
Share = Annotated[float, Ge(0), Le(1)]
Rate = Annotated[float, Ge(0), Lt(1)]
Mode = Literal["sample", "greedy", "rank"]
"""How to choose an action: by its probability, the likeliest token each time, or the likeliest of the legal actions."""
Unit = Literal["token", "turn"]
"""What a time step is to a discount, a backup or an advantage."""

BOUNDS = {
    "ge": (operator.ge, "at least"),
    "gt": (operator.gt, "above"),
    "le": (operator.le, "at most"),
    "lt": (operator.lt, "below"),
}


def wording(hint: Any) -> str:
    """An annotation in words.

    >>> wording(Count | None), wording(Share), wording(Mode)
    ('int, at least 1, or null', 'float, at least 0, at most 1', "one of 'sample', 'greedy', 'rank'")
    """
    kind, args = get_origin(hint), get_args(hint)
    if kind is Annotated:
        return ", ".join([wording(args[0]), *(f"{words} {limit}" for _, words, limit in _limits(args[1:]))])
    if kind in (Union, UnionType):
        arms = [wording(arm) for arm in args]
        return (", or " if "," in arms[0] else " or ").join(arms)
    if kind is Literal:
        return f"one of {', '.join(map(repr, args))}"
    return "null" if hint is NoneType else inspect.formatannotation(hint)


def _limits(bounds: Iterable[object]) -> Iterator[tuple[Callable[[Any, Any], bool], str, Any]]:
    for bound in bounds:
        yield from ((holds, words, getattr(bound, k)) for k, (holds, words) in BOUNDS.items() if hasattr(bound, k))


def fits(value: Any, hint: Any) -> bool:
    """Whether a value of a config, as Hydra hands it over, is what the annotation says. True where nobody can tell.

    >>> fits(1, float), fits("1", float), fits(True, int), fits(None, int | None), fits(0, Count)
    (True, False, False, True, False)
    """
    kind, args = get_origin(hint) or hint, get_args(hint)
    if isinstance(value, DictConfig) and "_target_" in value:
        return True  # judged as a node of its own
    if kind is Annotated:
        return fits(value, args[0]) and all(holds(value, limit) for holds, _, limit in _limits(args[1:]))
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
    if issubclass(kind, Enum | PathLike):
        return value is not None  # a name or a path arrives as text
    if isinstance(value, str) and kind is not str and issubclass(str, kind) and kind is not object:
        return False  # a sequence of texts is not a text
    try:
        return isinstance(value, kind)
    except TypeError:  # a protocol that cannot be asked
        return True
