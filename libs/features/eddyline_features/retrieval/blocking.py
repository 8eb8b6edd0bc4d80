"""Which items may be candidates: found out once a request, so that every source passes over the same ones."""

from __future__ import annotations

from eddyline_features.kernel import LongTable, Octets, kernel

_REMOVED = 3
"""Column of an item's ``meta``, as in ``entities``, which a test compares."""


@kernel
def block(n: int, meta: LongTable, allowed: Octets, blocked: Octets) -> None:
    """Set ``blocked``, of the first ``n`` rows: 1 where the item is removed, or not ``allowed`` (empty: all are)."""
    if allowed.shape[0] > 0:
        for row in range(n):
            blocked[row] = 1 if meta[row, _REMOVED] != 0 or allowed[row] == 0 else 0
    else:
        for row in range(n):
            blocked[row] = 1 if meta[row, _REMOVED] != 0 else 0
