"""What an import would do: every line is read and checked as the log would, nothing is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from rich.console import Console

from eddyline_cli.evaluating.history import History
from eddyline_cli.sending.translated import LineSource
from eddyline_contracts.events import InteractionRecorded, SlateServed, to_millis, type_of
from eddyline_contracts.record import Logged


@dataclass
class Survey:
    """What there is."""

    types: Counter[str] = field(default_factory=Counter)
    """Events that an empty log would take, by type."""
    actions: Counter[str] = field(default_factory=Counter)
    items: set[str] = field(default_factory=set)
    users: set[str] = field(default_factory=set)
    """Of slates and interactions; a visit without a user counts as one."""
    first: int | None = None
    """In ms since the Unix epoch, of events that say when they happened."""
    last: int | None = None
    untimed: int = 0
    duplicates: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """Lines and rows that make no event, by reason."""
    remarks: list[str] = field(default_factory=list)
    """How files were understood, and the first faults with their places."""

    def add(self, logged: Logged) -> None:
        """Count an event."""
        event = logged.event
        self.types[type_of(event)] += 1
        if event.occurred_at is None:
            self.untimed += 1
        else:
            at = to_millis(event.occurred_at)
            self.first = at if self.first is None else min(self.first, at)
            self.last = at if self.last is None else max(self.last, at)
        if isinstance(event, InteractionRecorded):
            self.actions[event.action] += 1
            self.items.add(event.item)
        if isinstance(event, SlateServed | InteractionRecorded):
            self.users.add(event.user or event.session or "")


def survey(sources: Sequence[Callable[[], LineSource]]) -> Survey:
    """Read and check everything.

    Raises
    ------
    DamagedFile, UnknownColumn
        As the import does.
    """
    history = History(sources)
    for _ in history.look():
        pass
    found = Survey(
        duplicates=history.found.duplicates, refused=history.found.refused, remarks=history.found.remarks
    )
    for batch in history.batches():
        for logged in batch:
            found.add(logged)
    return found


def show(screen: Console, found: Survey) -> None:
    """Print it."""
    say = partial(screen.print, markup=False, highlight=False, soft_wrap=True)
    events = found.types.total()
    say(f"dry run, nothing was sent: {events:,} events would be taken by an empty log")
    say(f"  by type          {_counts(found.types)}")
    if found.actions:
        say(f"  by action        {_counts(found.actions)}")
        say(
            f"  people, items    {len(found.users):,} acted or were shown lists, {len(found.items):,} acted on"
        )
    if found.first is not None and found.last is not None:
        say(f"  from, to         {_date(found.first)}, {_date(found.last)}")
    if found.untimed:
        say(f"  without a time   {found.untimed:,}: they count as happening when they are received")
    say(f"  duplicates       {found.duplicates:,}")
    say(
        f"  refused          {found.refused.total():,}{': ' if found.refused else ''}{_counts(found.refused)}"
    )
    for remark in found.remarks:
        say(f"  {remark}")


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in counter.most_common(10))


def _date(at: int) -> str:
    return datetime.fromtimestamp(at / 1_000, UTC).strftime("%Y-%m-%d %H:%M UTC")
