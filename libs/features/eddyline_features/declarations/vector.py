"""Vector: a list of numbers, reduced to a few."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from yaml.nodes import Node, ScalarNode

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import distinct, read_path, read_ttl
from eddyline_features.declarations.paths import FieldPath
from eddyline_features.yaml_reader import Section

REDUCERS = ("min", "max", "mean", "sum", "size", "first", "last", "random", "euclidean")
MAX_MEMBERS = 1_000
_MEMBERS = re.compile(r"vector([1-9]\d{0,5})")


@dataclass(frozen=True, kw_only=True)
class Vector:
    """A list of numbers, reduced: its least, its mean, its length and so on, or its first members as they are."""

    name: str
    field: FieldPath
    reduce: tuple[str, ...]
    """Reducers, each with a column; `members` stand after them."""
    members: int
    """So many first members, each with a column."""
    ttl_ms: int = 0
    """How long a value is known after it was written; 0 is for ever."""

    @property
    def columns(self) -> list[str]:
        return [f"{self.name}_{how}" for how in (*self.reduce, *range(1, self.members + 1))]


def members_of(word: str) -> int:
    """N of ``vectorN``; 0 for any other word."""
    found = _MEMBERS.fullmatch(word)
    return int(found[1]) if found else 0


def _vector(section: Section, name: str, actions: Sequence[str]) -> Vector:
    field = read_path(section)
    nodes = section.members("reduce")
    members = [_n_members(section, node) for node in nodes]
    if sum(n > 0 for n in members) > 1:
        section.problems.add(
            section.line_of("reduce"), f"`{section.at('reduce')}` names several vector<N>: keep the longest"
        )
    reducers = [
        section.one_of(node, section.at("reduce"), (*REDUCERS, "vector16"))
        for node, n in zip(nodes, members, strict=True)
        if n == 0
    ]
    return Vector(
        name=name,
        field=field,
        reduce=distinct(section, nodes, [one for one in reducers if one is not None], section.at("reduce"))
        if nodes
        else ("min", "max", "size", "mean"),
        members=max(members, default=0),
        ttl_ms=read_ttl(section, field),
    )


def _n_members(section: Section, node: Node) -> int:
    n = members_of(node.value) if isinstance(node, ScalarNode) else 0
    if n > MAX_MEMBERS:
        section.problems.add(
            node, f"`{section.at('reduce')}` is {node.value!r}; at most vector{MAX_MEMBERS} is possible"
        )
    return n


READERS: dict[str, Reader] = {"vector": _vector}
