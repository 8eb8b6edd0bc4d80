"""What every declared feature has, whatever its kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from eddyline_features.yaml_reader import Section


class Declaration(Protocol):
    """A feature as it is declared: a frozen dataclass, all of which shapes state or vectors and is in the view's id."""

    @property
    def name(self) -> str:
        """As the user calls it."""

    @property
    def columns(self) -> list[str]:
        """Names of the columns that it gives, in their order."""


Reader = Callable[[Section, str, Sequence[str]], Declaration]
"""Reads a feature of one kind from its section, its name and the view's actions. Problems go to the section."""


def counted_fields(feature: Declaration) -> tuple[str, ...]:
    """Item fields whose values this feature wants counters for (an attribute of that name; none by default)."""
    found: tuple[str, ...] = getattr(feature, "counted_fields", ())
    return found


def coded_columns(feature: Declaration) -> tuple[int, ...]:
    """Which of its columns hold codes, to be split by sets (an attribute of that name; none by default)."""
    found: tuple[int, ...] = getattr(feature, "coded_columns", ())
    return found


def is_relative(feature: Declaration) -> bool:
    """Whether a candidate's columns depend on the other candidates (an attribute ``relative``; not by default)."""
    return bool(getattr(feature, "relative", False))


def acted_entries(feature: Declaration) -> int:
    """So many of a person's newest interactions it asks for (an attribute ``n_acted``; 0, as many as are kept)."""
    return int(getattr(feature, "n_acted", 0))
