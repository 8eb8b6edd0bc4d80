"""Finds out what a folder or file of another system holds, and in which order its files are read."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable
from pathlib import Path

from eddyline_cli.sending.csv_file import CsvFile
from eddyline_cli.sending.translated import LineSource, TranslatedFile
from eddyline_contracts import gorse
from eddyline_contracts.csv_interactions import CsvColumns
from eddyline_contracts.csv_table import decoded_lines
from eddyline_contracts.gorse import GorseLines
from eddyline_contracts.movielens import MovieLensRows

MOVIELENS, GORSE = "movielens", "gorse"
_RATINGS = CsvColumns(user="userId", item="movieId", value="rating", time="timestamp")
_MOVIELENS_ITEMS = ("movies.csv", "u.item", "u.user")
_GORSE_FILES = ("items", "users", "feedback")
Source = Callable[[], LineSource]


class UnknownDataset(ValueError):
    """Nothing that is known is in there; the text says what is looked for."""


def form_of(path: str) -> str | None:
    """``movielens`` or ``gorse`` if the folder or file is one of theirs."""
    found = Path(path)
    if found.is_dir():
        if _there(found, "u.data") or (_there(found, "ratings.csv") and _there(found, "movies.csv")):
            return MOVIELENS
        files = [file for stem in _GORSE_FILES if (file := _gorse_file(found, stem))]
        return GORSE if any(gorse.looks_like(_first_line(file)) for file in files) else None
    if found.name.removesuffix(".gz").endswith((".jsonl", ".json", ".ndjson")) and found.is_file():
        return GORSE if gorse.looks_like(_first_line(found)) else None
    return None


def sources_of(path: str, form: str) -> list[Source]:
    """What opens its files: items and users first, then what people did.

    Raises
    ------
    UnknownDataset
        If the files are not there.
    """
    found = Path(path)
    sources = _movielens(found) if form == MOVIELENS else _gorse(found)
    if not sources:
        looked_for = (
            "ratings.csv and movies.csv (latest, 1M and later as CSV), or u.data, u.item and u.user (100k)"
            if form == MOVIELENS
            else "items.jsonl, users.jsonl or feedback.jsonl"
        )
        raise UnknownDataset(
            f"{path} holds no files of the form {form}: a folder with {looked_for} is expected"
        )
    return sources


def left_out(path: str) -> str | None:
    """What of a folder is not read, for people."""
    found = Path(path)
    if found.is_dir() and (tags := _there(found, "tags.csv")) and form_of(path) == MOVIELENS:
        return f"{tags} is not read: its tags were given at other times than the ratings"
    return None


def _movielens(folder: Path) -> list[Source]:
    sources = [_rows(file, name) for name in _MOVIELENS_ITEMS if (file := _there(folder, name))]
    if ratings := _there(folder, "ratings.csv"):
        sources.append(lambda: CsvFile(str(ratings), _RATINGS))
    elif data := _there(folder, "u.data"):
        sources.append(_rows(data, "u.data"))
    else:
        return []
    return sources


def _rows(file: Path, holds: str) -> Source:
    def translate(lines: Iterable[bytes]) -> MovieLensRows:
        return MovieLensRows(decoded_lines(lines), holds)

    return lambda: TranslatedFile(str(file), translate)


def _gorse(path: Path) -> list[Source]:
    files = [_gorse_file(path, stem) for stem in _GORSE_FILES] if path.is_dir() else [path]
    return [_lines(file) for file in files if file is not None]


def _lines(file: Path) -> Source:
    return lambda: TranslatedFile(str(file), GorseLines)


def _gorse_file(folder: Path, stem: str) -> Path | None:
    names = (f"{stem}.jsonl", f"{stem}.json", f"{stem}.ndjson")
    # By its name alone: a first line that is broken is a line to be refused, not a file to be left out.
    return next((file for name in names if (file := _there(folder, name))), None)


def _there(folder: Path, name: str) -> Path | None:
    return next((file for file in (folder / name, folder / f"{name}.gz") if file.is_file()), None)


def _first_line(path: Path) -> bytes:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            return lines.readline(1 << 20).removeprefix(b"\xef\xbb\xbf")
    except (OSError, EOFError):
        return b""
