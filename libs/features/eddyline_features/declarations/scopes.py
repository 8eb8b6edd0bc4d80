"""Whose counters a feature reads: ``item``, ``item.<field>``, ``user``, ``user.<field>``, ``session``,
``context.<field>`` or ``global``.
"""

from __future__ import annotations

from collections.abc import Sequence

from yaml.nodes import Node, ScalarNode

from eddyline_features.declarations.forms import read_actions, read_some_of
from eddyline_features.declarations.paths import CONTEXT, IMPRESSION, ITEM, USER
from eddyline_features.yaml_reader import Section

OF_ITEM, OF_VALUES, OF_USER, OF_USER_FIELD, OF_SESSION, OF_CONTEXT, GLOBAL = (
    "item", "values", "user", "user_field", "session", "context", "global",
)  # fmt: skip
"""What declarations hold as ``by``; ``values`` is each value of an item's field."""

EVERY_SCOPE = (OF_ITEM, OF_VALUES, OF_USER, OF_USER_FIELD, OF_SESSION, OF_CONTEXT, GLOBAL)
OF_ITEMS = (OF_ITEM, OF_VALUES)
REDUCERS = ("mean", "max")

_FIELDS = {ITEM: OF_VALUES, USER: OF_USER_FIELD, CONTEXT: OF_CONTEXT}
_SPELT = {by: f"{scope}.<field>" for scope, by in _FIELDS.items()}


def read_scope(section: Section, scopes: Sequence[str], key: str = "by") -> tuple[str, str | None]:
    """One of ``scopes``, ``item`` by default, and the field's name where it is one of a field."""
    node = section.take(key)
    return (OF_ITEM, None) if node is None else read_scope_of(section, node, scopes, key)


def read_scope_of(section: Section, node: Node, scopes: Sequence[str], key: str) -> tuple[str, str | None]:
    """As `read_scope`, of a node that is there."""
    text = node.value if isinstance(node, ScalarNode) else ""
    start, dot, field = text.partition(".")
    by = _FIELDS.get(start, "") if dot and field else text
    # The names of ours that no user writes are no scopes.
    if by in scopes and (bool(dot) == (by in _SPELT)):
        return by, field or None
    told = f"{text[:60]!r}" if text else "no word"
    possible = ", ".join(_SPELT.get(scope, scope) for scope in scopes)
    section.problems.add(node, f"`{section.at(key)}` is {told}; here it can be {possible}")
    return scopes[0], None


def read_reduce(section: Section, by: str) -> tuple[str, ...]:
    """How the values of a candidate's field become one number; only there."""
    reduce = read_some_of(section, "reduce", REDUCERS, ("mean",))
    if by != OF_VALUES and section.take("reduce") is not None:
        section.problems.add(
            section.line_of("reduce"),
            f"`{section.at('reduce')}` is for fields with several values: "
            "use it with `by: item.<field>`, or leave it out",
        )
    return reduce


def read_per(section: Section, actions: Sequence[str]) -> tuple[str, ...]:
    """What a rate is for each of: ``impression``, or actions."""
    if section.take("per") is None:
        return (IMPRESSION,)
    return read_actions(section, "per", actions, impressions=True)


def read_flag(section: Section, key: str) -> bool:
    """``true`` or ``false``; false where the key is missing."""
    return section.choice(key, ("true", "false"), default="false") == "true"


def read_silence(section: Section, by: str) -> int:
    """``ttl``: after how long without an event of whom it is about the value is unknown, in ms; 0 is never."""
    if not section.has("ttl"):
        return 0
    if by == GLOBAL:
        section.problems.add(
            section.line_of("ttl"), f"`{section.at('ttl')}`: all together always have events; leave it out"
        )
    return section.duration("ttl", example="30d") or 0
