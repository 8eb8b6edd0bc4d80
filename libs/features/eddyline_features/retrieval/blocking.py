"""Which items may be candidates: found out once a request, so that every source passes over the same ones."""

from __future__ import annotations

from eddyline_features.kernel import Ints, LongTable, Octets, kernel

# As in `entities`, which a test compares: see `kernel` on constants of other files.
_GENERATION = 2
_REMOVED = 3


@kernel
def block(n: int, meta: LongTable, allowed: Octets, blocked: Octets) -> None:
    """Set ``blocked``, of the first ``n`` rows: 1 where the item is removed, or not ``allowed`` (empty: all are)."""
    if allowed.shape[0] > 0:
        for row in range(n):
            blocked[row] = 1 if meta[row, _REMOVED] != 0 or allowed[row] == 0 else 0
    else:
        for row in range(n):
            blocked[row] = 1 if meta[row, _REMOVED] != 0 else 0


@kernel
def block_seen(n: int, keys: Ints, meta: LongTable, blocked: Octets) -> None:
    """Block the items of the first ``n`` keys (see ``seen``), unless their rows belong to others by now."""
    for i in range(n):
        row = keys[i] & 0xFFFFFF
        if (meta[row, _GENERATION] & 0x7F) == keys[i] >> 24:
            blocked[row] = 1
