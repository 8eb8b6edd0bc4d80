"""What is printed of people and items of whom little was known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.table import Table

from eddyline_cli.evaluating.figures import figure
from eddyline_cli.screen import table
from eddyline_learning.cold_start import Band, ColdStart

_SHOWN = 2
"""Metrics of a table: the first ones."""


def cold_start_tables(told: ColdStart, who: Mapping[str, str], counted: str) -> Iterator[Table]:
    """One of people, one of items.

    Parameters
    ----------
    who
        Those who are shown beside each other, and what they are called.
    counted
        What each figure is a mean over.
    """
    yield _table(told.users, who, counted, "interactions before", "People, by what they have done before")
    yield _table(told.items, who, counted, "met before", "Items acted on, by how often they were met before")


def _table(bands: list[Band], who: Mapping[str, str], counted: str, first: str, title: str) -> Table:
    metrics = list(next(iter(bands[0].measured.values())))[:_SHOWN]
    listed = table(
        first, counted, *(f"{name}, {metric}" for metric in metrics for name in who.values()), title=title
    )
    for band in bands:
        cells = [figure(band.measured[name].get(metric)) for metric in metrics for name in who]
        listed.add_row(band.name, f"{band.n:,}", *cells)
    return listed
