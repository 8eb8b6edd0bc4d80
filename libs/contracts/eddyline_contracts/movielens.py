"""The files of the MovieLens data sets as events: ``u.item``, ``u.user`` and ``u.data`` of 100k, ``movies.csv`` of the
later sets. (Their ``ratings.csv`` is a table with a header and needs no more than `csv_interactions`.) Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from eddyline_contracts.csv_table import (
    BadRow,
    CsvCounts,
    CsvEvent,
    RowIds,
    UnknownColumn,
    check_length,
    read_table,
    word_of,
)
from eddyline_contracts.csv_times import plain_number

GENRES_100K = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
"""The flags at the end of a row of ``u.item``, in their order."""
_NO_GENRES = "(no genres listed)"
_YEAR = re.compile(r"\s*\((\d{4})\)\s*$")
_MOVIE = ["movie id", "movie title", "release date", "video release date", "IMDb URL", *GENRES_100K]
_USER = ["user id", "age", "gender", "occupation", "zip code"]
_RATING = ["user id", "item id", "rating", "timestamp"]


class MovieLensRows:
    """Reads rows of one of these files as events; those that lack something are counted by reason.

    Parameters
    ----------
    lines
        Of the file, with their line breaks.
    holds
        ``u.item``, ``u.user``, ``u.data`` or ``movies.csv``.
    """

    def __init__(self, lines: Iterable[str], holds: str) -> None:
        self.counts = CsvCounts()
        self._ids = RowIds("movielens", holds)
        self._read = {
            "u.item": self._item_100k,
            "u.user": self._user_100k,
            "u.data": self._rating_100k,
            "movies.csv": self._movie,
        }[holds]
        if holds == "movies.csv":
            self._header, self._rows = read_table(lines)
            if self._header[:3] != ["movieId", "title", "genres"]:
                raise UnknownColumn(
                    f"movies.csv begins with the columns {', '.join(self._header) or '(none)'}; movieId, title, genres "
                    "are expected: is it whole, and of MovieLens?"
                )
        else:
            self._header = {"u.item": _MOVIE, "u.user": _USER, "u.data": _RATING}[holds]
            self._rows = _split(lines, "\t" if holds == "u.data" else "|")

    def __iter__(self) -> Iterator[CsvEvent]:
        for line, row in self._rows:
            self.counts.rows += 1
            try:
                check_length(row, self._header)
                event = self._read(row)
            except BadRow as bad:
                self.counts.refuse(bad.detail, line)
                continue
            self.counts.events += 1
            event["id"] = self._ids.id_of(row)
            yield CsvEvent(line, event.get("occurred_at"), msgspec.json.encode(event))

    def _movie(self, row: list[str]) -> dict[str, Any]:
        listed = [genre for genre in row[2].split("|") if genre and genre != _NO_GENRES]
        return _item(word_of(row, 0, self._header), row[1], listed)

    def _item_100k(self, row: list[str]) -> dict[str, Any]:
        listed = [genre for genre, flag in zip(GENRES_100K, row[5:], strict=True) if flag == "1"]
        return _item(word_of(row, 0, self._header), row[1], listed)

    def _user_100k(self, row: list[str]) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "gender": row[2].strip(),
            "occupation": row[3].strip(),
            "zip_code": row[4].strip(),
        }
        if (age := plain_number(row[1].strip())) is not None:
            fields["age"] = int(age)
        told = {name: value for name, value in fields.items() if value != ""}
        return {"type": "user", "user": word_of(row, 0, self._header), "fields": told}

    def _rating_100k(self, row: list[str]) -> dict[str, Any]:
        value, seconds = plain_number(row[2].strip()), plain_number(row[3].strip())
        if value is None:
            raise BadRow("rating is no number")
        if seconds is None or not 0 <= seconds < 1e11:
            raise BadRow("timestamp is no time (seconds since 1970 expected)")
        return {
            "type": "interaction",
            "occurred_at": int(seconds) * 1_000,
            "user": word_of(row, 0, self._header),
            "item": word_of(row, 1, self._header),
            "action": "rating",
            "value": value,
        }


def _split(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """These files quote nothing, so a quotation mark in a title is only that."""
    for number, line in enumerate(lines, 1):
        if text := line.rstrip("\r\n"):
            yield number, text.split(delimiter)


def _item(item: str, title: str, genres: list[str]) -> dict[str, Any]:
    """The year stands in brackets behind the title; as a number of its own it is of use."""
    fields: dict[str, Any] = {}
    year = _YEAR.search(title)
    if name := (title[: year.start()] if year else title).strip():
        fields["title"] = name
    if year:
        fields["year"] = int(year[1])
    if genres:
        fields["genres"] = genres
    return {"type": "item", "item": item, "fields": fields}
