"""What a cycle costs this process: time of the processor, memory, and energy where the machine tells it."""

from __future__ import annotations

import resource
import time
from pathlib import Path

from eddyline_learning.prequential import Reading

_ENERGY = Path("/sys/class/powercap")


def meter() -> Reading:
    """What was used since the process started."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return Reading(
        wall_seconds=time.perf_counter(),
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_memory_bytes=usage.ru_maxrss * 1_024,
    )
