"""Rows of CSV become events; each that does not is counted with its reason and line."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline_contracts.csv_interactions import CsvColumns, CsvInteractions
from eddyline_contracts.csv_items import CsvItems
from eddyline_contracts.csv_table import UnknownColumn, decoded_lines
from eddyline_contracts.csv_times import TimeForm
from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import InteractionRecorded, ItemUpserted

COLUMNS = CsvColumns(user="who", item="what", time="at")


def lines(text: str) -> io.StringIO:
    return io.StringIO(text, newline="")


def events(text: str, columns: CsvColumns = COLUMNS) -> list[dict[str, Any]]:
    return [msgspec.json.decode(event.raw) for event in CsvInteractions(lines(text), columns)]


def test_a_row_is_an_interaction_at_its_time() -> None:
    (event,) = CsvInteractions(lines("at,who,what,more\n964982703,u1,i1,x\n"), COLUMNS)
    assert event.number == 2
    told = decode_event(event.raw)
    assert isinstance(told, InteractionRecorded)
    assert (told.user, told.item, told.action, told.value) == ("u1", "i1", "click", 1.0)
    assert told.occurred_at == event.occurred_at == 964_982_703_000


def test_the_action_is_a_column_or_a_constant_and_values_make_it_a_rating() -> None:
    text = "at,who,what,did,stars\n1000000000,u,i,LIKE,4.5\n"

    def action(**more: Any) -> tuple[str, float]:
        told = events(text, CsvColumns(user="who", item="what", time="at", **more))[0]
        return told["action"], told.get("value", 1.0)

    assert action(action="did") == ("LIKE", 1.0)
    assert action(action_name="play") == ("play", 1.0)
    assert action(value="stars") == ("rating", 4.5)
    assert action(action="did", value="stars") == ("LIKE", 4.5)


@pytest.mark.parametrize(
    ("cell", "at", "form"),
    [
        ("964982703", 964_982_703_000, "seconds"),
        ("964982703.25", 964_982_703_250, "seconds"),
        ("1457963676123", 1_457_963_676_123, "milliseconds"),
        ("1457963676123456", 1_457_963_676_123, "microseconds"),
        ("1457963676123456789", 1_457_963_676_123, "nanoseconds"),
        ("2019-11-24 00:00:17.004101+00:00", 1_574_553_617_004, "dates"),
        ("2019-11-24T01:00:17+01:00", 1_574_553_617_000, "dates"),
        ("2019-11-24 00:00:17", 1_574_553_617_000, "dates"),
        ("2019-11-24T00:00:17Z", 1_574_553_617_000, "dates"),
        ("2019-11-24", 1_574_553_600_000, "dates"),
    ],
)
def test_times_are_read_in_every_usual_form(cell: str, at: int, form: str) -> None:
    found = TimeForm.of(cell)
    assert found is not None
    assert found.read(cell) == at
    assert found.name.startswith(form)


@pytest.mark.parametrize("cell", ["", "nan", "1_000", "yesterday", "12/31/2020", "1e400", "9" * 25])
def test_what_is_no_time_has_no_form(cell: str) -> None:
    assert TimeForm.of(cell) is None


def test_rows_that_lack_something_are_counted_by_reason_with_their_first_lines() -> None:
    reader = CsvInteractions(
        lines(
            "at,who,what,stars\n"
            "1000000000,u1,i1,3\n"
            ",u1,i1,3\n"
            "1000000001,,i1,3\n"
            "1000000002,u1,,3\n"
            "1000000003,u1,i1,\n"
            "1000000004,u1,i1,many\n"
            "1000000005,u1,i1\n"
            "2001-09-09,u1,i1,3\n"
            "\n"
            f"1000000006,{'u' * 129},i1,3\n"
            + "".join(f"100000001{n},u1, ,3\n" for n in range(6))
            + "1000000020,u1,i9,1\n"
        ),
        CsvColumns(user="who", item="what", time="at", value="stars"),
    )
    kept = [msgspec.json.decode(event.raw)["item"] for event in reader]
    assert kept == ["i1", "i9"]
    counts = reader.counts
    assert (counts.rows, counts.events, counts.refused.total()) == (16, 2, 14)
    assert counts.refused["no what"] == 7
    assert counts.first_lines["no what"] == [5, 12, 13, 14, 15]
    assert counts.first_lines["no who"] == [4]
    assert counts.first_lines["no at"] == [3]
    assert counts.first_lines["no stars"] == [6]
    assert counts.first_lines["stars is no number"] == [7]
    assert counts.first_lines["at is no time (seconds since 1970 expected)"] == [9]
    assert counts.reasons()[0] == "7 rows: no what (lines 5, 12, 13, 14, 15, …)"


def test_a_file_that_has_grown_keeps_the_ids_of_its_rows() -> None:
    short = "at,who,what\n1,u,i\n1,u,i\n2,u,j\n"
    before = [event["id"] for event in events(short)]
    after = [event["id"] for event in events(short + "1,u,i\n3,u,j\n")]
    assert after[:3] == before
    assert len(set(after)) == 5


def test_reading_a_file_in_another_way_gives_other_events() -> None:
    text = "at,who,what\n1,u,i\n"
    other = CsvColumns(user="who", item="what", time="at", action_name="buy")
    assert events(text)[0]["id"] != events(text, other)[0]["id"]


def test_missing_and_doubled_columns_are_told_with_those_that_there_are() -> None:
    with pytest.raises(UnknownColumn, match="--item what: there is no such column; the columns are at, who"):
        CsvInteractions(lines("at,who\n"), COLUMNS)
    with pytest.raises(UnknownColumn, match="2 columns of this name"):
        CsvInteractions(lines("at,who,what,who\n"), COLUMNS)
    with pytest.raises(UnknownColumn, match="the columns are none"):
        CsvInteractions(lines(""), COLUMNS)
    with pytest.raises(UnknownColumn, match="name the column of the user"):
        CsvInteractions(lines("at,what\n"), CsvColumns(item="what", time="at"))


def test_tabs_and_semicolons_separate_too_and_a_byte_order_mark_is_no_part_of_a_name() -> None:
    assert events("\ufeffat;who;what\n5;u,1;i\n")[0]["user"] == "u,1"
    assert events("at\twho\twhat\r\n5\tu\ti\r\n")[0]["item"] == "i"


def test_quoted_cells_may_hold_line_breaks_and_the_line_number_is_still_right() -> None:
    reader = CsvInteractions(lines('at,who,what,note\n5,u,i,"a\nb"\n,u,i,x\n'), COLUMNS)
    assert len(list(reader)) == 1
    assert reader.counts.first_lines["no at"] == [4]


def test_bytes_that_are_not_utf_8_are_read_as_latin_1() -> None:
    assert list(decoded_lines([b"caf\xe9,\n", "né".encode()])) == ["café,\n", "né"]


def test_items_have_every_other_column_as_a_field_of_the_type_that_all_its_cells_have() -> None:
    items = CsvItems(
        lines(
            "id,title,tags,year,new,rank\n"
            "1,1984,war|love,1949,true,1.5\n"
            "2,Emma,love,1815,false,\n"
            "3,Dune,,,TRUE,nan\n"
            ",none,,,,\n"
        ),
        "id",
    )
    told = [decode_event(event.raw) for event in items]
    assert all(isinstance(event, ItemUpserted) for event in told)
    assert [event.fields for event in told if isinstance(event, ItemUpserted)] == [
        {"title": "1984", "tags": ["war", "love"], "year": 1949, "new": True, "rank": "1.5"},
        {"title": "Emma", "tags": ["love"], "year": 1815, "new": False},
        {"title": "Dune", "new": True, "rank": "nan"},
    ]
    assert items.counts.first_lines == {"no id": [5]}


@given(st.lists(st.lists(st.text(max_size=6), min_size=3, max_size=3), max_size=8))
def test_whatever_stands_in_a_file_every_row_is_an_event_or_is_counted(table: list[list[str]]) -> None:
    import csv

    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["at", "who", "what"])
    writer.writerows([["1000", *row[1:]] for row in table])
    text.seek(0)
    reader = CsvInteractions(text, COLUMNS)
    found = list(reader)
    for event in found:
        decode_event(event.raw)
    assert len(found) == reader.counts.events
    assert reader.counts.rows == reader.counts.events + reader.counts.refused.total() == len(table)
    assert len({msgspec.json.decode(event.raw)["id"] for event in found}) == len(found)
