"""A circuit breaker on clicks: whether those that were to come have stopped coming while lists are still shown.

A stream of clicks that stalls looks as if nobody liked anything any more, and whoever learns from it learns just that.
So each slate whose labels are complete is *in doubt* until chance explains the silence before it: a cumulative sum of
missing answers (Page, Biometrika 1954; for counts: Lucas, Technometrics 1985), in which each slate without an answer
adds ``share`` of those usual for a slate, and each with one takes one away. At 0 all is well. At a height that chance
alone reaches once in ``1 / chance`` attempts, the stream has stalled, and all that was in doubt was part of it.

It counts slates and never minutes, so a quiet hour is no silence: nobody was asked. And it counts in units of the
answers' own spread, so that where they come in bursts, a longer silence is needed.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from eddyline_features.learning_settings import Breaker as Settings

_MEMORY = 500.0
"""What is usual is known by the slates that the last so many answers belonged to."""
_KNOWN = 100
"""Answers before anything is called usual."""
_BLOCK = 10.0
"""The spread is that of stretches in which so many answers are expected."""
_BLOCKS = 50.0
_SPREAD_AT_MOST = 20.0
_BACK = 3.0
"""Answers, less what a stalled stream would have had, that end a stall."""
_NEW_USUAL = 1_000
"""Answers within one stall after which their rate is taken for the usual one."""


class Verdict(enum.Enum):
    """On the slate at hand, and all those in doubt before it."""

    IN_DOUBT = "in_doubt"
    CLEAR = "clear"
    STALLED = "stalled"


@dataclass(slots=True)
class _Stretch:
    """Slates, and those of them that were answered."""

    slates: float = 0.0
    answers: float = 0.0

    def add(self, other: _Stretch) -> None:
        self.slates += other.slates
        self.answers += other.answers


class Breaker:
    """Told of each slate as its labels become final, in the order of the log; a function of that order.

    Attributes
    ----------
    is_open
        Whether the stream has stalled.
    n_opened
        How often it has.
    reason
        Why it opened last, in words; empty before the first time.
    """

    def __init__(self, settings: Settings) -> None:
        self.is_open = False
        self.n_opened = 0
        self.reason = ""
        self._share = settings.share
        self._known = 0
        self._usual = _Stretch()
        self._spread, self._variance, self._n_blocks, self._block = 1.0, 1.0, 0.0, _Stretch()
        self._height, self._missing = 0.0, _Stretch()
        self._since_open = _Stretch()
        # Missing answers, in units of the spread, that chance explains so rarely: Lundberg's exponent of the sum.
        self._limit = -math.log(settings.chance) / _exponent(self._share) if self._share else math.inf

    @property
    def rate(self) -> float:
        """Share of the slates that is usually answered; NaN before that is known."""
        return self._usual.answers / self._usual.slates if self._known >= _KNOWN else math.nan

    def observe(self, *, answered: bool) -> Verdict:
        """One slate more."""
        one = _Stretch(1.0, float(answered))
        if not self._share:
            return Verdict.CLEAR
        return self._while_open(one) if self.is_open else self._while_closed(one)

    def _while_closed(self, one: _Stretch) -> Verdict:
        if self._known < _KNOWN:
            self._learn(one)
            return Verdict.CLEAR
        rate = self.rate
        self._missing.add(one)
        self._height = max(0.0, self._height + self._share * rate - one.answers)
        if self._height <= 0.0:
            self._learn(self._missing)
            self._missing = _Stretch()
            return Verdict.CLEAR
        if self._height / self._spread <= self._limit:
            return Verdict.IN_DOUBT
        slates, answers = round(self._missing.slates), round(self._missing.answers)
        self.is_open, self.n_opened = True, self.n_opened + 1
        self.reason = (
            f"{slates:,} slates ripened with {answers:,} answered, where "
            f"{rate * self._missing.slates:.1f} are usual"
        )
        self._since_open, self._height = self._missing, 0.0
        self._missing = _Stretch()
        return Verdict.STALLED

    def _while_open(self, one: _Stretch) -> Verdict:
        self._since_open.add(one)
        self._height = max(0.0, self._height + one.answers - self._share * self.rate)
        if self._since_open.answers >= _NEW_USUAL:
            # Not silence, then, but less noise: what they are from now on is what is usual.
            self._usual = _Stretch(self._since_open.slates, self._since_open.answers)
        elif self._height < _BACK:
            return Verdict.IN_DOUBT if self._height > 0.0 else Verdict.STALLED
        self.is_open, self._height = False, 0.0
        return Verdict.CLEAR

    def _learn(self, seen: _Stretch) -> None:
        """What is usual, of slates that are in doubt no more."""
        self._known = min(_KNOWN, self._known + round(seen.answers))
        self._usual.add(seen)
        if self._usual.answers > _MEMORY:
            kept = _MEMORY / self._usual.answers
            self._usual = _Stretch(self._usual.slates * kept, _MEMORY)
        if self._known < _KNOWN:
            return
        self._block.add(seen)
        expected = self._block.slates * self.rate
        if expected >= _BLOCK:
            away = self._block.answers - expected
            self._n_blocks = min(_BLOCKS, self._n_blocks + 1.0)
            self._variance += (away * away / expected - self._variance) / self._n_blocks
            self._spread = min(_SPREAD_AT_MOST, max(1.0, self._variance))
            self._block = _Stretch()


def _exponent(share: float) -> float:
    """x of (1 − e^−x) / x = share: what makes e^(−x × height) the chance of a Poisson count's sum to get so high."""
    low, high = 0.0, 1.0 / share + 1.0
    for _ in range(100):
        middle = (low + high) / 2.0
        if -math.expm1(-middle) / middle > share:
            low = middle
        else:
            high = middle
    return high
