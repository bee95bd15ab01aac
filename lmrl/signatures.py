"""What a `_target_` takes, read from the imported object or, within milliseconds, from its source alone.

Importing an algorithm imports torch and Lightning, which takes seconds. Its parameters are written in its file, so a
wrong name or value can be refused before: `from_source` parses that one file and imports nothing.
"""

import ast
import collections.abc
import importlib.util
import inspect
import sys
import typing
from collections.abc import Mapping
from functools import cache
from inspect import Parameter
from pathlib import Path
from typing import Any, NamedTuple

from hydra.utils import get_object

from lmrl import kinds

KNOWN: dict[str, Any] = {
    **vars(kinds),
    **{name: getattr(collections.abc, name) for name in ("Callable", "Iterable", "Mapping", "Sequence")},
    "Optional": typing.Optional,
    "Path": Path,
}
"""What an annotation may use: a file's own imports are not read."""


class Signature(NamedTuple):
    """The parameters of a target, and the names that its annotations may use."""

    parameters: Mapping[str, Parameter]
    names: Mapping[str, Any]

    def hint(self, name: str) -> Any:
        """What `name` takes; Any where the annotation cannot be evaluated (imported for type checkers only)."""
        annotation = self.parameters[name].annotation if name in self.parameters else Any
        if not isinstance(annotation, str):
            return Any if annotation is Parameter.empty else annotation
        try:
            return eval(annotation, dict(self.names))
        except (NameError, AttributeError, TypeError, SyntaxError):
            return Any


def imported(path: str) -> Signature | None:
    """The signature of what the dotted `path` names, imported; None for a builtin without one. Raises ImportError."""
    target = get_object(path)
    try:
        parameters = inspect.signature(target).parameters
    except ValueError:
        return None
    return Signature(parameters, vars(sys.modules[target.__module__]))


def from_source(path: str) -> Signature | None:
    """The signature of `package.module.Name` without importing it; None where its file alone does not tell.

    >>> list(from_source("lmrl.scoring.Score").parameters)
    ['floor', 'mean', 'best']
    """
    module, _, name = path.rpartition(".")
    found = [node for node in _statements(module) if getattr(node, "name", None) == name]
    parameters = _read(found[0]) if len(found) == 1 else None
    return None if parameters is None else Signature({p.name: p for p in parameters}, KNOWN)


@cache
def _statements(module: str) -> list[ast.stmt]:
    file = _file(module)
    return ast.parse(file.read_text(encoding="utf-8")).body if file else []


def _file(module: str) -> Path | None:
    """The source of a module, found without importing the packages it lies in."""
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top) if top and top not in sys.builtin_module_names else None
    if spec is None or not spec.submodule_search_locations:
        return None
    stem = Path(spec.submodule_search_locations[0], *rest)
    return next((file for file in (stem.with_suffix(".py"), stem / "__init__.py") if file.is_file()), None)


def _read(node: ast.stmt) -> list[Parameter] | None:
    if isinstance(node, ast.FunctionDef) and not node.decorator_list:
        return _of_arguments(node.args)
    if not isinstance(node, ast.ClassDef):
        return None
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name == "__init__" and not method.decorator_list:
            return _of_arguments(method.args)[1:]
    return None if node.bases else _of_fields(node)


def _of_arguments(arguments: ast.arguments) -> list[Parameter]:
    positional = [*arguments.posonlyargs, *arguments.args]
    required = len(positional) - len(arguments.defaults)
    kind = Parameter.POSITIONAL_OR_KEYWORD
    parameters = [_parameter(a.arg, a.annotation, kind, i >= required) for i, a in enumerate(positional)]
    for a, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        parameters.append(_parameter(a.arg, a.annotation, Parameter.KEYWORD_ONLY, default is not None))
    if arguments.kwarg:
        parameters.append(_parameter(arguments.kwarg.arg, None, Parameter.VAR_KEYWORD, False))
    return parameters


def _of_fields(node: ast.ClassDef) -> list[Parameter] | None:
    """The fields of a dataclass; None for another class, and for one whose fields play tricks."""
    decorators = [d for d in node.decorator_list if ast.unparse(d).partition("(")[0].endswith("dataclass")]
    fields = [line for line in node.body if isinstance(line, ast.AnnAssign)]
    if not decorators or any(_plays_tricks(field) for field in fields):
        return None
    kind = Parameter.KEYWORD_ONLY if "kw_only=True" in ast.unparse(decorators[0]) else Parameter.POSITIONAL_OR_KEYWORD
    return [_parameter(ast.unparse(f.target), f.annotation, kind, f.value is not None) for f in fields]


def _plays_tricks(field: ast.AnnAssign) -> bool:
    text = ast.unparse(field)
    return any(word in text for word in ("ClassVar", "InitVar", "KW_ONLY", "init=False")) or (
        "field(" in text and "default" not in text
    )


def _parameter(name: str, annotation: ast.expr | None, kind: Any, has_default: bool) -> Parameter:
    text = _unquoted(annotation) if annotation else Parameter.empty
    return Parameter(name, kind, default=... if has_default else Parameter.empty, annotation=text)


def _unquoted(annotation: ast.expr) -> str:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value
    return ast.unparse(annotation)
