"""A list of numbers to a few numbers, and a text to the number of its words. Total, as all of ``field_values``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from eddyline_features.declarations.vector import Vector
from eddyline_features.field_values import NAN, number
from eddyline_features.identities import identity
from eddyline_features.plan import Decode, Encode


def total(numbers: Sequence[float]) -> float:
    """Their sum, from the first to the last: ``sum`` compensates since Python 3.12, and so gives other bits."""
    found = 0.0
    for one in numbers:
        found += one
    return found


def _euclidean(numbers: Sequence[float]) -> float:
    return math.sqrt(total([one * one for one in numbers]))


def _drawn(numbers: Sequence[float]) -> float:
    """Any of them, always the same of the same list."""
    return numbers[identity(",".join(map(repr, numbers))) % len(numbers)]


_OF_NONE = {"size": 0.0, "sum": 0.0, "euclidean": 0.0}
"""What an empty list has; all else of it is unknown."""
_REDUCERS: dict[str, Callable[[Sequence[float]], float]] = {
    "min": min,
    "max": max,
    "mean": lambda numbers: total(numbers) / len(numbers),
    "sum": total,
    "size": len,
    "first": lambda numbers: numbers[0],
    "last": lambda numbers: numbers[-1],
    "random": _drawn,
    "euclidean": _euclidean,
}


def reduced(feature: Vector) -> Encode:
    """From a JSON value to the feature's columns. A number is a list of one; what is no number is passed over."""
    reduce, n_members = feature.reduce, feature.members
    width = len(feature.columns)

    def encode(value: Any) -> list[float]:
        if not isinstance(value, list):
            value = [value]
            if math.isnan(number(value[0])):
                return [NAN] * width
        numbers = [one for one in map(number, value) if one == one]
        if numbers:
            columns = [float(_REDUCERS[how](numbers)) for how in reduce]
        else:
            columns = [_OF_NONE.get(how, NAN) for how in reduce]
        # By place, so that a hole does not move what stands behind it.
        columns += [number(one) for one in value[:n_members]]
        return columns + [NAN] * (width - len(columns))

    return encode if width > 1 else lambda value: encode(value)[0]


def told(feature: Vector) -> Decode:
    """The columns for people to read, by their names."""
    names = [column.removeprefix(f"{feature.name}_") for column in feature.columns]
    if len(names) == 1:
        return lambda column: {names[0]: column}
    return lambda columns: {n: c for n, c in zip(names, columns, strict=True) if c == c} or None


def words(value: Any) -> float:
    """Words of a text, or of all the texts in a list; NaN where there is none but in an empty list, which has 0."""
    texts = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
    return float(sum(len(text.split()) for text in texts)) if texts or value == [] else NAN
