"""Lists put into stretches of equal time. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eddyline_cli.reporting.rates import Rate, mean_over_people
from eddyline_cli.reporting.slates import Shown

_MOST, _FEWEST_LISTS = 48, 5


@dataclass(frozen=True, slots=True)
class Steps:
    """Equal steps of time."""

    first_ms: float
    step_ms: float
    n: int

    @classmethod
    def over(cls, shown: Sequence[Shown], at_least: int = 20) -> Steps:
        """Those that hold the lists: at most 48, and on average at least so many lists each."""
        first, last = shown[0].recorded_at, shown[-1].recorded_at
        n = max(1, min(_MOST, len(shown) // at_least))
        return cls(first, max(1.0, (last - first + 1) / n), n)

    def for_lists(self, lists: Sequence[Shown], at_least: int = 25) -> Steps:
        """The same time in fewer steps, where lists are thin: as many as where they are have so many each."""
        if not lists:
            return self
        span = lists[-1].recorded_at - lists[0].recorded_at + self.step_ms
        n = max(1, min(self.n, int(len(lists) * self.step_ms * self.n / span / at_least)))
        return Steps(self.first_ms, self.step_ms * self.n / n, n)

    @property
    def last_ms(self) -> float:
        """Where they end."""
        return self.first_ms + self.step_ms * self.n

    def middle(self, step: int) -> float:
        """Of a step, in ms since the Unix epoch."""
        return self.first_ms + self.step_ms * (step + 0.5)

    def split(self, shown: Sequence[Shown]) -> list[list[Shown]]:
        """The lists of each step."""
        found: list[list[Shown]] = [[] for _ in range(self.n)]
        for each in shown:
            found[min(self.n - 1, max(0, int((each.recorded_at - self.first_ms) / self.step_ms)))].append(
                each
            )
        return found

    def rates(self, shown: Sequence[Shown], value: Callable[[Shown], float]) -> list[Rate | None]:
        """Mean of a value in each step; None where there are too few lists."""
        return [
            mean_over_people((each.person, value(each)) for each in step)
            if len(step) >= _FEWEST_LISTS
            else None
            for step in self.split(shown)
        ]
