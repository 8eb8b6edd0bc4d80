"""A file is the log that importing it would give."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from eddyline_contracts.record import Record, decode_record
from eddyline_eventlog.file import FileLog, UnreadableFile
from eddyline_eventlog.memory import MemoryLog
from eddyline_eventlog.port import LogEndsBefore


def a_user(name: str | None, at: int | None = None) -> bytes:
    members = [b'"type":"user"', b'"user":"u"']
    members += [b'"id":"%s"' % name.encode()] if name else []
    members += [b'"occurred_at":%d' % at] if at is not None else []
    return b"{" + b",".join(members) + b"}"


async def everything(log: FileLog, after: int = 0) -> list[Record]:
    return [record async for batch in log.follow(after) for record in batch.records]


def written(folder: Path, *lines: bytes, end: bytes = b"\n") -> Path:
    path = folder / "events.jsonl"
    path.write_bytes(end.join(lines))
    return path


async def test_places_are_line_numbers_and_every_line_is_accounted_for(tmp_path: Path) -> None:
    path = written(tmp_path, a_user("a"), b"nonsense", b"", a_user("a"), b'{"type":"item"}', a_user("b"))
    log = FileLog(path)
    assert [(r.sequence, r.event_id) for r in await everything(log)] == [(1, "a"), (6, "b")]
    counts = log.counts
    assert (counts.lines, counts.rows, counts.duplicates) == (6, 2, 1)
    assert counts.refused == {"malformed": 1, "invalid": 1}
    assert [(r.index, r.code) for r in counts.rejections] == [(2, "malformed"), (5, "invalid")]
    assert await log.last() == 6


async def test_packed_files_and_other_line_ends_are_the_same_log(tmp_path: Path) -> None:
    lines = [a_user("a"), b'{"event":"user","user":"u","id":"b","timestamp":"5","fields":[]}', a_user("c")]
    plain = await everything(FileLog(written(tmp_path, *lines)))
    assert [record.payload for record in plain] == lines
    assert await everything(FileLog(written(tmp_path, *lines, b"", end=b"\r\n"))) == plain
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(b"\n".join(lines)))
    assert await everything(FileLog(packed)) == plain
    assert await FileLog(packed).last() == 3


async def test_lines_without_ids_have_the_same_ones_at_every_reading(tmp_path: Path) -> None:
    path = written(tmp_path, a_user(None), a_user("own"), a_user(None))
    assert [record.event_id for record in await everything(FileLog(path))] == ["line-1", "own", "line-3"]
    assert [record.event_id for record in await everything(FileLog(path), 2)] == ["line-3"]


async def test_the_recorded_clock_is_the_newest_time_so_far(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        a_user("a", 100),
        a_user("b"),
        a_user("c", 300),
        a_user("d", 200),
        b"no",
        a_user("c", 900),
        a_user("e"),
    )
    records = await everything(FileLog(path))
    assert [record.recorded_at for record in records] == [100, 100, 300, 300, 300]
    # A late event keeps its own time; one that says none is taken to happen when it is met.
    assert [decode_record(record).occurred_at for record in records] == [100, 100, 300, 200, 300]


async def test_a_file_and_the_log_it_was_imported_into_tell_the_same_times(tmp_path: Path) -> None:
    lines = [a_user(f"e{n}", 1_000 + n * 10 - (n % 3) * 15) for n in range(50)]
    imported = MemoryLog()
    for line in lines:
        # As ingest records history: long after it happened.
        imported.append(line, received_at=1_795_488_060_000, recorded_at=1_795_488_060_001)
    log = [decode_record(r) async for batch in imported.read(0, 50) for r in batch.records]
    file = [decode_record(record) for record in await everything(FileLog(written(tmp_path, *lines)))]
    assert [(e.id, e.occurred_at, e.event) for e in file] == [(e.id, e.occurred_at, e.event) for e in log]


async def test_a_line_without_end_is_refused_and_the_next_is_read(tmp_path: Path) -> None:
    long = b'{"type":"user","id":"x","user":"' + b"x" * 3_000_000 + b'"}'
    log = FileLog(written(tmp_path, a_user("a"), long, a_user("b")))
    assert [record.event_id for record in await everything(log)] == ["a", "b"]
    assert log.counts.refused == {"event_too_large": 1}


async def test_reading_past_the_end_is_told(tmp_path: Path) -> None:
    log = FileLog(written(tmp_path, a_user("a"), a_user("b")))
    with pytest.raises(LogEndsBefore):
        async for _ in log.read(0, 3):
            pass


async def test_a_file_that_is_missing_or_damaged_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="No such file"):
        await everything(FileLog(tmp_path / "nowhere"))
    with pytest.raises(UnreadableFile, match="cannot be read"):
        await FileLog(tmp_path).last()
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(b"\n".join(a_user(f"e{n}") for n in range(5_000)))[:-2_000])
    with pytest.raises(UnreadableFile, match="cut short"):
        await everything(FileLog(packed))


async def test_an_empty_file_is_an_empty_log(tmp_path: Path) -> None:
    log = FileLog(written(tmp_path))
    assert await everything(log) == []
    assert await log.last() == 0
