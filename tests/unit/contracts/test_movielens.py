"""The files of MovieLens as events: what a row says, and why some make none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from eddyline_contracts.csv_table import UnknownColumn
from eddyline_contracts.decoding import decode_event
from eddyline_contracts.movielens import MovieLensRows


def events(lines: list[str], holds: str) -> tuple[list[dict[str, Any]], MovieLensRows]:
    rows = MovieLensRows(lines, holds)
    found = list(rows)
    for event in found:
        decode_event(event.raw)
    return [json.loads(event.raw) for event in found], rows


def flags(*places: int) -> str:
    return "|".join("1" if place in places else "0" for place in range(19))


def test_a_movie_of_100k_has_title_year_and_genres() -> None:
    (movie,), _ = events([f"1|Toy Story (1995)|01-Jan-1995||http://x|{flags(3, 4, 5)}\n"], "u.item")
    assert (movie["type"], movie["item"]) == ("item", "1")
    assert movie["fields"] == {
        "title": "Toy Story",
        "year": 1995,
        "genres": ["Animation", "Children's", "Comedy"],
    }


def test_a_title_may_hold_quotation_marks_and_no_year() -> None:
    (movie,), _ = events([f'267|unknown "cut|||||{flags(0)}\n'.replace("|||||", "||||")], "u.item")
    assert movie["fields"] == {"title": 'unknown "cut', "genres": ["unknown"]}


def test_a_user_of_100k_has_age_gender_occupation() -> None:
    (user,), _ = events(["7|57|M|administrator|91344\n"], "u.user")
    assert user["user"] == "7"
    assert user["fields"] == {"age": 57, "gender": "M", "occupation": "administrator", "zip_code": "91344"}


def test_a_rating_of_100k_has_value_and_time_and_bad_ones_are_counted() -> None:
    lines = ["196\t242\t3\t881250949\n", "196\t242\tx\t881250949\n", "196\t242\t3\tnever\n", "196\n", "\n"]
    (rating,), rows = events(lines, "u.data")
    assert (rating["user"], rating["item"], rating["action"], rating["value"]) == ("196", "242", "rating", 3)
    assert rating["occurred_at"] == 881_250_949_000
    assert (rows.counts.rows, rows.counts.events) == (4, 1)
    assert sorted(rows.counts.refused) == [
        "not as many cells as the header has columns (4)",
        "rating is no number",
        "timestamp is no time (seconds since 1970 expected)",
    ]


def test_a_movie_of_the_later_sets_has_genres_unless_none_are_listed() -> None:
    lines = [
        "movieId,title,genres\n",
        '1,"American President, The (1995)",Drama|Romance\n',
        "2,X,(no genres listed)\n",
    ]
    found, _ = events(lines, "movies.csv")
    assert [movie["fields"] for movie in found] == [
        {"title": "American President, The", "year": 1995, "genres": ["Drama", "Romance"]},
        {"title": "X"},
    ]


@pytest.mark.parametrize("lines", [[], ["movieId,title\n", "1,X\n"], ["title,movieId,genres\n"]])
def test_a_file_of_movies_with_other_columns_is_refused(lines: list[str]) -> None:
    with pytest.raises(UnknownColumn, match="movieId, title, genres"):
        events(lines, "movies.csv")


def test_a_file_that_has_grown_gives_its_old_rows_their_old_ids() -> None:
    old = ["1\t1\t3\t881250949\n", "1\t1\t3\t881250949\n"]
    before, _ = events(old, "u.data")
    after, _ = events(["2\t1\t4\t881250948\n", *old], "u.data")
    assert {event["id"] for event in before} < {event["id"] for event in after}
    assert len({event["id"] for event in after}) == 3
