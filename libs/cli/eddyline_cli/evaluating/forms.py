"""How people write the length of a warm-up, and how often to learn."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import click

from eddyline_cli.refusals import Refused
from eddyline_features.durations import milliseconds
from eddyline_features.view import View
from eddyline_learning.warmup import Warmup

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def warmup_of(text: str, *, n_slates: int | None = None, n_interactions: int | None = None) -> Warmup:
    """A share of the slates, or of the interactions (``0.8``), a duration (``7d``) or a time (``2021-11-15``).

    A time is UTC unless it says otherwise. One of both numbers is given.

    Raises
    ------
    Refused
        If it is none of them.
    """
    duration = milliseconds(text)
    if duration is not None:
        return Warmup(duration_ms=duration)
    try:
        share = float(text)
    except ValueError:
        return Warmup(until=_moment(text))
    if not 0.0 < share < 1.0:
        raise _no_warmup(text)
    return Warmup.share(share, n_slates=n_slates, n_interactions=n_interactions)


def places(text: str) -> tuple[int, ...]:
    """How many places metrics look at: ``10``, or several, ``10,20``.

    Raises
    ------
    UsageError
        If it is something else.
    """
    found = [int(part) for part in text.split(",") if part.strip().isdecimal()]
    if len(found) != text.count(",") + 1 or not all(1 <= k <= 1_000 for k in found):
        raise click.UsageError(f"--k {text}: a number from 1 to 1000 is expected, or several, as 10,20")
    return tuple(dict.fromkeys(found))


def sync_intervals(text: str) -> tuple[tuple[str, int], ...]:
    """Durations, each as it is written and in ms: ``0,1m,1h,1d``; 0 is at every event.

    Raises
    ------
    UsageError
        If it is something else.
    """
    words = [word.strip() for word in text.split(",")]
    found = [(word, 0 if word == "0" else milliseconds(word)) for word in words]
    known = [(word, duration) for word, duration in found if duration is not None]
    if len(known) < len(found) or len({duration for _, duration in known}) < len(known):
        raise click.UsageError(
            f"--sync-interval {text}: different durations are expected, as 0,1m,1h,1d (0: at every event)"
        )
    return tuple(known)


def dials(text: str) -> tuple[float, ...]:
    """Numbers from 0 to 1: ``0,0.2,0.5``.

    Raises
    ------
    UsageError
        If it is something else.
    """
    try:
        found = [float(word) for word in text.split(",")]
    except ValueError:
        found = []
    if not found or not all(0.0 <= dial <= 1.0 for dial in found):
        raise click.UsageError(f"--diversity {text}: numbers from 0 to 1 are expected, as 0,0.2,0.5")
    return tuple(found)


def learning_every(view: View, text: str) -> View:
    """The view with a cycle each so many ripe slates (``500``), or so long (``10m``).

    Raises
    ------
    Refused
        If it is neither.
    """
    duration = milliseconds(text)
    if duration:
        changed = dataclasses.replace(view.learning, learn_every=None, learn_every_ms=duration)
    elif text.isdigit() and int(text):
        changed = dataclasses.replace(view.learning, learn_every=int(text), learn_every_ms=None)
    else:
        raise Refused(f"--learn-every {text}: a number of slates, as 500, or a duration, as 10m, is expected")
    return dataclasses.replace(view, learning=changed)


def _moment(text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise _no_warmup(text) from None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return round((at - _EPOCH).total_seconds() * 1_000)


def _no_warmup(text: str) -> Refused:
    return Refused(
        f"--warmup {text}: a share of the history between 0 and 1, as 0.8, a duration, as 7d, or a date, as "
        "2021-11-15, is expected"
    )
