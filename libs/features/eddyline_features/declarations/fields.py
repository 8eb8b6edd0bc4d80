"""Number, boolean and categories: the value of a field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from yaml.nodes import ScalarNode

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import distinct, read_path, read_ttl
from eddyline_features.declarations.paths import FieldPath
from eddyline_features.yaml_reader import Section, as_text

MAX_ONE_HOT = 500
MAX_CODES = 10_000


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number as it is; NaN where unknown or of another type."""

    name: str
    field: FieldPath
    ttl_ms: int = 0
    """How long a value is known after it was written; 0 is for ever."""

    @property
    def columns(self) -> list[str]:
        return [self.name]


@dataclass(frozen=True, kw_only=True)
class Boolean:
    """1.0 for true, 0.0 for false; NaN where unknown or of another type."""

    name: str
    field: FieldPath
    ttl_ms: int = 0
    """How long a value is known after it was written; 0 is for ever."""

    @property
    def columns(self) -> list[str]:
        return [self.name]


@dataclass(frozen=True, kw_only=True)
class Categories:
    """Words as codes: one column with a code, or one column of 0.0 and 1.0 for each value."""

    name: str
    field: FieldPath
    one_hot: bool
    values: tuple[str, ...]
    """Codes fixed here; when empty, codes go by first appearance in the log."""
    max_values: int
    """At most so many codes; values that appear later stay unknown (NaN), so that no code ever changes."""
    ttl_ms: int = 0
    """How long a value is known after it was written; 0 is for ever."""

    @property
    def columns(self) -> list[str]:
        return [f"{self.name}={value}" for value in self.values] if self.one_hot else [self.name]

    @property
    def coded_columns(self) -> tuple[int, ...]:
        return () if self.one_hot else (0,)


def _number(section: Section, name: str, actions: Sequence[str]) -> Number:
    field = read_path(section)
    return Number(name=name, field=field, ttl_ms=read_ttl(section, field))


def _boolean(section: Section, name: str, actions: Sequence[str]) -> Boolean:
    field = read_path(section)
    return Boolean(name=name, field=field, ttl_ms=read_ttl(section, field))


def _categories(section: Section, name: str, actions: Sequence[str]) -> Categories:
    field = read_path(section)
    one_hot = section.choice("encode", ("index", "one-hot"), default="index") == "one-hot"
    nodes = section.members("values")
    values = []
    for node in nodes:
        text = as_text(node)
        if text is None:
            shown = repr(node.value) if isinstance(node, ScalarNode) else "a list or mapping"
            section.problems.add(
                node, f"`{section.at('values')}` holds {shown}: write words, in quotes if need be"
            )
        else:
            values.append(text)
    max_values = section.integer("max_values", 255, 1, MAX_CODES)
    if one_hot and not nodes:
        section.problems.add(
            section.line,
            f"`{section.path}` is one-hot, so its columns must be known: add `values: [a, b]`, or use index",
        )
    most = MAX_ONE_HOT if one_hot else MAX_CODES
    if len(values) > most:
        section.problems.add(
            section.line_of("values"), f"`{section.at('values')}` has more than {most:,}: name fewer"
        )
    return Categories(
        name=name,
        field=field,
        one_hot=one_hot,
        values=distinct(section, nodes, values, section.at("values")),
        max_values=len(values) or max_values,
        ttl_ms=read_ttl(section, field),
    )


READERS: dict[str, Reader] = {"number": _number, "boolean": _boolean, "categories": _categories}
