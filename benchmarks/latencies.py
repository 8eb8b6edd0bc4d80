"""Latencies of an HTTP service under an open load, gathered over several spells."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import psutil

from benchmarks.processes import Service
from benchmarks.rank_load import command

WARM_UP_S = 2.0


class Latencies:
    """Of one service under one condition, and the CPU time that it took for an answer."""

    def __init__(self, asked: Service, rate: float, load: Callable[..., list[str]] | None = None) -> None:
        self._load = load or partial(command, "load")
        self._asked = asked
        self._rate = rate
        self._n = 0
        self._cpu_s = 0.0
        self._ms: list[float] = []
        self._outcomes: Counter[str] = Counter()

    async def go_on(self, seconds: float) -> None:
        """Send requests for so long, after a warm-up that does not count."""
        before = cpu_seconds(self._asked.pid)
        found = await result_of(self._load(self._asked.url, seconds, WARM_UP_S, self._rate, self._n))
        self._cpu_s += cpu_seconds(self._asked.pid) - before
        self._n += int((seconds + WARM_UP_S) * self._rate)
        self._ms += found["ms"]
        self._outcomes.update(found["outcomes"])

    def at(self, percent: float) -> float:
        """This percentile, in ms."""
        return float(np.percentile(self._ms, percent))

    @property
    def cpu_ms(self) -> float:
        """CPU time of an answer."""
        return 1e3 * self._cpu_s / self._n

    @property
    def outcomes(self) -> Mapping[str, int]:
        """How answers were, and how many of each."""
        return self._outcomes

    @property
    def n_incomplete(self) -> int:
        """Answers that lacked something, or were none."""
        return sum(n for outcome, n in self._outcomes.items() if outcome != "whole")


async def result_of(arguments: list[str]) -> Any:
    """Run one of the measuring processes; what it prints."""
    process = await asyncio.create_subprocess_exec(*arguments, stdout=subprocess.PIPE)
    out, _ = await process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(arguments[1:4])} ended with {process.returncode}")
    return json.loads(out)


def cpu_seconds(pid: int) -> float:
    """What a process has used so far."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
