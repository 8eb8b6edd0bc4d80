"""The parts of a simulation, and what each is measured over. Pure."""

from __future__ import annotations

from dataclasses import dataclass

_LOWEST_OVER_S = 5.0


@dataclass(frozen=True)
class Phases:
    """Times in seconds since the start."""

    end: float
    shift_at: float | None
    """When taste turns; None: never."""

    def name(self, at: float) -> str:
        """What happens at this time, in words."""
        if self.shift_at is None:
            return "warm-up" if at < self.end / 4 else "steady"
        if at < self.shift_at:
            return "warm-up" if at < self.shift_at / 2 else "steady"
        return "shift" if at < self.shift_at + min(15.0, (self.end - self.shift_at) / 4) else "recovery"

    @property
    def before(self) -> tuple[float, float]:
        """The second half of what comes before the shift: the system has learnt by then."""
        until = self.end if self.shift_at is None else self.shift_at
        return until / 2, until

    @property
    def after(self) -> tuple[float, float] | None:
        """The second half of what comes after it."""
        return None if self.shift_at is None else ((self.shift_at + self.end) / 2, self.end)

    @property
    def steps_after(self) -> list[tuple[float, float]]:
        """The whole steps after the shift of which one is the lowest."""
        if self.shift_at is None:
            return []
        n_steps = int((self.end - self.shift_at) / _LOWEST_OVER_S + 1e-9)
        starts = [self.shift_at + k * _LOWEST_OVER_S for k in range(n_steps)]
        return [(start, start + _LOWEST_OVER_S) for start in starts]
