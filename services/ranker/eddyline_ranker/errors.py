"""What can be missing or wrong on the way to a slate."""

from __future__ import annotations

from eddyline_contracts.limits import Refusal


class FeaturesLost(Exception):
    """The feature-store gave no vectors; the ranker goes on without.

    ``reason`` is one word, for metrics: ``bus``, ``no_responders``, ``timeout``, ``suspended`` or ``error``.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class UnusableBundle(ValueError):
    """The bundle is whole, but its model cannot be served with its columns."""


class DuplicateItem(Refusal):
    """An item occurs twice among the candidates."""

    code = "duplicate_item"


class RefusedByStore(Refusal):
    """The feature-store says that no answer can be given to this request, and what to do about it."""

    code = "refused"
