"""Compiled functions: one decorator that derives Numba's fixed types from the annotations.

Each kernel has one signature (each further one would compile again) and is cached on disk. With
``NUMBA_DISABLE_JIT=1`` the same functions run as plain Python and give the same bits: there is no fast-math, and
LLVM fuses no multiplication with an addition unless it is told to.

Numba's cache of a function is renewed when its own file changes, not when a function that it calls or a constant that
it uses does: so kernels call only kernels of their own file, and use only its constants.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FloatTable = NDArray[np.float64]
Singles = NDArray[np.float32]
SingleTable = NDArray[np.float32]
Ints = NDArray[np.int32]
IntTable = NDArray[np.int32]
Octets = NDArray[np.uint8]
Longs = NDArray[np.int64]
LongTable = NDArray[np.int64]

TYPES = {
    "None": "void",
    "bool": "boolean",
    "int": "int64",
    "float": "float64",
    "Floats": "float64[::1]",
    "FloatTable": "float64[:,::1]",
    "Singles": "float32[::1]",
    "SingleTable": "float32[:,::1]",
    "Ints": "int32[::1]",
    "IntTable": "int32[:,::1]",
    "Octets": "uint8[::1]",
    "Longs": "int64[::1]",
    "LongTable": "int64[:,::1]",
}

_P = ParamSpec("_P")
_R = TypeVar("_R")


def kernel(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile ``function`` for exactly the types that it is annotated with (see ``TYPES``)."""
    annotations = dict(inspect.get_annotations(function))
    result = TYPES[annotations.pop("return")]
    signature = f"{result}({', '.join(TYPES[annotation] for annotation in annotations.values())})"
    compiled: Callable[_P, _R]
    try:
        compiled = numba.njit(signature, cache=True)(function)
    except RuntimeError as error:
        # No folder that could hold the cache is writable: start slowly rather than not at all.
        if "cannot cache" not in str(error):
            raise
        compiled = numba.njit(signature)(function)
    return compiled
