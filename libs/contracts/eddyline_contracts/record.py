"""What the log holds: an event as it was received, with its place and the three clocks."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import Event, to_millis

EPOCH_SHIFT = 40


def sequence_of(epoch: int, stream_sequence: int) -> int:
    """Place in the log: epoch × 2^40 + the inbox's own number, below 2^53 and so exact in every JSON reader."""
    return (epoch << EPOCH_SHIFT) + stream_sequence


class Record(Struct, frozen=True, array_like=True):
    """One row of the log, undecoded."""

    sequence: int
    event_id: str
    type: str
    received_at: int
    """When ingest received it, in ms since the Unix epoch; for events published on the bus, ``recorded_at``."""
    recorded_at: int
    """When the inbox stored it, in ms since the Unix epoch (JetStream's time of the message)."""
    payload: bytes
    """JSON as it was received, in the native or the Metarank form."""


class Batch(Struct, frozen=True, array_like=True):
    """A contiguous piece of the log: everything in ``(previous, last]``.

    ``records`` may be empty and need not reach ``last``: duplicates and refusals have a place but no row.
    """

    previous: int
    last: int
    records: list[Record]


class Logged(Struct, frozen=True):
    """A record, decoded: what projections fold."""

    sequence: int
    id: str
    occurred_at: int
    """ms since the Unix epoch; absent in the event → ``received_at``; never later than ``recorded_at``."""
    recorded_at: int
    event: Event


def decode_record(record: Record) -> Logged:
    """Decode a row of the log and settle its times.

    Raises
    ------
    Refusal
        If the row is no event of this version; the log writer lets none pass, so it means that this code is older
        than the one that wrote it.
    """
    return logged_of(record, decode_event(record.payload))


def logged_of(record: Record, event: Event) -> Logged:
    """As `decode_record`, where the payload is decoded already."""
    said = event.occurred_at
    at = record.received_at if said is None else to_millis(said)
    return Logged(record.sequence, record.event_id, min(at, record.recorded_at), record.recorded_at, event)


_batch = msgspec.msgpack.Decoder(Batch)


def encode_batch(batch: Batch) -> bytes:
    """The batch as MessagePack, for ``log.committed``."""
    return msgspec.msgpack.encode(batch)


def decode_batch(raw: bytes) -> Batch:
    """The inverse of `encode_batch`."""
    return _batch.decode(raw)
