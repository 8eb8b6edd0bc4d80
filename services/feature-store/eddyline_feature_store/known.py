"""What is told of an item or a user over HTTP: for people, and for programs that look into the state."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class ItemKnown(Struct, frozen=True, kw_only=True):
    """What the state holds of an item, as of the log position that it reflects."""

    item: str
    fields: dict[str, Any]
    """Those that features use; text as a list of values."""
    counts: dict[str, float]
    """Decayed counts of the view's features by ``<what>_<half-life>``, as ``click_1h``."""
    prior: float
    """Chance that it is acted on where it is shown, all else unknown."""
    removed: bool
    """Taken out of the catalogue."""
    first_seen: int
    """ms since the Unix epoch."""
    last_seen: int
    """ms since the Unix epoch."""


class Acted(Struct, frozen=True, kw_only=True):
    """An interaction that is still remembered one by one."""

    item: str
    action: str
    """As in the event."""
    occurred_at: int
    """ms since the Unix epoch."""


class UserKnown(Struct, frozen=True, kw_only=True):
    """What the state holds of a user, as of the log position that it reflects."""

    user: str
    fields: dict[str, Any]
    """Those that features use."""
    counts: dict[str, float]
    """Decayed counts of the view's features by ``<what>_<half-life>``, as ``impression_30m``."""
    acted: list[Acted]
    """The newest first."""
    shown: int
    """How many impressions are remembered one by one."""
    first_seen: int
    """ms since the Unix epoch."""
    last_seen: int
    """ms since the Unix epoch."""
