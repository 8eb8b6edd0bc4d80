"""On what, and how busy a machine something was measured: without it a figure says nothing."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("numpy", "numba", "lightgbm", "onnxruntime", "aiohttp", "nats-py", "asyncpg")


def machine() -> str:
    """Processor, cores, system, versions: two lines."""
    packages = ", ".join(f"{package} {version(package)}" for package in _PACKAGES)
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}\n"
        f"Python {platform.python_version()}, {packages}"
    )


def load() -> str:
    """How much there is to do for the machine, over 1, 5 and 15 minutes."""
    return "load average " + ", ".join(f"{of:.2f}" for of in os.getloadavg())


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
