"""Files of events as numbered lines; each line gets an id if it has none, the same one every time it is read."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BUFFER = 1 << 20


class DamagedFile(ValueError):
    """The file ends or breaks in the middle; what came before was read."""


class Line(Struct, frozen=True, array_like=True):
    """An event as it is sent."""

    number: int
    """Its line in the file, from 1."""
    raw: bytes
    """One JSON object, without a line break."""


class _Named(Struct):
    id: Any = None
    occurred_at: Any = None
    timestamp: Any = None
    """The time in the Metarank form."""


_probe = msgspec.json.Decoder(_Named)


@dataclass
class EventFile:
    """One file, ``.gz`` or not, or standard input (``-``), read once from its start."""

    path: str
    size: int | None = None
    """Bytes of the file, compressed; unknown for standard input."""
    indistinct: int = 0
    """Lines read so far that carry neither an id nor a time: nothing tells two such events from one that was copied."""
    _raw: io.BufferedReader = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.path == "-":
            # A reader of its own: Python must not wait for one that hangs on a terminal when it ends.
            self._raw = io.BufferedReader(io.FileIO(os.dup(sys.stdin.fileno())), _BUFFER)
        else:
            self._raw = io.BufferedReader(io.FileIO(self.path), _BUFFER)
            self.size = Path(self.path).stat().st_size

    def position(self) -> int:
        """Bytes of the file that were read, for the progress."""
        if self.size is None:
            return 0
        return self.size if self._raw.closed else self._raw.tell()

    def lines(self) -> Iterator[Line]:
        """The events, each with an id.

        The same line twice in a file is two events: the second gets an id of its own. The same line in another file,
        or in the same file read again, is the same event.

        Raises
        ------
        DamagedFile
            If a compressed file breaks off or is no such file.
        """
        seen: Counter[bytes] = Counter()
        for number, raw in enumerate(self.raw_lines(), 1):
            stripped = raw.strip()
            if stripped:
                yield Line(number, with_id(stripped, seen, self._without_time))

    def _without_time(self) -> None:
        self.indistinct += 1

    def raw_lines(self) -> Iterator[bytes]:
        """The lines as they stand, with their ends; the first without a byte order mark. Raises as `lines` does."""
        number = 0
        try:
            for raw in self._open():
                number += 1
                yield raw.removeprefix(_BYTE_ORDER_MARK) if number == 1 else raw
        except (EOFError, OSError, zlib.error) as error:
            raise DamagedFile(
                f"{self.path} is damaged after line {number:,}: {error}. With the whole file, repeat the "
                "command: nothing counts twice."
            ) from error
        finally:
            self._raw.close()

    def close(self) -> None:
        """Let go of the file before its end."""
        self._raw.close()

    def _open(self) -> Iterable[bytes]:
        # Not buffered once more: a large buffer would lose what comes before a damage.
        return gzip.GzipFile(fileobj=self._raw) if self._raw.peek(2)[:2] == _GZIP else self._raw


def with_id(raw: bytes, seen: Counter[bytes], without_time: Callable[[], None] | None = None) -> bytes:
    """The event with an ``id``: its own, or one made from its text and how often that occurred before.

    What is no JSON object is left as it is: ingest says what is wrong with it. ``without_time`` is called for an event
    that has neither an id nor a time.
    """
    try:
        probed = _probe.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return raw
    if probed.id is not None:
        return raw
    if without_time is not None and probed.occurred_at is None and probed.timestamp is None:
        without_time()
    digest = hashlib.sha256(raw).digest()[:16]
    occurrence = seen[digest]
    seen[digest] += 1
    body = raw[1:].lstrip()
    comma = b"" if body.startswith(b"}") else b","
    return b'{"id":"line-%s-%d"%s%s' % (digest.hex().encode(), occurrence, comma, body)
