"""Where the events come from: anything that finds a place and gives the events up to it, in order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Protocol

import asyncpg

from eddyline_cli.evaluating.history import History
from eddyline_cli.reading_log import read_only
from eddyline_cli.refusals import Refused
from eddyline_cli.travelling.place_in_log import Found, Wanted, spelled_place
from eddyline_contracts.events import SlateServed
from eddyline_contracts.record import Logged, Record, decode_record
from eddyline_eventlog.postgres import PostgresLog

_LAST = "SELECT sequence FROM log_cursor"
_BY_TIME = "SELECT max(sequence) FROM event_log WHERE recorded_at <= $1"
_UP_TO = "SELECT count(*) FROM event_log WHERE sequence <= $1"
_RECORDED = "SELECT recorded_at FROM event_log WHERE sequence <= $1 ORDER BY sequence DESC LIMIT 1"
_SLATE = """
SELECT sequence, event_id, type, received_at, recorded_at, payload FROM event_log
WHERE sequence = (SELECT sequence FROM event_ids WHERE event_id = $1)
"""


class Source(Protocol):
    """A log that can be read up to a place."""

    @property
    def is_live(self) -> bool:
        """Whether its end is now; the end of a file is when its last event was recorded."""

    async def find(self, wanted: Wanted) -> Found:
        """The place that is meant.

        Raises
        ------
        Refused
            If the log ends before it.
        """

    async def slate(self, slate: str) -> Logged | None:
        """The slate of this id, or None."""

    def events(self, until: int) -> AsyncIterator[list[Logged]]:
        """Everything up to a place that was found, once."""


class DatabaseSource:
    """The log in PostgreSQL; only read, and its tables are left as they are."""

    is_live = True

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def find(self, wanted: Wanted) -> Found:
        """See `Source.find`."""
        last: int = await self._pool.fetchval(_LAST)
        sequence = last if wanted.sequence is None else wanted.sequence
        if wanted.recorded_at is not None:
            sequence = await self._pool.fetchval(_BY_TIME, wanted.recorded_at) or 0
        if sequence > last:
            raise _beyond(sequence, last)
        n, recorded_at = await self._pool.fetchval(_UP_TO, sequence), None
        if n:
            recorded_at = await self._pool.fetchval(_RECORDED, sequence)
        return Found(sequence, recorded_at, n)

    async def slate(self, slate: str) -> Logged | None:
        """See `Source.slate`."""
        row = await self._pool.fetchrow(_SLATE, slate)
        if row is None or row["type"] != "slate":
            return None
        return decode_record(Record(*row))

    async def events(self, until: int) -> AsyncIterator[list[Logged]]:
        """See `Source.events`."""
        async for batch in PostgresLog(self._pool).read(0, until):
            yield [decode_record(record) for record in batch.records]


class FileSource:
    """Files of events, as the log that importing them would give; a place is a line's number, counted through."""

    is_live = False

    def __init__(self, history: History) -> None:
        self._history = history
        self._batches = list[list[Logged]]()

    def load(self) -> Iterator[int]:
        """Read the files; yields the number of events so far, now and then."""
        yield from self._history.look()
        self._batches = list(self._history.batches())

    async def find(self, wanted: Wanted) -> Found:
        """See `Source.find`."""
        last = self._batches[-1][-1].sequence if self._batches else 0
        if wanted.sequence is not None and wanted.sequence > last:
            raise _beyond(wanted.sequence, last)
        newest, n = None, 0
        for logged in self._all():
            if wanted.sequence is not None and logged.sequence > wanted.sequence:
                break
            # A file's recorded clock never goes back.
            if wanted.recorded_at is not None and logged.recorded_at > wanted.recorded_at:
                break
            newest, n = logged, n + 1
        recorded_at = None if newest is None else newest.recorded_at
        if wanted.sequence is not None:
            return Found(wanted.sequence, recorded_at, n)
        return Found(0 if newest is None else newest.sequence, recorded_at, n)

    async def slate(self, slate: str) -> Logged | None:
        """See `Source.slate`."""
        return next(
            (one for one in self._all() if one.id == slate and isinstance(one.event, SlateServed)), None
        )

    async def events(self, until: int) -> AsyncIterator[list[Logged]]:
        """See `Source.events`."""
        for batch in self._batches:
            yield [logged for logged in batch if logged.sequence <= until]

    def _all(self) -> Iterator[Logged]:
        return (logged for batch in self._batches for logged in batch)


def _beyond(sequence: int, last: int) -> Refused:
    return Refused(
        f"--at {sequence}: the log ends at {spelled_place(last)}; name a place up to there, or leave --at out"
    )


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[DatabaseSource]:
    """The log in the database at this address.

    Raises
    ------
    Refused
        If it does not answer, or has no log.
    """
    otherwise = "read files with --events FILE"
    async with read_only(url, command="eddyline features", otherwise=otherwise) as pool:
        yield DatabaseSource(pool)
