"""Room for a state's arrays, which is as large as its limits allow and costs nothing before it is written.

``np.zeros`` promises that only of memory that is new to the process. Once a process has let go of large arrays, the
allocator gives their memory again, and then has to write zeros over all of it: each further state took 0.7 GB and a
third of a second. So large room comes from the operating system, whatever the process did before.

Small pages: NumPy asks for pages of 2 MiB, which made neither reading nor applying quicker (200,000 items), and of
which a state that has just begun takes one or two for each array.
"""

from __future__ import annotations

import math
import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LARGE = 1 << 18
"""Bytes. Room is given by the page (4 KiB); below this the allocator wastes less."""


def reserved(shape: int | tuple[int, ...], dtype: Any = np.float64) -> NDArray[Any]:
    """Zeros, contiguous; given back to the operating system with the last array that uses them."""
    n = math.prod(shape) if isinstance(shape, tuple) else shape
    size = n * np.dtype(dtype).itemsize
    if size < _LARGE or not hasattr(mmap, "MAP_PRIVATE"):
        return np.zeros(shape, dtype)
    # Private: what a copy of the process (it writes the snapshot) is to hold stays as it was.
    room = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return np.frombuffer(room, dtype).reshape(shape)
