"""Kernels that are told once where their arrays are: each call then passes only what differs from event to event.

To hand an array to compiled code takes 100 ns, since its owner, form and type are looked at each time: of a kernel with
fifteen of them, nearly all that it costs. The arrays of a state are reserved for good, so their addresses are written
into a table, and a small compiled entry makes arrays of these without asking Python.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numba
import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic

from eddyline_features.kernel import TYPES, Longs

_DTYPES = {
    "float64": np.float64,
    "float32": np.float32,
    "int32": np.int32,
    "int64": np.int64,
    "uint8": np.uint8,
}

_LAYOUT = 1
"""Of the table. Part of the entries' names, since Numba's cache does not see this file: raise it when that changes."""


@intrinsic  # type: ignore[untyped-decorator]
def _pointer(typing_context: Any, address: Any) -> Any:
    """An address as a pointer."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), generate


class BoundKernel:
    """A compiled function that is called by what `bind` gives."""

    def __init__(self, function: Callable[..., Any], given: Sequence[str]) -> None:
        annotations = dict(inspect.get_annotations(function))
        result = TYPES[annotations.pop("return")]
        self._function = function
        self._types = {name: TYPES[annotation] for name, annotation in annotations.items()}
        self._given = list(given)
        self._bound = [name for name in self._types if name not in given]
        self._entry = None if numba.config.DISABLE_JIT else self._compiled(result)

    def _compiled(self, result: str) -> Any:
        # Compiled with the entry, and never called by Python itself: it needs no way in of its own.
        inner = numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)(self._function)
        place = 0
        arguments = {name: name for name in self._given}
        for name in self._bound:
            n = self._types[name].count(":") or 1
            held = [f"table[{k}]" for k in range(place, place + n)]
            place += n
            if n == 1:
                arguments[name] = held[0]
            else:
                dtype = self._types[name].partition("[")[0]
                arguments[name] = f"carray(pointer({held[0]}), ({', '.join(held[1:])},), {dtype})"
        called = f"{self._function.__name__}_entry_{_LAYOUT}"
        source = (
            f"def {called}({', '.join(['table', *self._given])}):\n"
            f"    return inner({', '.join(arguments[name] for name in self._types)})\n"
        )
        # As if it stood in the kernel's file, so that Numba renews its cache when that changes.
        code = compile(source, inspect.getfile(self._function), "exec")
        scope: dict[str, Any] = {"inner": inner, "pointer": _pointer, "carray": numba.carray, **_DTYPES}
        exec(code, scope)
        entry = scope[called]
        entry.__module__ = self._function.__module__
        signature = f"{result}({', '.join(['int64[::1]', *(self._types[name] for name in self._given)])})"
        try:
            dispatcher = numba.njit(signature, cache=True)(entry)
        except RuntimeError as error:
            # As in `kernel`.
            if "cannot cache" not in str(error):
                raise
            dispatcher = numba.njit(signature)(entry)
        return dispatcher.overloads[dispatcher.signatures[0]].entry_point

    def bind(self, **bound: Any) -> Callable[..., Any]:
        """A function of what is given at each call, in that order. Arrays are never to be replaced afterwards.

        Raises
        ------
        TypeError
            If what is bound is not all of the rest, or an array has another type or form than the kernel asks for.
        """
        if sorted(bound) != sorted(self._bound):
            raise TypeError(
                f"{self._function.__name__} binds {', '.join(self._bound)}; here are {', '.join(bound)}"
            )
        table: list[int] = []
        for name in self._bound:
            dtype, dot, form = self._types[name].partition("[")
            value = bound[name]
            if not dot:
                table.append(int(value))
                continue
            if (
                value.dtype != _DTYPES[dtype]
                or value.ndim != form.count(":") - 1
                or not value.flags.c_contiguous
            ):
                raise TypeError(
                    f"{self._function.__name__}: {name} must be {self._types[name]}, not {value.dtype}"
                )
            table += [value.ctypes.data, *value.shape]
        if self._entry is None:
            return self._uncompiled(bound)
        told: Longs = np.array(table, np.int64)
        call = partial(self._entry, told)
        # Addresses keep nothing alive.
        call.__dict__["arrays"] = bound
        return call

    def _uncompiled(self, bound: dict[str, Any]) -> Callable[..., Any]:
        function, given = self._function, self._given

        def call(*arguments: Any) -> Any:
            return function(**bound, **dict(zip(given, arguments, strict=True)))

        return call


def bound_kernel(*given: str) -> Callable[[Callable[..., Any]], BoundKernel]:
    """Compile as `kernel` does, for calls that pass what is named here; all else is bound once."""
    return lambda function: BoundKernel(function, given)
