"""Referer: from where a person came."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from yaml.nodes import ScalarNode

from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.forms import distinct, read_request_path
from eddyline_features.declarations.paths import FieldPath
from eddyline_features.yaml_reader import Section

MEDIA = ("search", "social", "email", "paid", "internal", "other")
"""What a referer may be; codes are the places."""
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


@dataclass(frozen=True, kw_only=True)
class Referer:
    """The medium that a person came by, by the host of the referring page: search, social and so on."""

    name: str
    field: FieldPath
    internal: tuple[str, ...]
    """Hosts of one's own; their subdomains are too."""
    one_hot: bool

    @property
    def columns(self) -> list[str]:
        return [f"{self.name}={medium}" for medium in MEDIA] if self.one_hot else [self.name]

    @property
    def coded_columns(self) -> tuple[int, ...]:
        return () if self.one_hot else (0,)


def _referer(section: Section, name: str, actions: Sequence[str]) -> Referer:
    nodes = section.members("internal")
    internal = []
    for node in nodes:
        host = node.value.lower() if isinstance(node, ScalarNode) else ""
        if not _HOST.fullmatch(host):
            section.problems.add(
                node, f"`{section.at('internal')}`: the name of a host is expected, as shop.example"
            )
        internal.append(host)
    return Referer(
        name=name,
        field=read_request_path(section, "context.referer"),
        internal=distinct(section, nodes, internal, section.at("internal")) if nodes else (),
        one_hot=section.choice("encode", ("index", "one-hot"), default="index") == "one-hot",
    )


READERS: dict[str, Reader] = {"referer": _referer}
