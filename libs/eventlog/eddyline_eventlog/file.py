"""A log that is a file: JSON lines in the native or the Metarank form, plain or gzipped, for offline evaluation.

A place is a line's number, from 1. Lines without an id are named after their number, so that the same file is the
same log whenever it is read.
"""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from eddyline_contracts.api import Rejection
from eddyline_contracts.limits import MAX_EVENT_BYTES, Refusal
from eddyline_contracts.record import Batch, Record
from eddyline_eventlog.admission import Offline
from eddyline_eventlog.batching import MAX_BYTES, MAX_ROWS, split, weight
from eddyline_eventlog.port import LogEndsBefore

_GZIP_MAGIC = b"\x1f\x8b"
_KEPT_REJECTIONS = 100


class UnreadableFile(Exception):
    """The file is not there, or it is damaged; the text says which."""


@dataclass
class FileCounts:
    """What one pass over the file met so far."""

    lines: int = 0
    rows: int = 0
    duplicates: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """Refused lines by code."""
    rejections: list[Rejection] = field(default_factory=list)
    """The first hundred of them, ``index`` being the line's number from 1."""


class FileLog:
    """Reads a file as the log that importing it would give. Not live: `follow` ends with the file."""

    def __init__(self, path: Path, *, max_rows: int = MAX_ROWS, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._last: int | None = None
        self.counts = FileCounts()
        """Of the newest pass; complete when `follow` has ended."""

    async def follow(self, after: int) -> AsyncGenerator[Batch, None]:
        """See `Log.follow`; ends with the file."""
        async for batch in self._pass(after, None):
            yield batch

    async def read(self, after: int, until: int) -> AsyncGenerator[Batch, None]:
        """See `Log.read`. Reads the file from its beginning, since ids before ``after`` count as seen."""
        if after < until:
            async for batch in self._pass(after, until):
                yield batch

    async def last(self) -> int:
        """See `Log.last`: the number of lines."""
        if self._last is None:
            with _opened(self._path) as source:
                self._last = sum(1 for _ in _lines(source))
        return self._last

    async def identity(self) -> str:
        """See `Log.identity`: the file's absolute path; what it holds may change under it."""
        return str(self._path.absolute())

    async def _pass(self, after: int, until: int | None) -> AsyncGenerator[Batch, None]:
        intake, self.counts = Offline(), FileCounts()
        previous, records, n_bytes = after, list[Record](), 0
        with _opened(self._path) as source:
            for line in _lines(source):
                record = self._taken(intake, line)
                if record is not None and intake.sequence > after:
                    records.append(record)
                    n_bytes += weight(record)
                if intake.sequence == until:
                    break
                if intake.sequence - previous >= self._max_rows or n_bytes > self._max_bytes:
                    for batch in self._split(previous, intake.sequence, records):
                        yield batch
                    previous, records, n_bytes = intake.sequence, [], 0
                    # Reading blocks; let the loop's other tasks have their turn.
                    await asyncio.sleep(0)
        if until is not None and intake.sequence < until:
            raise LogEndsBefore(until, intake.sequence)
        if intake.sequence < after:
            raise LogEndsBefore(after, intake.sequence)
        if intake.sequence > previous:
            for batch in self._split(previous, intake.sequence, records):
                yield batch

    def _split(self, previous: int, last: int, records: list[Record]) -> Iterator[Batch]:
        return split(Batch(previous, last, records), max_rows=self._max_rows, max_bytes=self._max_bytes)

    def _taken(self, intake: Offline, line: bytes) -> Record | None:
        counts = self.counts
        counts.lines += 1
        if not line.strip():
            intake.skip()
            return None
        try:
            record = intake.take(line, assigned_id=f"line-{intake.sequence + 1}")
        except Refusal as refusal:
            counts.refused[refusal.code] += 1
            if len(counts.rejections) < _KEPT_REJECTIONS:
                counts.rejections.append(
                    Rejection(index=intake.sequence, code=refusal.code, detail=refusal.detail)
                )
            return None
        if record is None:
            counts.duplicates += 1
        else:
            counts.rows += 1
        return record


def _opened(path: Path) -> BinaryIO:
    try:
        source = path.open("rb")
        if source.read(2) == _GZIP_MAGIC:
            source.close()
            return cast(BinaryIO, gzip.open(path, "rb"))
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror}") from error
    source.seek(0)
    return source


def _lines(source: BinaryIO) -> Iterator[bytes]:
    """Lines without their end. One that is too long for an event is cut short, just long enough to be refused."""
    try:
        while line := source.readline(MAX_EVENT_BYTES + 2):
            end = line
            while not end.endswith(b"\n") and (end := source.readline(MAX_EVENT_BYTES)):
                pass
            yield line.rstrip(b"\r\n")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnreadableFile(f"the file is damaged or cut short: {error}") from error
