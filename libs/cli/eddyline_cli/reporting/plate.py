"""What a page is made of: tiles with one number each, and plates, which are figures with what there is to say of "
"them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One number at the top of the page."""

    label: str
    value: str
    note: str = ""
    """Small, below it."""
    alarm: bool = False
    """Somebody should look at this."""


@dataclass(frozen=True, kw_only=True)
class Plate:
    """One figure, or the reason why there is none."""

    slug: str
    """Of its anchor, and in front of every id of its SVG."""
    title: str
    says: str = ""
    """One sentence: what one should see here."""
    svg: str = ""
    """Of `drawing.svg_of`; empty where there is nothing to draw."""
    missing: str = ""
    """Why there is nothing to draw, and what would change that."""
    wide: bool = True
    columns: Sequence[str] = ()
    """Of the table of the same numbers."""
    rows: Sequence[Sequence[str]] = ()


@dataclass(frozen=True, kw_only=True)
class Part:
    """Plates under one heading."""

    title: str
    plates: Sequence[Plate]


@dataclass(frozen=True, kw_only=True)
class Page:
    """All of it."""

    title: str
    lead: str
    """A sentence or two below the title."""
    tiles: Sequence[Tile]
    parts: Sequence[Part]
    notes: Sequence[str] = field(default_factory=list)
    """What limits what is seen here; at the end of the page."""
