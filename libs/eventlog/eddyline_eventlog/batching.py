"""Cutting a piece of the log into batches that fit in memory and in a message. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from eddyline_contracts.record import Batch, Record

MAX_ROWS = 1_000
MAX_BYTES = 4 * 1024 * 1024
ROW_OVERHEAD = 200
"""What a record weighs beside its payload, at most and roughly: id, type, numbers, framing."""


def weight(record: Record) -> int:
    """Bytes that a record takes, roughly and rather too many."""
    return len(record.payload) + len(record.event_id) * 3 + ROW_OVERHEAD


def split(batch: Batch, *, max_rows: int = MAX_ROWS, max_bytes: int = MAX_BYTES) -> Iterator[Batch]:
    """Cut a batch into contiguous ones within both bounds. A record larger than ``max_bytes`` stands alone."""
    previous, piece, n_bytes = batch.previous, list[Record](), 0
    for record in batch.records:
        if piece and (len(piece) >= max_rows or n_bytes + weight(record) > max_bytes):
            yield Batch(previous, piece[-1].sequence, piece)
            previous, piece, n_bytes = piece[-1].sequence, [], 0
        piece.append(record)
        n_bytes += weight(record)
    yield Batch(previous, batch.last, piece)


def rest_of(batch: Batch, after: int) -> Batch:
    """The part of a batch that lies after this place, which must be inside it or its beginning."""
    if batch.previous == after:
        return batch
    return Batch(after, batch.last, [record for record in batch.records if record.sequence > after])
