"""Arrays as bytes that are equal on every machine."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_bytes(array: NDArray[Any]) -> bytes:
    """The numbers of an array, little-endian."""
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def fill(array: NDArray[Any], raw: bytes) -> None:
    """Fill an array with what `as_bytes` gave of one of the same shape."""
    array[...] = np.frombuffer(raw, array.dtype.newbyteorder("<")).reshape(array.shape)
