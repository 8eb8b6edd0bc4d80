"""What a cycle costs: seconds by phase, of the wall and of the CPU, the peak of memory, and an estimate of energy."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WATTS_PER_CORE = 10.0
"""What a busy core is taken to draw where the machine does not tell: a server's usual share, memory included."""
_POWERCAP = Path("/sys/class/powercap")


class Energy:
    """Reads the package counters of RAPL where they are readable."""

    def __init__(self, root: Path = _POWERCAP) -> None:
        self._packages = [path for path in sorted(root.glob("intel-rapl:?")) if _joules(path) is not None]

    def read(self) -> dict[Path, float]:
        """Joules by package, since some time."""
        return {path: joules for path in self._packages if (joules := _joules(path)) is not None}

    def since(self, before: dict[Path, float], cpu_seconds: float) -> tuple[float, str]:
        """Joules since a reading, and which way they were found.

        Under ``rapl`` they are of the whole machine, whatever else it did.
        """
        now = self.read()
        if before and now.keys() == before.keys():
            used = 0.0
            for path, joules in now.items():
                more = joules - before[path]
                used += more if more >= 0 else more + (_joules(path, "max_energy_range_uj") or 0.0)
            return used, "rapl"
        return cpu_seconds * WATTS_PER_CORE, f"cpu_seconds x {WATTS_PER_CORE:g} W"


@dataclass
class Meter:
    """Of one cycle."""

    energy: Energy
    wall: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._before = self.energy.read()
        self._cpu_before = time.process_time()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """All within is of this phase; the CPU's seconds are those of the process."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - wall, time.process_time() - cpu)

    def add(self, name: str, wall: float, cpu: float) -> None:
        """Count seconds that were measured elsewhere."""
        self.wall[name] = self.wall.get(name, 0.0) + wall
        self.cpu[name] = self.cpu.get(name, 0.0) + cpu

    def cost(self, *, n_slates: int, n_examples: int) -> dict[str, Any]:
        """All of it, for the record."""
        joules, by = self.energy.since(self._before, time.process_time() - self._cpu_before)
        return {
            "wall_seconds": self.wall,
            "cpu_seconds": self.cpu,
            "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024,
            "slates": n_slates,
            "examples": n_examples,
            "joules": joules,
            "joules_by": by,
        }


def _joules(package: Path, counter: str = "energy_uj") -> float | None:
    try:
        return int((package / counter).read_text()) / 1e6
    except (OSError, ValueError):
        return None
