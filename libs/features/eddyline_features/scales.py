"""Scales of time for a view, from the data: how long labels are awaited, and how fast the past is forgotten."""

from __future__ import annotations

from dataclasses import dataclass

from eddyline_features.durations import spell
from eddyline_features.profiling import Profile
from eddyline_features.tempo import LADDER

_SECOND, _MINUTE, _HOUR, _DAY = 1_000, 60_000, 3_600_000, 86_400_000
_WINDOWS = (
    *(10 * _SECOND, 30 * _SECOND),
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 3, 6, 12)),
    *(n * _DAY for n in (1, 2, 3, 7)),
)
"""From the floor, below which a slow network decides, to what it is bearable to wait."""
_DEFAULT_WINDOW = 30 * _MINUTE
_DEFAULT_HALF_LIFE = 7 * _DAY
_FEW = 100
_STEPS = (-2, 0, 2)
_STEPS_WITHOUT_SLATES = (-2, -1, 0, 2, 4)
"""Where no rates tell what an item is worth, its counts at several paces do."""
_LONGEST_TASTE, _SHORTEST_TASTE = 90 * _DAY, _HOUR


@dataclass(frozen=True)
class Scales:
    """Durations in ms, each with the reason for it."""

    window_ms: int
    window_why: str
    best_ms: int
    """Half-life under which recent popularity predicts best."""
    best_why: str
    half_lives: tuple[int, ...]
    """A quicker one, the best, a slower one; as far as the data can tell them apart. Without slates two more."""
    taste_ms: int
    """Half-life of what people like."""
    lately_ms: int
    """Half-life of what goes together just now."""

    @classmethod
    def of(cls, profile: Profile) -> Scales:
        """Those of a profile."""
        window, window_why = _window(profile)
        longest = next((h for h in LADDER if h >= 4 * profile.span_ms), LADDER[-1])
        best, best_why = _best(profile, longest)
        place = LADDER.index(best)
        steps = _STEPS if profile.n_slates else _STEPS_WITHOUT_SLATES
        around = {LADDER[min(max(0, place + step), len(LADDER) - 1)] for step in steps}
        half_lives = tuple(sorted(h for h in around if h <= max(best, longest)))
        third = next((h for h in LADDER if h >= profile.span_ms / 3), LADDER[-1])
        taste = max(best, min(_LONGEST_TASTE, max(_SHORTEST_TASTE, third)))
        return cls(
            window, window_why, best, best_why, half_lives, taste, LADDER[min(place + 1, len(LADDER) - 1)]
        )


def _window(profile: Profile) -> tuple[int, str]:
    if not profile.n_slates:
        return _DEFAULT_WINDOW, (
            "How long after a slate its interactions are awaited. There are no slates here, so no delay could be seen: "
            "half an hour is a guess, and everything that is learnt is so much late."
        )
    if not profile.delays.n:
        return _DEFAULT_WINDOW, (
            "How long after a slate its interactions are awaited. None of them could be found in a slate: half an hour "
            "is a guess."
        )
    late = profile.delays.quantile(0.99)
    window = next((w for w in _WINDOWS if w >= late), _WINDOWS[-1])
    why = (
        "How long after a slate its interactions are awaited: 99 % of "
        f"{profile.delays.n:,} came within {_words(late)}."
    )
    if late > window:
        why += " Not longer than a week: what is learnt would be as much late."
    if profile.delays.n < _FEW:
        why += " So few say little: check it."
    return window, why


def _best(profile: Profile, longest: int) -> tuple[int, str]:
    intro = "The order while nothing else is known, by items' recent rates. "
    n = profile.tempo.n_predicted
    best = profile.tempo.best(longest)
    if best is None or n < _FEW:
        return min(
            _DEFAULT_HALF_LIFE, longest
        ), intro + "Too few actions to tell how fast they go out of date."
    told = f"Of half-lives from {spell(LADDER[0])} to {spell(longest)}, {spell(best)} predicted {n:,} actions best"
    if best == longest:
        told += ": as far as these events reach, nothing goes out of date"
    return best, intro + told + "."


def _words(duration_ms: int) -> str:
    for size, unit in ((_DAY, "days"), (_HOUR, "hours"), (_MINUTE, "minutes"), (_SECOND, "seconds")):
        if duration_ms >= 2 * size:
            return f"{duration_ms / size:.1f} {unit}"
    return f"{duration_ms:,} ms"


def rounded_up(n: int) -> int:
    """The next of 1, 2, 5, 10, 20, 50 … that is not below ``n``."""
    size = 1
    while True:
        for step in (1, 2, 5):
            if step * size >= n:
                return step * size
        size *= 10
