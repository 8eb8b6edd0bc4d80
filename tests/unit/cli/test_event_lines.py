"""Lines of event files get the same ids every time they are read."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline_cli.sending.batches import batches
from eddyline_cli.sending.event_lines import DamagedFile, EventFile, Line, with_id
from eddyline_contracts.decoding import decode_event


def read(path: Path) -> list[Line]:
    return list(EventFile(str(path)).lines())


def test_an_event_with_an_id_is_sent_as_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'{"type":"item", "id":"e1","item":"i1"}\n{"id": "e2", "event":"item","item":"i2"}\n')
    assert [line.raw for line in read(file)] == file.read_bytes().splitlines()


def test_a_line_without_an_id_gets_one_that_depends_on_its_text_and_how_often_it_occurred(
    tmp_path: Path,
) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'{"item":"i1"}\n{"item":"i2"}\n\n{"item":"i1"}\r\n{}\n {"item":"i3"} \n')
    first, again = read(file), read(file)
    assert first == again
    assert [line.number for line in first] == [1, 2, 4, 5, 6]
    told = [json.loads(line.raw) for line in first]
    assert len({event["id"] for event in told}) == 5
    assert [event.get("item") for event in told] == ["i1", "i2", "i1", None, "i3"]


def test_the_same_line_in_a_longer_file_keeps_its_id(tmp_path: Path) -> None:
    short, longer = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    short.write_bytes(b'{"item":"i1"}\n{"item":"i1"}')
    longer.write_bytes(b'{"item":"i0"}\n{"item":"i1"}\n{"item":"i1"}\n{"item":"i1"}\n')
    ids = [json.loads(line.raw)["id"] for line in read(longer)]
    assert [json.loads(line.raw)["id"] for line in read(short)] == ids[1:3]


def test_what_is_no_object_is_left_for_ingest_to_refuse() -> None:
    for raw in (b"[1]", b'"text"', b"{broken", b"\xff{}", b"[" * 5_000, b"null"):
        assert with_id(raw, Counter()) == raw


def test_an_id_of_null_counts_as_none() -> None:
    made = with_id(b'{"type":"user","user":"u1","id":null}', Counter())
    assert made.startswith(b'{"id":"line-')


@given(
    st.dictionaries(
        st.text(max_size=5).filter(lambda k: k != "id"), st.text(max_size=5) | st.integers(), max_size=4
    )
)
def test_naming_a_line_changes_nothing_else(event: dict[str, object]) -> None:
    made = json.loads(with_id(json.dumps(event).encode(), Counter()))
    assert made.pop("id").startswith("line-")
    assert made == event


def test_an_event_that_was_named_is_accepted() -> None:
    raw = b'{"event":"item","item":"i1","timestamp":"1636907100000","fields":[]}'
    event = decode_event(with_id(raw, Counter()))
    assert event.id is not None
    assert event.id.endswith("-0")


def test_compressed_files_are_recognised_by_their_content_and_report_progress(tmp_path: Path) -> None:
    file = tmp_path / "events"
    file.write_bytes(gzip.compress(b'\xef\xbb\xbf{"id":"e1"}\n{"id":"e2"}\n'))
    events = EventFile(str(file))
    assert [line.raw for line in events.lines()] == [b'{"id":"e1"}', b'{"id":"e2"}']
    assert events.size == file.stat().st_size


def test_a_compressed_file_that_breaks_off_says_after_which_line(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl.gz"
    whole = gzip.compress(b"".join(b'{"id":"%d"}\n' % n for n in range(100_000)))
    file.write_bytes(whole[: len(whole) // 2])
    lines = EventFile(str(file)).lines()
    with pytest.raises(DamagedFile, match=r"damaged after line \d\d,\d{3}: .*nothing counts twice"):
        for _ in lines:
            pass


def test_batches_are_bounded_in_number_and_bytes_and_keep_the_order() -> None:
    lines = [Line(n, b"x" * n) for n in range(1, 30)]
    grouped = list(batches(lines, max_lines=5, max_bytes=60))
    assert [line for batch in grouped for line in batch] == lines
    assert all(len(batch) <= 5 and sum(len(x.raw) for x in batch) <= 60 for batch in grouped)
    assert list(batches([Line(1, b"x" * 100)], max_bytes=10)) == [[Line(1, b"x" * 100)]]
