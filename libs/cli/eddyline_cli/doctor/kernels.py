"""The fold's kernels: compiled and cached, or compiled at each start."""

from __future__ import annotations

import os
import sys
import time

from eddyline_cli.doctor.finding import Finding, ok, warn


def check_kernels() -> Finding:
    """Import the fold, which compiles what is not cached, and see what had to be."""
    if os.environ.get("NUMBA_DISABLE_JIT") == "1":
        return warn(
            "kernels",
            "fold",
            "NUMBA_DISABLE_JIT=1: the fold runs as plain Python, very much slower",
            "unset NUMBA_DISABLE_JIT",
        )
    began = time.monotonic()
    from numba.core.dispatcher import Dispatcher

    import eddyline_features.state  # noqa: F401

    seconds = time.monotonic() - began
    kernels = {
        id(value): value
        for name, module in list(sys.modules.items())
        if name.startswith("eddyline_features")
        for value in vars(module).values()
        if isinstance(value, Dispatcher)
    }.values()
    n = len(kernels)
    if any(kernel.stats.cache_path is None for kernel in kernels):
        return warn(
            "kernels",
            "fold",
            f"no folder for compiled kernels can be written: each start compiles anew ({seconds:.0f} s)",
            "set NUMBA_CACHE_DIR to a folder that may be written, then `python -m eddyline_learning.compile`",
            kernels=n,
        )
    missed = sum(1 for kernel in kernels if kernel.stats.cache_misses)
    if missed:
        return warn(
            "kernels",
            "fold",
            f"{missed} of {n} kernels were not compiled; they are now, after {seconds:.0f} s",
            "nothing more here; where services are installed run `python -m eddyline_learning.compile` once",
            kernels=n,
            compiled_now=missed,
        )
    return ok("kernels", "fold", f"{n} kernels are compiled", kernels=n)
