"""From the value of a field to the columns of a declaration, and back for people to read."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from eddyline_features.declarations.fields import Boolean, Number
from eddyline_features.declarations.referer import Referer
from eddyline_features.declarations.relevancy import Relevancy
from eddyline_features.declarations.user_agent import UserAgent
from eddyline_features.declarations.vector import Vector
from eddyline_features.declarations.word_count import WordCount
from eddyline_features.field_values import boolean, number, text
from eddyline_features.kinds.agents import encoded_agent
from eddyline_features.kinds.reductions import reduced, told, words
from eddyline_features.kinds.referring_hosts import encoded_referer
from eddyline_features.plan import Decode, Encode

AsItIs = Number | Relevancy | Boolean | Vector | WordCount | UserAgent | Referer
"""Declarations whose columns depend on nothing but the value."""

ENCODINGS: dict[type[AsItIs], Callable[[Any], tuple[Encode, Decode]]] = {
    Number: lambda _: (number, float),
    Relevancy: lambda _: (number, float),
    Boolean: lambda _: (boolean, bool),
    WordCount: lambda _: (words, int),
    Vector: lambda feature: (reduced(feature), told(feature)),
    UserAgent: encoded_agent,
    Referer: encoded_referer,
}


def is_value(value: str) -> Callable[[Any], float]:
    """1.0 where ``value`` is the field's value or in its list, 0.0 where not, NaN where the field is unknown."""
    wanted = text(value)

    def encode(given: Any) -> float:
        if isinstance(given, list):
            return float(any(text(member) == wanted for member in given))
        spelt = text(given)
        return math.nan if spelt is None else float(spelt == wanted)

    return encode


def names(value: str) -> Decode:
    """The value where it is there."""
    return lambda present: value if present else None
