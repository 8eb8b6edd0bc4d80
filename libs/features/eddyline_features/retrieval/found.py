"""What retrieval answers."""

from __future__ import annotations

from dataclasses import dataclass

from eddyline_features.kernel import Ints, Octets


@dataclass(frozen=True, slots=True)
class Found:
    """N candidates, each once, in the order in which they were found."""

    items: list[str]
    rows: Ints
    """shape (N,). Of the items, in the state that was asked; they hold until its next event."""
    sources: tuple[str, ...]
    """Names of the sources that there are."""
    source: Octets
    """shape (N,). Which of ``sources`` found each of them first."""
