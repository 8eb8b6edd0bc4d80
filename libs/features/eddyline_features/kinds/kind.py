"""What a kind of feature may do while events arrive and when vectors are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eddyline_contracts.events import (
    InteractionRecorded,
    ItemEmbedded,
    ItemUpserted,
    SlateServed,
    UserUpserted,
)
from eddyline_features.entities import Items, People
from eddyline_features.kernel import Floats, FloatTable, Ints, Longs
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading
from eddyline_features.values import Values


@dataclass(slots=True)
class Tables:
    """The parts of the state that every kind may look at."""

    items: Items
    values: Values
    users: People
    sessions: People
    overall: FloatTable
    """shape (1, C)."""
    half_lives: Longs
    """In ms, each of the view once."""
    landmarks: Longs
    """By half-life, see ``decay``."""


@dataclass(slots=True)
class Shown:
    """A slate, before counters and rings hold it. Rows exist already."""

    event: SlateServed
    sequence: int
    at: int
    """Fold time, ms."""
    clock: int
    """Newest fold time of the state, this event's included."""
    rows: Ints
    """shape (K,). Of its items."""
    user: int
    """Row of the user (of the session, where there is no user); -1 is nobody."""
    session: int
    """Row of the session; -1 where there is none, or no feature asks for sessions."""


@dataclass(slots=True)
class Acted:
    """An interaction, before counters and rings hold it. Rows exist already."""

    event: InteractionRecorded
    sequence: int
    at: int
    clock: int
    row: int
    """Of its item."""
    action: int
    """Row of `Counters.amounts`; -1 for one that counts for nothing."""
    user: int
    session: int
    value: float
    """The event's, bounded."""


class Kind:
    """A kind of feature: overrides what it needs, and is never called for the rest.

    A kind with state of its own owns it: arrays that are reserved at once for the view's limits, rows that begin and
    end with those of the tables, and their bytes in snapshots. Reads change nothing.
    """

    def __init__(self, plan: Plan, features: Sequence[tuple[int, Any]]) -> None:
        """Ask the plan for slots, counters and places. ``features``: (first column, declaration) of each."""

    def bind(self, tables: Tables) -> None:
        """Keep what is needed of the tables, once they exist."""

    # While events arrive --------------------------------------------------------------------------------

    def before_item(self, row: int) -> None:
        """An item's fields are about to change, or it is about to be removed."""

    def after_item(self, row: int, event: ItemUpserted, at: int) -> None:
        """They have changed."""

    def after_user(self, row: int, event: UserUpserted, at: int) -> None:
        """A user's fields have changed."""

    def embedded(self, row: int, event: ItemEmbedded) -> None:
        """An item's text has become a vector."""

    def slate(self, shown: Shown) -> None:
        """Something was shown."""

    def interaction(self, acted: Acted) -> None:
        """Something was done."""

    def begin_item(self, row: int) -> None:
        """A row has got a new item, of which nothing is known yet; it may have been another's before."""

    def begin_user(self, row: int) -> None:
        """As `begin_item`."""

    def begin_session(self, row: int) -> None:
        """As `begin_item`."""

    def begin_value(self, code: int) -> None:
        """A code has got a new field value; it may have been another's before."""

    def rescale(self, shrink: Floats) -> None:
        """Landmarks have moved: multiply decayed counters by what their half-lives say, shape (half-lives,)."""

    # Reading ---------------------------------------------------------------------------------------------

    def read(self, reading: Reading, out: FloatTable) -> None:
        """Write this kind's columns into ``out``, shape (N, F); it holds NaN before."""

    # Snapshots, memory -------------------------------------------------------------------------------------

    def save(self) -> list[bytes]:
        """All state of its own, of rows in use only; equal states give equal bytes."""
        return []

    def load(self, saved: list[bytes]) -> None:
        """Take it back; the tables are filled already."""

    def sizes(self) -> dict[str, float]:
        """Bytes that it takes for one more ``item``, ``user``, ``session`` or ``value``."""
        return {}


def overrides(kind: Kind, method: str) -> bool:
    """Whether a kind does anything there."""
    return getattr(type(kind), method) is not getattr(Kind, method)
