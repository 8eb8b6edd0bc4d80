"""What a filter says once it is read. A missing field fulfils no condition, so ``not`` of one is true of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class OneOf:
    """Is, or as a list holds, one of these values."""

    at: str
    """Where it stands in the filter, for messages."""
    field: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """Is a number between two, both included."""

    at: str
    field: str
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Known:
    """Has any value."""

    at: str
    field: str


@dataclass(frozen=True, slots=True)
class Every:
    """All of these are true; of none, that is so."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of these is true."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """It is not true."""

    part: Condition


Condition = OneOf | Between | Known | Every | Some | Not
Leaf = OneOf | Between | Known


def leaves(condition: Condition) -> Iterator[Leaf]:
    """The conditions on fields."""
    if isinstance(condition, Every | Some):
        for part in condition.parts:
            yield from leaves(part)
    elif isinstance(condition, Not):
        yield from leaves(condition.part)
    else:
        yield condition
