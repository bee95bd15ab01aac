from collections.abc import Sequence
from dataclasses import dataclass, field
from inspect import Parameter
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import pytest

from lmrl.signatures import from_source, imported

if TYPE_CHECKING:
    from nowhere import Unknown


class Learner:
    def __init__(
        self,
        model: "Unknown",
        optimizer: object,
        passes: int = 1,
        *,
        clip: float,
        backup: Literal["token", "turn"] = "turn",
        steps: "Sequence[int] | None" = None,
    ) -> None: ...


class Heir(Learner):
    """Its constructor stands elsewhere."""


@dataclass(frozen=True, kw_only=True)
class Task:
    name: str
    words: tuple[str, ...] = ()
    seen: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class LongTask(Task):
    """Half its fields stand elsewhere."""

    turns: int


@dataclass
class Tricky:
    name: str
    kind: ClassVar[str] = "none"


def play(player: Task, /, *, turns: int, **other: Any) -> None: ...


@pytest.mark.parametrize("target", [Learner, Task, play])
def test_the_source_tells_what_the_import_tells(target: Any) -> None:
    path = f"{__name__}.{target.__name__}"
    read, loaded = from_source(path), imported(path)
    assert read is not None
    assert loaded is not None
    for name, p in loaded.parameters.items():
        kind = Parameter.POSITIONAL_OR_KEYWORD if p.kind is Parameter.POSITIONAL_ONLY else p.kind
        assert read.parameters[name].kind is kind or p.kind is Parameter.POSITIONAL_ONLY
        assert (read.parameters[name].default is Parameter.empty) == (p.default is Parameter.empty)
    assert list(read.parameters) == list(loaded.parameters)


def test_annotations_are_evaluated_where_they_can_be() -> None:
    read = from_source(f"{__name__}.Learner")
    assert read is not None
    assert read.hint("clip") is float
    assert read.hint("backup") == Literal["token", "turn"]
    assert read.hint("steps") == Sequence[int] | None
    assert read.hint("model") is Any


@pytest.mark.parametrize("name", ["Heir", "LongTask", "Tricky", "nothing", "pytest"])
def test_what_a_file_does_not_tell_is_left_open(name: str) -> None:
    assert from_source(f"{__name__}.{name}") is None


@pytest.mark.parametrize("path", ["builtins.dict", "nowhere.at.All", "torch.optim.AdamW", "sys", ""])
def test_foreign_targets_are_left_open(path: str) -> None:
    assert from_source(path) is None


def test_a_builtin_without_a_signature_is_left_open() -> None:
    assert imported("builtins.dict") is None
