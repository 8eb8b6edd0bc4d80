"""What the kinds of features see of one request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eddyline_features.entities import Items, People
from eddyline_features.kernel import Floats, FloatTable, Ints
from eddyline_features.values import Values


@dataclass(slots=True)
class Reading:
    """The state, and for whom and when it is read; nothing in here is written to."""

    items: Items
    values: Values
    users: People
    sessions: People
    overall: FloatTable
    """shape (1, C)."""
    rows: Ints
    """shape (N,). Rows of the candidates; -1 is unknown."""
    user: int
    session: int
    """Rows; -1 is unknown."""
    at: int
    """Not before any event of the state."""
    half_life_of: Ints
    """By counter of items, values and overall: index of its half-life."""
    people_half_life_of: Ints
    """By counter of users and sessions."""
    factors: Floats
    """By half-life: what counters are multiplied by at this time."""
    ids: Sequence[str]
    """The candidates, N of them."""
    who: str | None
    """The user, or the session where there is no user."""
    item_fields: list[dict[str, Any]] | None
    context: dict[str, Any]
