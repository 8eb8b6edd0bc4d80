"""Clocks: how far those of the services, the bus and the database are from this machine's."""

from __future__ import annotations

from collections.abc import Iterator

from eddyline_cli.doctor.finding import Finding, fail, ok, warn
from eddyline_cli.doctor.seen import Clock, Seen

_WARN_MS, _FAIL_MS = 500.0, 5_000.0


def check_clocks(seen: Seen) -> Iterator[Finding]:
    """Each clock that could be read."""
    clocks: dict[str, Clock | None] = {name: s.clock for name, s in seen.services.items() if s.answered}
    clocks |= {"nats": seen.bus.clock if seen.bus else None}
    clocks |= {"postgres": seen.database.clock if seen.database else None}
    for name, clock in clocks.items():
        if clock is not None:
            yield judged(name, clock)


def judged(name: str, clock: Clock) -> Finding:
    """What is certain of the difference counts, not what the way of the question may have added."""
    sure = max(0.0, abs(clock.ahead_ms) - clock.within_ms)
    figures = {"ahead_ms": round(clock.ahead_ms, 1), "within_ms": round(clock.within_ms, 1)}
    if sure <= _WARN_MS:
        return ok("clocks", name, f"within {abs(clock.ahead_ms) + clock.within_ms:.0f} ms of ours", **figures)
    way = "ahead of" if clock.ahead_ms > 0 else "behind"
    detail = f"{sure / 1_000:.1f} s {way} this machine's"
    remedy = (
        "let both machines follow a time server (`timedatectl set-ntp true`): times of events, labels and ages of "
        "features are compared across them"
    )
    return (fail if sure > _FAIL_MS else warn)("clocks", name, detail, remedy, **figures)
