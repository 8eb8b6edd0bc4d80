"""Lag: inbox → log → feature-store and trainer, in events and in seconds, and whether it grows."""

from __future__ import annotations

from collections.abc import Iterator

from eddyline_cli.doctor.finding import Finding, fail, ok, warn
from eddyline_cli.doctor.looking import FOLLOWERS
from eddyline_cli.doctor.seen import Seen
from eddyline_contracts.record import EPOCH_SHIFT, sequence_of

PATIENCE_S = 5.0
"""What took less long to pass is nothing to speak of."""
_WHO = {
    "log-writer": "the log writer takes nothing from the inbox: is it ready, has the database room and time?",
    "feature-store": "slates do not reflect the newest events: is the feature-store alive, and has it a CPU?",
    "trainer": "models are not made of the newest events: is the trainer alive, and has it a CPU?",
}


def behind(seen: Seen) -> dict[str, tuple[int, float | None]]:
    """By who is behind: places of the log, and seconds since the oldest event there; unknown ones are left out."""
    found: dict[str, tuple[int, float | None]] = {}
    cursor, bus = seen.cursor, seen.bus
    if cursor is not None and bus is not None and bus.inbox is not None and bus.inbox.epoch is not None:
        waits = bus.oldest_waiting_ms
        # The cursor is of an older epoch, or 0, until the first message of this one is in the log.
        n = max(0, bus.inbox.last - max(0, cursor - sequence_of(bus.inbox.epoch, 0)))
        found["log-writer"] = n, 0.0 if n == 0 else None if waits is None else waits / 1_000
    for name in FOLLOWERS:
        at = seen.place_of(name)
        if cursor is None or at is None:
            continue
        # Places of an older epoch count as none: between two epochs lie 2^40 numbers that nothing has.
        start = 0 if at >> EPOCH_SHIFT == cursor >> EPOCH_SHIFT else (cursor >> EPOCH_SHIFT) << EPOCH_SHIFT
        n = max(0, cursor - max(at, start))
        ms = seen.database.behind_ms.get(name) if seen.database else None
        found[name] = n, 0.0 if n == 0 else None if ms is None else ms / 1_000
    return found


def needs_a_second_look(seen: Seen) -> bool:
    """Whether one look cannot tell if it is being worked off."""
    return any(n and (seconds is None or seconds > PATIENCE_S) for n, seconds in behind(seen).values())


def check_lag(first: Seen, second: Seen) -> Iterator[Finding]:
    """By two looks, a few seconds apart; the same one twice where nothing was behind."""
    before = behind(first)
    for name, (n, seconds) in behind(second).items():
        yield judged(name, n, seconds, before.get(name, (n, None))[0])


def judged(name: str, n: int, seconds: float | None, n_before: int) -> Finding:
    """Of one who follows; ``n_before`` is how many places it was behind at the look before."""
    figures = {"events": n, "seconds": None if seconds is None else round(seconds, 3), "before": n_before}
    if n == 0:
        return ok("lag", name, "nothing is behind", **figures)
    detail = f"{n:,} events behind" + ("" if seconds is None else f", the oldest {seconds:.1f} s old")
    if seconds is not None and seconds <= PATIENCE_S:
        return ok("lag", name, detail, **figures)
    if n < n_before:
        return warn(
            "lag",
            name,
            f"{detail}; it was {n_before:,} a moment ago",
            "wait: it is catching up",
            **figures,
        )
    how = "and more by the second" if n > n_before else "and standing still"
    return fail("lag", name, f"{detail}, {how}", f"{_WHO[name]} See answers, disk and its log", **figures)
