"""How parts that several kinds share are written in eddyline.yaml."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from yaml.nodes import Node, ScalarNode

from eddyline_features.declarations.paths import CONTEXT, IMPRESSION, ITEM, SCOPES, THE_ITEM, USER, FieldPath
from eddyline_features.yaml_reader import Section

_T = TypeVar("_T")
_OFFSET = re.compile(r"([+-])(\d\d):([0-5]\d)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")


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


def read_path(section: Section, key: str = "field", scopes: Sequence[str] = SCOPES) -> FieldPath:
    """Where a field is: ``<scope>.<field>``."""
    text = section.word(key, example="item.price")
    scope, dot, name = (text or "").partition(".")
    if text is not None and (scope not in scopes or not dot or not name):
        section.problems.add(
            section.line_of(key),
            f"`{section.at(key)}` is {text[:60]!r}; say where the field is: "
            f"{', '.join(f'{s}.<field>' for s in scopes)}",
        )
    return FieldPath(scope=scope, name=name)


def read_request_path(section: Section, default: str) -> FieldPath:
    """Where a field that belongs to the person who asks is: in the request's context, or kept of the user."""
    if not section.has("field"):
        scope, _, name = default.partition(".")
        return FieldPath(scope=scope, name=name)
    path = read_path(section)
    if path.name and path.scope in SCOPES and path.scope not in (CONTEXT, USER):
        section.problems.add(
            section.line_of("field"),
            f"`{section.at('field')}` is `{path}`; it belongs to who asks: context.<field>, or user.<field>",
        )
    return path


def read_ttl(section: Section, field: FieldPath) -> int:
    """How long a value is known after it was written, in ms; 0 where the key is missing, and it is for ever."""
    if not section.has("ttl"):
        return 0
    if field.scope in SCOPES and field.scope not in (ITEM, USER):
        section.problems.add(
            section.line_of("ttl"),
            f"`{section.at('ttl')}`: `{field}` comes with each request and is never old; leave `ttl` out",
        )
    return section.duration("ttl", example="7d") or 0


def read_item_field(section: Section, text: str | None, key: str) -> str:
    """The field's name of ``item.<field>``."""
    scope, dot, name = (text or "").partition(".")
    if text is not None and (scope != ITEM or not dot or not name):
        section.problems.add(
            section.line_of(key),
            f"`{section.at(key)}` is {text[:60]!r}; an item's field is expected: item.<field>",
        )
    return name


def read_item_or_field(section: Section, text: str | None, key: str) -> str:
    """The field's name of ``item.<field>``, or `THE_ITEM` for ``item``."""
    if text == THE_ITEM:
        return THE_ITEM
    name = read_item_field(section, text, key)
    if name == THE_ITEM:
        section.problems.add(
            section.line_of(key),
            f"`{section.at(key)}`: a field that is called `item` cannot be told from the item itself; "
            "send it under another name",
        )
    return name


def read_by_person(section: Section) -> str:
    """Whose rings: ``user`` (default) or ``session``."""
    return section.choice("by", ("user", "session"), default="user") or ""


def read_within(section: Section) -> int:
    """How old things may be that count, in ms; 0 where the key is missing, and everything does."""
    return (section.duration("within", example="30d") or 0) if section.has("within") else 0


def read_half_lives(section: Section) -> tuple[int, ...]:
    """In ms, 0 where it is ``forever``; at least one."""
    nodes = section.members("half_lives")
    if section.take("half_lives") is None:
        section.need("half_lives", "[1h, 7d]")
    path = section.at("half_lives")
    read = [section.as_duration(node, path, forever=True) for node in nodes]
    return distinct(section, nodes, [h for h in read if h is not None], path)


def read_offset(section: Section) -> int:
    """`offset`: how far local time is ahead of UTC, in ms; 0 where the key is missing."""
    node = section.take("offset")
    if node is None:
        return 0
    found = _OFFSET.fullmatch(node.value) if isinstance(node, ScalarNode) else None
    if found is None or int(found[2]) > 23:
        section.problems.add(
            node, f'`{section.at("offset")}`: hours and minutes ahead of UTC are expected, as "+01:00"'
        )
        return 0
    minutes = int(found[2]) * 60 + int(found[3])
    return (minutes if found[1] == "+" else -minutes) * 60_000


def distinct(section: Section, nodes: list[Node], values: list[_T], path: str) -> tuple[_T, ...]:
    """The values, each of which may stand only once."""
    if len(set(values)) < len(values):
        section.problems.add(nodes[0], f"`{path}` names something twice: keep one")
    return tuple(values)


def read_actions(
    section: Section, key: str, known: Sequence[str], *, impressions: bool = False
) -> tuple[str, ...]:
    """Names of actions (and ``impression`` where it makes sense); all of the view's where the key is missing."""
    nodes = section.members(key)
    options = [*known, IMPRESSION] if impressions else list(known)
    if not nodes:
        return tuple(known)
    read = [section.one_of(node, section.at(key), options) for node in nodes]
    return distinct(section, nodes, [a for a in read if a is not None], section.at(key))


def read_some_of(
    section: Section, key: str, options: Sequence[str], default: tuple[str, ...]
) -> tuple[str, ...]:
    """Some of a few words."""
    nodes = section.members(key)
    if not nodes:
        return default
    read = [section.one_of(node, section.at(key), options) for node in nodes]
    return distinct(section, nodes, [o for o in read if o is not None], section.at(key))
