"""The protocols of ``eddyline evaluate`` by name. What runs one is loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eddyline_cli.evaluating.hosting import Host


def _rerank() -> Host:
    from eddyline_cli.evaluating.rerank import Rerank

    return Rerank()


@dataclass(frozen=True)
class Protocol:
    """One way to judge."""

    summary: str
    """For the help, a line."""
    host: Callable[[], Host]


PROTOCOLS = {
    "rerank": Protocol("put the items of every slate in a new order", _rerank),
}


def protocols_help() -> str:
    """What each does, for the option's help."""
    told = "; ".join(f"{name}: {protocol.summary}" for name, protocol in PROTOCOLS.items())
    return f"{told}."
