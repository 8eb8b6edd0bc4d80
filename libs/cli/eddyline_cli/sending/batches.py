"""Lines grouped for one request each: bounded in number and bytes, in the order of the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from eddyline_cli.sending.event_lines import Line

MAX_LINES = 2_000
MAX_BYTES = 4 * 1024 * 1024


def batches(
    lines: Iterable[Line], *, max_lines: int = MAX_LINES, max_bytes: int = MAX_BYTES
) -> Iterator[list[Line]]:
    """Lists of consecutive lines; one line that is longer than ``max_bytes`` is a batch of its own."""
    batch: list[Line] = []
    n_bytes = 0
    for line in lines:
        if batch and (len(batch) >= max_lines or n_bytes + len(line.raw) > max_bytes):
            yield batch
            batch, n_bytes = [], 0
        batch.append(line)
        n_bytes += len(line.raw) + 1
    if batch:
        yield batch
