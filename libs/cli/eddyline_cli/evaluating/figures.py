"""Numbers as the tables of an evaluation show them."""

from __future__ import annotations

from eddyline_learning.metrics import Estimate


def figure(value: Estimate | None) -> str:
    """A mean with its standard error; a dash where there is none."""
    if value is None or value.n == 0:
        return "–"
    return f"{value.mean:.4f}" + (f" ± {value.se:.4f}" if value.n > 1 else "")
