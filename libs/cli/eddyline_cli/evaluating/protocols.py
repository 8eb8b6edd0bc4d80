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


def _next_item() -> Host:
    from eddyline_cli.evaluating.next_item import NextItemHost

    return NextItemHost()


def _predict() -> Host:
    from eddyline_cli.evaluating.predict import Predict

    return Predict()


def _off_policy() -> Host:
    from eddyline_cli.evaluating.off_policy import OffPolicy

    return OffPolicy()


@dataclass(frozen=True)
class Protocol:
    """One way to judge."""

    summary: str
    """For the help, a line."""
    host: Callable[[], Host]


RERANK, NEXT_ITEM, PREDICT, OFF_POLICY = "rerank", "next-item", "predict", "off-policy"
PROTOCOLS = {
    RERANK: Protocol("put the items of every slate in a new order", _rerank),
    NEXT_ITEM: Protocol("foresee each interaction before it is known; needs no slates", _next_item),
    PREDICT: Protocol("say the value of every rating before it is known", _predict),
    OFF_POLICY: Protocol("estimate from logged propensities what another policy is worth", _off_policy),
}


def protocols_help() -> str:
    """What each does, for the option's help."""
    told = "; ".join(f"{name}: {protocol.summary}" for name, protocol in PROTOCOLS.items())
    return f"{told}."
