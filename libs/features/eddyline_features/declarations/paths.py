"""Where a value is found, and words that stand for what has no name of its own."""

from __future__ import annotations

from dataclasses import dataclass

ITEM, SLATE, USER, CONTEXT = "item", "slate", "user", "context"
SCOPES = (ITEM, SLATE, USER, CONTEXT)

COLUMN = "column"
"""Instead of a scope: a column that another feature of the view gives."""

IMPRESSION = "impression"
"""Stands among actions for having been shown."""

THE_ITEM = "item"
"""As a field: the item itself is the value."""


@dataclass(frozen=True, kw_only=True)
class FieldPath:
    """Where a value is found: ``item.price``, ``slate.relevancy``, ``user.age``, ``context.device``."""

    scope: str
    """``slate`` is the candidate's own fields in one request or slate."""
    name: str

    def __str__(self) -> str:
        return f"{self.scope}.{self.name}"
