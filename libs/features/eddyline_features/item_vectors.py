"""Vectors of items' texts as they lie in the state: those of one encoder at a time.

Vectors of two encoders cannot be compared. So the encoder of the newest ``item_embedded`` event is the one that counts:
with the first event of another, all items are unknown until it has read them too.
"""

from __future__ import annotations

import base64
import binascii
import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from eddyline_contracts.events import ItemEmbedded
from eddyline_features.array_bytes import as_bytes, fill
from eddyline_features.kernel import Octets, Singles, SingleTable
from eddyline_features.reserving import reserved


class ItemVectors:
    """Unit vectors by item row.

    Read ``vectors`` and ``has`` anew for each request: another encoder brings another table.
    """

    def __init__(self, n_rows: int, most_dims: int) -> None:
        self._n_rows, self._most_dims = n_rows, most_dims
        self.encoder = ""
        """Whose vectors these are; empty before there are any."""
        self.vectors: SingleTable = np.zeros((n_rows, 0), np.float32)
        """shape (rows of items, D): of length 1, so that a dot product is a cosine; 0 where there is none."""
        self.has: Octets = reserved(n_rows, np.uint8)
        """shape (rows of items,): 1 where there is a vector."""

    @property
    def dims(self) -> int:
        """D; 0 before there are any."""
        return int(self.vectors.shape[1])

    def put(self, row: int, event: ItemEmbedded) -> None:
        """Take an item's vector. One that is too long, or of length 0, leaves the item without one."""
        if event.dims > self._most_dims:
            if event.encoder == self.encoder:
                self.forget(row)
            return
        if (event.encoder, event.dims) != (self.encoder, self.dims):
            self._begin(event.encoder, event.dims)
        unit = unit_of(event.vector)
        self.forget(row)
        if unit is not None:
            self.vectors[row] = unit
            self.has[row] = 1

    def forget(self, row: int) -> None:
        """The row has no vector."""
        if self.has[row]:
            self.vectors[row] = 0.0
            self.has[row] = 0

    def _begin(self, encoder: str, dims: int) -> None:
        self.encoder = encoder
        self.has[:] = 0
        # Reserved at once: a page takes memory when it is first written to.
        self.vectors = reserved((self._n_rows, dims), np.float32)

    def of_text(self, told: object) -> Singles | None:
        """The unit vector that a request brings as ``<encoder>:<base64>``, shape (D,); None where it is no use."""
        if not isinstance(told, str) or not self.dims:
            return None
        encoder, _, raw = told.rpartition(":")
        if encoder != self.encoder:
            return None
        try:
            vector = base64.b64decode(raw, validate=True)
        except (binascii.Error, ValueError):
            return None
        return unit_of(vector) if len(vector) == self.dims else None

    # Snapshots, memory -------------------------------------------------------------------------------------

    def save(self, n: int) -> list[bytes]:
        """All of the first ``n`` rows."""
        has = self.has[:n]
        head = msgspec.msgpack.encode((self.encoder, self.dims))
        return [head, as_bytes(has), as_bytes(self.vectors[:n][has == 1])]

    def load(self, saved: list[bytes], n: int) -> None:
        """Take it back into an empty one."""
        encoder, dims = msgspec.msgpack.decode(saved[0], type=tuple[str, int])
        self._begin(encoder, dims)
        fill(self.has[:n], saved[1])
        known: NDArray[np.intp] = np.flatnonzero(self.has[:n])
        self.vectors[known] = np.frombuffer(saved[2], "<f4").reshape(len(known), dims)

    def bytes_an_item(self) -> float:
        """What one more item takes."""
        return 1.0 + 4.0 * self.dims


def unit_of(vector: bytes) -> Singles | None:
    """Signed bytes as a vector of length 1, shape (len(vector),); None where all are 0. Their scale is no matter."""
    numbers = np.frombuffer(vector, np.int8).astype(np.int64)
    # Whole numbers: exact, in whatever order they are added.
    square = int((numbers * numbers).sum())
    if not square:
        return None
    unit: Singles = (numbers / math.sqrt(square)).astype(np.float32)
    return unit
