"""Vectors as tables that fit the terminal: features as rows, items as columns."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from eddyline_cli.screen import table
from eddyline_cli.travelling.place_in_log import spelled_place, spelled_time
from eddyline_cli.travelling.seen import KNOWN, REMOVED, UNKNOWN, Seen

NOTHING = "-"
"""Stands for NaN: not known."""
_BETWEEN = 3
_WIDEST_NAME = 24


def show(screen: Console, seen: Seen) -> None:
    """Print where and when, who and what is unknown, and the vectors."""
    place = seen.place
    recorded = "" if place.recorded_at is None else f", recorded {spelled_time(place.recorded_at)}"
    lines = [
        ("sequence", f"{spelled_place(place.sequence)}{recorded}"),
        ("time", spelled_time(seen.ranked_at)),
        ("view", f"{seen.view.id} ({len(seen.view.columns)} columns)"),
    ]
    asked = seen.question
    if asked.user is not None:
        lines.append(("user", asked.user))
    if asked.session is not None:
        lines.append(("session", asked.session))
    for what, value in lines:
        screen.print(f"{what:<10}{value}", markup=False, soft_wrap=True)
    for line in remarks(seen):
        screen.print(line, markup=False, soft_wrap=True)
    for part in _tables(seen, screen.width):
        screen.print()
        screen.print(part)


def remarks(seen: Seen) -> Iterator[str]:
    """What is unknown, in words: it is no error, new people and items come every day."""
    if seen.place.n_events == 0:
        yield "nothing is in the log up to this place (`eddyline status` shows the newest)"
    asked = seen.question
    if seen.person == UNKNOWN:
        who = f"session {asked.session}" if asked.user is None else f"user {asked.user}"
        yield f"{who} is not known here: no event of theirs lies before this place, or they were forgotten"
    for state, words in (
        (UNKNOWN, "not known here: no event about it lies before this place, or it was forgotten"),
        (REMOVED, "removed here: its fields are gone, its counts stay"),
    ):
        named = [item for item, what in zip(asked.items, seen.items, strict=True) if what == state]
        if named:
            yield f"{'item' if len(named) == 1 else 'items'} {', '.join(named)}: {words}"


def cell(value: float) -> str:
    """Six digits are enough for people; ``--json`` has all."""
    if math.isnan(value):
        return NOTHING
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e9 else f"{value:.6g}"


def _tables(seen: Seen, width: int) -> Iterator[Table]:
    names = seen.view.columns
    columns = [[cell(float(value)) for value in row] for row in seen.vectors]
    heads = [_head(item, what) for item, what in zip(seen.question.items, seen.items, strict=True)]
    left = max(len(name) for name in ["feature", *names])
    first = 0
    while first < len(heads):
        room, last = width - left, first
        # One item at least, however narrow the terminal is.
        while last < len(heads):
            needed = _BETWEEN + max(len(text) for text in [heads[last], *columns[last]])
            if needed > room and last > first:
                break
            room, last = room - needed, last + 1
        part = table("feature")
        for head in heads[first:last]:
            part.add_column(escape(head), justify="right", no_wrap=True)
        for row, name in enumerate(names):
            part.add_row(escape(name), *(columns[item][row] for item in range(first, last)))
        yield part
        first = last


def _head(item: str, what: str) -> str:
    name = item if len(item) <= _WIDEST_NAME else item[: _WIDEST_NAME - 1] + "…"
    return name if what == KNOWN else f"{name} ({what})"
