"""Rows of views beside each other, as Markdown and as JSON."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from eddyline_learning.metrics import Estimate, Floats, mean_of

PerSlate = Mapping[str, Floats]
"""By the metric's title, shape (S,): of each slate, NaN where it cannot be measured."""
_CLEAR = 2.0
"""Standard errors beyond which a difference is shown in bold."""


@dataclass(frozen=True)
class Row:
    """One view."""

    name: str
    n_columns: int | None
    """Of the view; None for an order that needs none."""
    metrics: dict[str, Estimate]
    differences: dict[str, Estimate]
    """To the first row, slate by slate; empty for the first row."""


@dataclass
class Table:
    """Views that are compared with the first of them."""

    title: str
    rows: list[Row] = field(default_factory=list)
    _first: PerSlate | None = None

    def add(self, name: str, n_columns: int | None, per_slate: PerSlate) -> None:
        """The next row; slates in the same order in all of them."""
        differences = {}
        if self._first is None:
            self._first = per_slate
        else:
            differences = {title: mean_of(of - self._first[title]) for title, of in per_slate.items()}
        metrics = {title: mean_of(of) for title, of in per_slate.items()}
        self.rows.append(Row(name, n_columns, metrics, differences))

    def markdown(self) -> str:
        """A title and a line a row; a difference of more than two of its standard errors is bold."""
        titles = list(self.rows[0].metrics)
        lines = [
            f"| {self.title} | columns | " + " | ".join(f"{title} | difference" for title in titles) + " |",
            "| --- " * (2 + 2 * len(titles)) + "|",
        ]
        for row in self.rows:
            cells = [row.name, "–" if row.n_columns is None else str(row.n_columns)]
            for title in titles:
                cells += [f"{row.metrics[title].mean:.4f}", _difference(row.differences.get(title))]
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join(lines)


def as_json(tables: list[Table]) -> bytes:
    """A JSON list of ``{"title", "rows": [{"name", "columns", "metrics", "differences"}]}``."""
    plain = [
        {
            "title": table.title,
            "rows": [
                {
                    "name": row.name,
                    "columns": row.n_columns,
                    "metrics": {title: one.as_json() for title, one in row.metrics.items()},
                    "differences": {title: one.as_json() for title, one in row.differences.items()},
                }
                for row in table.rows
            ],
        }
        for table in tables
    ]
    return msgspec.json.format(msgspec.json.encode(plain), indent=2) + b"\n"


class Compared(Protocol):
    """Views of one history, by the groups of features that they have."""

    @property
    def groups(self) -> Sequence[str]:
        """All groups, in the order in which tables show them."""

    def n_columns(self, groups: Collection[str]) -> int:
        """Columns of such a view."""

    def per_slate(self, groups: Collection[str]) -> PerSlate:
        """What it comes to; slow, the first time."""


def left_out(title: str, of: Compared, whole: Collection[str]) -> Table:
    """The whole, and the whole without each of its groups."""
    table = Table(title)
    table.add("all", of.n_columns(whole), of.per_slate(whole))
    for name in of.groups:
        if name in whole:
            rest = set(whole) - {name}
            table.add(f"without {name}", of.n_columns(rest), of.per_slate(rest))
    return table


def added(title: str, of: Compared, base: Collection[str], names: Collection[str]) -> Table:
    """A base, and the base with each of some other groups."""
    table = Table(title)
    table.add("alone", of.n_columns(base), of.per_slate(base))
    for name in of.groups:
        if name in names and name not in base:
            more = {*base, name}
            table.add(f"with {name}", of.n_columns(more), of.per_slate(more))
    return table


def _difference(found: Estimate | None) -> str:
    if found is None:
        return ""
    told = f"{found.mean:+.4f} ± {found.se:.4f}"
    clear = not math.isnan(found.se) and abs(found.mean) > _CLEAR * found.se > 0
    return f"**{told}**" if clear else told
