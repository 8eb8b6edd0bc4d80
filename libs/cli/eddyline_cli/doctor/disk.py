"""Disk: what is free where data grow, and how full the inbox is."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from eddyline_cli.doctor.finding import Finding, fail, ok, warn
from eddyline_cli.doctor.place import Place
from eddyline_cli.doctor.seen import Seen

_FILLING, _FULL = 0.8, 0.95


def check_disk(place: Place, seen: Seen, min_free_bytes: int) -> Iterator[Finding]:
    """The folders of this machine, then the inbox wherever it is."""
    if not place.elsewhere:
        yield from _folders(place, seen, min_free_bytes)
    if seen.database is not None and seen.database.fault is None:
        size = seen.database.n_bytes
        yield ok("disk", "database", f"the database takes {_gb(size)}", bytes=size)
    yield from _inbox(seen)


def _folders(place: Place, seen: Seen, min_free_bytes: int) -> Iterator[Finding]:
    inbox = seen.bus.inbox if seen.bus else None
    growth = max(0, inbox.max_bytes - inbox.n_bytes) if inbox else 0
    by_device: dict[int, list[tuple[str, Path]]] = {}
    for name, folder in (
        ("data", place.data),
        ("postgres", place.data / "postgres"),
        ("nats", place.data / "nats"),
    ):
        there = _nearest(folder)
        by_device.setdefault(there.stat().st_dev, []).append((name, there))
    for places in by_device.values():
        subject = ", ".join(name for name, _ in places)
        free = shutil.disk_usage(places[0][1]).free
        more = growth if any(name == "nats" for name, _ in places) else 0
        detail = f"{_gb(free)} free at {places[0][1]}"
        figures = {"free_bytes": free, "wanted_bytes": min_free_bytes, "inbox_may_grow_bytes": more}
        if free < min_free_bytes:
            yield fail(
                "disk",
                subject,
                f"{detail}, less than the {_gb(min_free_bytes)} wanted",
                "free some space, or move the data: `eddyline down`, then start with --data on a larger disk; "
                "with a full disk events are refused (503) until there is room",
                **figures,
            )
        elif free < min_free_bytes + more:
            yield warn(
                "disk",
                subject,
                f"{detail}; the inbox alone may take {_gb(more)} more while the log is held up",
                "free some space, or bound the inbox with EDDYLINE_INBOX_MAX_BYTES",
                **figures,
            )
        else:
            yield ok("disk", subject, detail, **figures)


def _inbox(seen: Seen) -> Iterator[Finding]:
    bus = seen.bus
    if bus is None or bus.inbox is None:
        return
    inbox = bus.inbox
    bound = inbox.max_bytes if inbox.max_bytes > 0 else bus.max_storage
    figures = {"bytes": inbox.n_bytes, "max_bytes": bound, "messages": inbox.messages}
    if bound <= 0:
        yield ok("disk", "inbox", f"the inbox holds {_gb(inbox.n_bytes)}, without a bound", **figures)
        return
    share = inbox.n_bytes / bound
    detail = f"the inbox holds {_gb(inbox.n_bytes)} of {_gb(bound)} ({share:.0%})"
    remedy = (
        "logged events are cleared by themselves, so look first why the log is behind (see lag); "
        "a larger EDDYLINE_INBOX_MAX_BYTES gives time"
    )
    if share >= _FULL:
        yield fail("disk", "inbox", f"{detail}: new events will be refused", remedy, **figures)
    elif share >= _FILLING:
        yield warn("disk", "inbox", detail, remedy, **figures)
    else:
        yield ok("disk", "inbox", detail, **figures)


def _nearest(folder: Path) -> Path:
    """The folder, or what is there of the way to it."""
    for one in (folder, *folder.parents):
        if one.exists():
            return one
    return Path("/")


def _gb(n_bytes: float) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e8 else f"{n_bytes / 1e6:.1f} MB"
