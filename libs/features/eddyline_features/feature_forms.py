"""How each kind of feature is written in eddyline.yaml: one reader a kind, found by its ``kind``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from yaml.nodes import Node, ScalarNode

from eddyline_features.declarations import (
    AFFINITY_OUTPUTS,
    IMPRESSION,
    ITEM,
    SCOPES,
    THE_ITEM,
    Affinity,
    Boolean,
    Categories,
    Count,
    Feature,
    FieldPath,
    ItemAge,
    Number,
    Position,
    Rate,
)
from eddyline_features.yaml_reader import Section, as_text

_T = TypeVar("_T")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")
MAX_ONE_HOT = 500
MAX_CODES = 10_000


def read_feature(section: Section, actions: Sequence[str]) -> Feature | None:
    """Read one member of ``features``; None when something about it is wrong and was reported."""
    before = len(section.problems.found)
    kind = section.choice("kind", list(_READERS))
    if kind is None:
        return None
    name = read_name(section, "name", example="price")
    feature = _READERS[kind](section, name or "", actions)
    section.close()
    return feature if len(section.problems.found) == before else None


def read_name(section: Section, key: str, example: str) -> str | None:
    """A name that can stand in a column, a subject and a file name."""
    name = section.word(key, example=example)
    if name is not None and not _NAME.fullmatch(name):
        section.problems.add(
            section.line_of(key),
            f"`{section.at(key)}` is {name[:40]!r}; letters, digits, `_`, `-` and `.` are allowed, at most 100, "
            "starting with a letter",
        )
        return None
    return name


def _path(section: Section, key: str = "field") -> FieldPath:
    text = section.word(key, example="item.price")
    scope, dot, name = (text or "").partition(".")
    if text is not None and (scope not in SCOPES or not dot or not name):
        section.problems.add(
            section.line_of(key),
            f"`{section.at(key)}` is {text[:60]!r}; say where the field is: "
            f"{', '.join(f'{s}.<field>' for s in SCOPES)}",
        )
    return FieldPath(scope=scope, name=name)


def _item_field(section: Section, text: str | None, key: str) -> str:
    scope, dot, name = (text or "").partition(".")
    if text is not None and (scope != ITEM or not dot or not name):
        section.problems.add(
            section.line_of(key),
            f"`{section.at(key)}` is {text[:60]!r}; an item's field is expected: item.<field>",
        )
    return name


def _half_lives(section: Section) -> tuple[int, ...]:
    nodes = section.members("half_lives")
    if section.take("half_lives") is None:
        section.need("half_lives", "[1h, 7d]")
    path = section.at("half_lives")
    read = [section.as_duration(node, path, forever=True) for node in nodes]
    return _distinct(section, nodes, [h for h in read if h is not None], path)


def _distinct(section: Section, nodes: list[Node], values: list[_T], path: str) -> tuple[_T, ...]:
    if len(set(values)) < len(values):
        section.problems.add(nodes[0], f"`{path}` names something twice: keep one")
    return tuple(values)


def _actions(
    section: Section, key: str, known: Sequence[str], *, impressions: bool = False
) -> tuple[str, ...]:
    nodes = section.members(key)
    options = [*known, IMPRESSION] if impressions else list(known)
    if not nodes:
        return tuple(known)
    read = [section.one_of(node, section.at(key), options) for node in nodes]
    return _distinct(section, nodes, [a for a in read if a is not None], section.at(key))


def _some_of(section: Section, key: str, options: Sequence[str], default: tuple[str, ...]) -> tuple[str, ...]:
    nodes = section.members(key)
    if not nodes:
        return default
    read = [section.one_of(node, section.at(key), options) for node in nodes]
    return _distinct(section, nodes, [o for o in read if o is not None], section.at(key))


def _number(section: Section, name: str, actions: Sequence[str]) -> Feature:
    return Number(name=name, field=_path(section))


def _boolean(section: Section, name: str, actions: Sequence[str]) -> Feature:
    return Boolean(name=name, field=_path(section))


def _categories(section: Section, name: str, actions: Sequence[str]) -> Feature:
    field = _path(section)
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
        values=_distinct(section, nodes, values, section.at("values")),
        max_values=len(values) or max_values,
    )


def _count(section: Section, name: str, actions: Sequence[str]) -> Feature:
    by = section.choice("by", ("item", "user", "session"), default="item")
    of = _actions(section, "of", actions, impressions=True)
    return Count(name=name, by=by or "", of=of, half_lives=_half_lives(section))


def _rate(section: Section, name: str, actions: Sequence[str]) -> Feature:
    by = section.word("by", default="item", example="item.genres")
    field = None
    if by is not None and by not in ("item", "user", "session"):
        field = _item_field(section, by, "by")
        by = "values"
    reduce = _some_of(section, "reduce", ("mean", "max"), ("mean",))
    if field is None and section.take("reduce") is not None:
        section.problems.add(
            section.line_of("reduce"),
            f"`{section.at('reduce')}` is for fields with several values: "
            "use it with `by: item.<field>`, or leave it out",
        )
    return Rate(
        name=name,
        by=by or "",
        field=field,
        actions=_actions(section, "actions", actions),
        half_lives=_half_lives(section),
        strength=section.number("strength", 10.0, 0.001, 1e6),
        reduce=reduce,
    )


def _affinity(section: Section, name: str, actions: Sequence[str]) -> Feature:
    text = section.word("field", example="item.genres")
    return Affinity(
        name=name,
        by=section.choice("by", ("user", "session"), default="user") or "",
        field=THE_ITEM if text == THE_ITEM else _item_field(section, text, "field"),
        actions=_actions(section, "actions", actions),
        half_lives=_half_lives(section),
        strength=section.number("strength", 2.0, 0.001, 1e6),
        outputs=_some_of(section, "outputs", AFFINITY_OUTPUTS, ("acted", "passed")),
    )


def _position(section: Section, name: str, actions: Sequence[str]) -> Feature:
    return Position(name=name, serving=section.number("serving", 0.0, 0.0, 1e6))


def _item_age(section: Section, name: str, actions: Sequence[str]) -> Feature:
    field = (
        _item_field(section, section.word("field", example="item.published"), "field")
        if section.has("field")
        else None
    )
    return ItemAge(name=name, field=field)


_READERS: dict[str, Callable[[Section, str, Sequence[str]], Feature]] = {
    "number": _number,
    "boolean": _boolean,
    "categories": _categories,
    "count": _count,
    "rate": _rate,
    "affinity": _affinity,
    "position": _position,
    "item_age": _item_age,
}
KINDS = tuple(_READERS)
