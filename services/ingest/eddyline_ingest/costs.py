"""Which way of storing a group of events is the quicker one here and now. Pure.

An atomic batch costs the bus several syncs of its disk, whatever its size: next to nothing on one disk, 25 ms on
another. Single messages cost none, or one each if the server is told to sync always. So both are measured as they
are used.
"""

from __future__ import annotations

from dataclasses import dataclass

_WEIGHT = 0.3
_EXPLORE_EVERY = 200
_EXPLORE_FROM = 500


@dataclass
class Costs:
    """Seconds that each way takes, as last seen. A new one believes in fast disks until it has tried."""

    single_fixed_s: float = 0.001
    single_each_s: float = 0.00003
    atomic_fixed_s: float = 0.003
    atomic_each_s: float = 0.00001
    """Writing alone: the batch is answered as a whole."""
    _n_choices: int = 0

    def prefer_atomic(self, n: int) -> bool:
        """Whether to store ``n`` events as one atomic batch. Tries the other way now and then."""
        if n < 2:
            return False
        single = self.single_fixed_s + n * self.single_each_s
        atomic = self.atomic_fixed_s + n * self.atomic_each_s
        prefer = atomic < single
        if n >= _EXPLORE_FROM:
            # Only where a wrong choice costs little in proportion.
            self._n_choices += 1
            if self._n_choices % _EXPLORE_EVERY == 0:
                return not prefer
        return prefer

    def took(self, n: int, seconds: float, *, atomic: bool) -> None:
        """Learn from a group that was stored without any trouble."""
        if atomic:
            fixed = max(0.0, seconds - n * self.atomic_each_s)
            self.atomic_fixed_s += _WEIGHT * (fixed - self.atomic_fixed_s)
        elif n == 1:
            self.single_fixed_s += _WEIGHT * (seconds - self.single_fixed_s)
        else:
            each = max(0.0, seconds - self.single_fixed_s) / n
            self.single_each_s += _WEIGHT * (each - self.single_each_s)
