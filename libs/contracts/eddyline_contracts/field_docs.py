"""The sentences under the fields of a class, which Python forgets: from its source, for schemas and references."""

from __future__ import annotations

import ast
import inspect
import sys
from functools import cache


def field_docs(cls: type) -> dict[str, str]:
    """Field → its docstring, inherited ones included; empty where there is no source to read."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        found |= _of_module(base.__module__).get(base.__qualname__, {})
    return found


@cache
def _of_module(name: str) -> dict[str, dict[str, str]]:
    """Class → field → docstring, of the classes at the module's top."""
    if name == "builtins" or name not in sys.modules:
        return {}
    try:
        tree = ast.parse(inspect.getsource(sys.modules[name]))
    except (OSError, TypeError):
        return {}
    return {part.name: _of_class(part) for part in tree.body if isinstance(part, ast.ClassDef)}


def _of_class(told: ast.ClassDef) -> dict[str, str]:
    found = {}
    for field, after in zip(told.body, told.body[1:], strict=False):
        match field, after:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = inspect.cleandoc(text)
            case _:
                pass
    return found
