"""Files of CSV are lines of events: in the order of time, and the same whenever they are read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from eddyline_cli.commands.event_files import CsvOptions, check_files, csv_options, opened
from eddyline_cli.refusals import Refused
from eddyline_cli.sending.csv_file import CsvFile
from eddyline_cli.sending.event_lines import DamagedFile, EventFile
from eddyline_contracts.csv_interactions import CsvColumns
from eddyline_contracts.csv_table import UnknownColumn
from tests.support.data import shared_data

COLUMNS = CsvColumns(user="u", item="i", time="t")
NONE = dict.fromkeys(("user", "item", "time", "action", "action_name", "value", "session", "items"))


def items_of(file: CsvFile) -> list[str]:
    return [json.loads(line.raw)["item"] for line in file.lines()]


def test_a_file_in_order_is_read_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("t,u,i,more\n1,u,a,\n2,u,b,\n2,u,c,\n")
    file = CsvFile(str(path), COLUMNS)
    assert items_of(file) == ["a", "b", "c"]
    assert file.notes == ["t: seconds since 1970", "columns not taken: more"]
    assert (file.counts.rows, file.counts.events) == (3, 3)
    assert file.position() == file.size == path.stat().st_size


def test_a_file_out_of_order_is_sorted_and_says_so_and_ids_are_as_in_the_file(tmp_path: Path) -> None:
    path, ordered = tmp_path / "a.csv.gz", tmp_path / "b.csv"
    path.write_bytes(gzip.compress(b"t,u,i\n3,u,c\n1,u,a\n,u,x\n3,u,d\n2,u,b\n"))
    ordered.write_text("t,u,i\n1,u,a\n2,u,b\n3,u,c\n3,u,d\n")
    file = CsvFile(str(path), COLUMNS)
    found = list(file.lines())
    assert [json.loads(line.raw)["item"] for line in found] == ["a", "b", "c", "d"]
    assert [line.number for line in found] == [3, 6, 2, 5]
    assert [line.raw for line in found] == [line.raw for line in CsvFile(str(ordered), COLUMNS).lines()]
    assert "not sorted by t: sorted before it was read" in file.notes
    assert file.counts.reasons() == ["1 row: no t (line 4)"]


def test_a_file_that_is_too_long_to_be_sorted_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eddyline_cli.sending.csv_file.MOST_SORTED", 2)
    path = tmp_path / "a.csv"
    path.write_text("t,u,i\n3,u,c\n1,u,a\n2,u,b\n")
    with pytest.raises(UnknownColumn, match="sort it by that column first"):
        list(CsvFile(str(path), COLUMNS).lines())


def test_a_file_that_breaks_off_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"t,u,i\n" + b"".join(b"%d,u,i%d\n" % (n, n) for n in range(5_000)))[:-20])
    with pytest.raises(DamagedFile, match="damaged"):
        list(CsvFile(str(path), COLUMNS).lines())


def test_the_form_goes_by_the_ending_unless_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = CsvOptions(columns=COLUMNS, items="films.csv")
    opened_as = {}
    for name in ("a.csv", "b.CSV.gz", "c.tsv", "d.jsonl", "films.csv"):
        (tmp_path / name).write_text("i,t,u\n")
    for source in opened(["a.csv", "b.CSV.gz", "c.tsv", "d.jsonl"], options):
        file = source()
        assert list(file.lines()) == [] or file.path == "d.jsonl"
        opened_as[file.path] = file.holds if isinstance(file, CsvFile) else type(file).__name__
    assert list(opened_as.items()) == [
        ("films.csv", "items"),
        ("a.csv", "interactions"),
        ("b.CSV.gz", "interactions"),
        ("c.tsv", "interactions"),
        ("d.jsonl", "EventFile"),
    ]
    plain = opened(["a.csv"], CsvOptions(form="jsonl"))[0]()
    assert isinstance(plain, EventFile)
    plain.close()


def test_options_that_do_not_fit_together_are_refused_with_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="--user, --time too"):
        csv_options(form="auto", **(NONE | {"item": "i"}))
    with pytest.raises(Refused, match="one of them"):
        csv_options(
            form="auto", **(NONE | {"item": "i", "user": "u", "time": "t", "action": "a", "action_name": "b"})
        )
    assert csv_options(form="auto", **NONE).columns is None
    path = tmp_path / "a.csv"
    with pytest.raises(Refused, match="there is no file"):
        check_files([str(path)], CsvOptions())
    path.write_text("")
    with pytest.raises(Refused, match="name its columns"):
        check_files([str(path)], CsvOptions())
    with pytest.raises(Refused, match="no file is CSV"):
        check_files(["-"], CsvOptions(columns=COLUMNS))
    check_files(["-"], CsvOptions(columns=COLUMNS, form="csv"))


@pytest.mark.data
def test_every_row_of_the_shared_files_is_an_event() -> None:
    deskdrop = CsvFile(
        str(shared_data("deskdrop/interactions.csv.gz")),
        CsvColumns(
            user="personId", item="contentId", action="eventType", time="timestamp", session="sessionId"
        ),
    )
    n = sum(1 for _ in deskdrop.lines())
    assert (n, deskdrop.counts.refused.total()) == (64_054, 0)
    assert "timestamp: seconds since 1970" in deskdrop.notes
    movies = CsvFile(
        str(shared_data("ml-latest-small/movies.csv.gz")),
        CsvColumns(user="userId", item="movieId", time="timestamp"),
        "items",
    )
    first, *_ = (json.loads(line.raw) for line in movies.lines())
    assert first["fields"] == {
        "title": "Toy Story (1995)",
        "genres": ["Adventure", "Animation", "Children", "Comedy", "Fantasy"],
    }
