"""Reading ahead gives the whole file in order, with how far it got, and passes faults on."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from eddyline_cli.sending.batches import MAX_LINES
from eddyline_cli.sending.event_lines import DamagedFile, EventFile
from eddyline_cli.sending.reading import read_ahead


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
async def test_the_whole_file_is_read_and_the_position_ends_at_its_size(
    tmp_path: Path, pack: type[bytes]
) -> None:
    path = tmp_path / "events"
    lines = [b'{"id":"e%d"}' % n for n in range(5 * MAX_LINES + 7)]
    path.write_bytes(pack(b"\n".join(lines)))
    file = EventFile(str(path))
    read, positions = [], []
    async for position, batch in read_ahead(file):
        read += [line.raw for line in batch]
        positions.append(position)
    assert read == lines
    assert positions == sorted(positions)
    assert positions[-1] == file.size == path.stat().st_size


async def test_a_damaged_file_is_told_after_what_could_be_read(tmp_path: Path) -> None:
    path = tmp_path / "events.gz"
    whole = gzip.compress(b"".join(b'{"id":"%d"}\n' % n for n in range(100_000)))
    path.write_bytes(whole[: len(whole) // 2])
    read: list[int] = []

    async def read_all() -> None:
        async for _, batch in read_ahead(EventFile(str(path))):
            read.append(len(batch))

    with pytest.raises(DamagedFile):
        await read_all()
    assert sum(read) > MAX_LINES
