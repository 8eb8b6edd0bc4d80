"""What happens in a simulated world, and when; times are seconds since people began to come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eddyline_contracts.events import Event


def always(_: float) -> bool:
    """At every time."""
    return True


def between(first: float, last: float) -> Callable[[float], bool]:
    """At the times of [first, last)."""
    return lambda at: first <= at < last


def except_between(first: float, last: float) -> Callable[[float], bool]:
    """At all times but those of [first, last)."""
    return lambda at: not first <= at < last


@dataclass(frozen=True, kw_only=True)
class Story:
    """As it stands: people come all the time, their tastes stay, and all that they do arrives."""

    mood: Callable[[float], float] = lambda at: 1.0
    """What everybody wants: 1 the cheap and quiet, −1 the dear and loud, 0 neither; see `behaviour.Mood`."""
    lists_per_s: Callable[[float], float] = lambda at: 60.0
    """How many lists people ask for."""
    clicks_arrive: Callable[[float], bool] = always
    """Whether a click made at this time ever reaches the log."""
    late_s: Callable[[float], float] = lambda at: 0.0
    """How much later than usual a click made at this time is, in its own time and in the log."""
    garbage: Callable[[float], bool] = lambda at: False
    """Whether all clicks on a list shown at this time are on items drawn by lot."""
    sends_match: Callable[[float], bool] = always
    """Whether the client says how well each item matches what was looked for (`slate.match`)."""
    match_weight: float = 0.0
    """What an item that matches by 1 gains in appeal."""
    besides: Sequence[tuple[float, Event]] = ()
    """Events of others, in the order of their times."""
