"""Events that were refused: how many, and of which kind."""

from __future__ import annotations

from collections.abc import Iterator

from eddyline_cli.doctor.finding import Finding, ok, warn
from eddyline_cli.doctor.seen import Seen


def check_refused(seen: Seen) -> Iterator[Finding]:
    """What the bus keeps of them."""
    bus = seen.bus
    if bus is None or bus.fault is not None or not bus.jetstream:
        return
    kept = bus.rejected
    if kept is None or kept.messages == 0:
        yield ok("rejected", "events", "none was refused", events=0)
        return
    by_code = {subject.rpartition(".")[2]: n for subject, n in kept.by_subject.items()}
    listed = ", ".join(f"{n:,} {code}" for code, n in sorted(by_code.items(), key=lambda kv: -kv[1]))
    yield warn(
        "rejected",
        "events",
        f"{kept.messages:,} events were refused ({listed}), the newest at {kept.last_at[:19]}Z",
        "`eddyline rejected` shows each with the reason; mend the sender and send them again",
        events=kept.messages,
        by_code=by_code,
    )
