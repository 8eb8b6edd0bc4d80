"""A filter's JSON to a `Condition`. Every refusal names the place and says what to do.

A condition is ``{"field": "price", "lte": 20}`` or, for short, ``{"price": {"lte": 20}}``; ``{"brand": "a"}`` is
``equals``, ``{"brand": ["a", "b"]}`` is ``in``. Several members are all to be true. ``and`` and ``or`` take a list of
conditions, ``not`` takes one. Needs no NumPy.
"""

from __future__ import annotations

import math
from typing import Any

from eddyline_contracts.limits import Refusal
from eddyline_features.filters.conditions import Between, Condition, Every, Known, Not, OneOf, Scalar, Some
from eddyline_features.filters.words import (
    AND,
    BOUNDS,
    CONTAINS,
    EQUALS,
    EXISTS,
    FIELD,
    GT,
    GTE,
    IN,
    LT,
    NOT,
    OPERATORS,
    OR,
    meant_logic,
    meant_operator,
)

MAX_DEPTH = 10
"""Of ``and``, ``or`` and ``not`` inside each other."""
MAX_CONDITIONS = 100
"""On fields, in one filter."""
MAX_VALUES = 1_000
"""In all of its lists together."""
_ROOT = "filters"
_SHOWN = 40


class InvalidFilter(Refusal):
    """A filter that cannot be used: what is wrong, where, and what to write."""

    code = "invalid_filter"


def read_filter(form: Any) -> Condition:
    """Read a filter as it stands in a request; ``{}`` is true of every item.

    Raises
    ------
    InvalidFilter
        At the first thing that is wrong.
    """
    return _Reader().condition(form, _ROOT, 0)


class _Reader:
    """Counts while it reads."""

    def __init__(self) -> None:
        self._n_conditions = 0
        self._n_values = 0

    def condition(self, form: Any, at: str, depth: int) -> Condition:
        if not isinstance(form, dict):
            raise InvalidFilter(
                f'`{at}` is {_spelt(form)}: a condition is expected, as {{"brand": "a"}} or '
                '{"price": {"lte": 20}}'
            )
        if FIELD in form:
            return _together(self._explicit(form, at))
        parts: list[Condition] = []
        for name, value in form.items():
            where = f"{at}.{name[:_SHOWN]}"
            if name in (AND, OR, NOT):
                parts.append(self._logic(name, value, where, depth + 1))
            else:
                parts += self._short(name, value, where)
        return _together(parts)

    def _logic(self, word: str, value: Any, at: str, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            raise InvalidFilter(
                f"`{at}`: more than {MAX_DEPTH} of `and`, `or` and `not` are inside each other: make it flatter"
            )
        if word == NOT:
            return Not(self.condition(value, at, depth))
        if not isinstance(value, list) or not value:
            raise InvalidFilter(
                f"`{at}` is {_spelt(value)}: a list of conditions is expected, as "
                f'{{"{word}": [{{"brand": "a"}}, {{"price": {{"lte": 20}}}}]}}'
            )
        parts = tuple(self.condition(member, f"{at}[{n}]", depth) for n, member in enumerate(value))
        if len(parts) == 1:
            return parts[0]
        return Every(parts) if word == AND else Some(parts)

    def _explicit(self, form: dict[str, Any], at: str) -> list[Condition]:
        name = form[FIELD]
        if not isinstance(name, str) or not name:
            raise InvalidFilter(f"`{at}.{FIELD}` is {_spelt(name)}: the name of an item field is expected")
        told = {word: value for word, value in form.items() if word != FIELD}
        if not told:
            raise InvalidFilter(
                f"`{at}` says nothing of `{name[:_SHOWN]}`: add one of {_listed(OPERATORS)}, as "
                f'{{"field": "{name[:_SHOWN]}", "equals": "a"}}'
            )
        return self._operators(name, told, at)

    def _short(self, name: str, value: Any, at: str) -> list[Condition]:
        if isinstance(value, dict):
            if not value:
                raise InvalidFilter(f"`{at}` says nothing: add one of {_listed(OPERATORS)}")
            if (word := meant_logic(name)) is not None and not set(value) <= set(OPERATORS):
                raise InvalidFilter(f"`{at}` is taken for a field: did you mean `{word}`?")
            return self._operators(name, value, at)
        if isinstance(value, list):
            if (word := meant_logic(name)) is not None and any(isinstance(member, dict) for member in value):
                raise InvalidFilter(f"`{at}` is taken for a field: did you mean `{word}`?")
            return [self._one_of(name, value, at)]
        self._count(at)
        return [OneOf(at, name, (_scalar(value, at),))]

    def _operators(self, name: str, told: dict[str, Any], at: str) -> list[Condition]:
        found: list[Condition] = []
        least, most = -math.inf, math.inf
        for word, value in told.items():
            where = f"{at}.{word[:_SHOWN]}"
            if word in BOUNDS:
                bound = _number(value, where)
                if word in (GT, GTE):
                    least = max(least, math.nextafter(bound, math.inf) if word == GT else bound)
                else:
                    most = min(most, math.nextafter(bound, -math.inf) if word == LT else bound)
            elif word == IN:
                found.append(self._one_of(name, value, where))
            elif word == EQUALS:
                self._count(where)
                found.append(OneOf(where, name, (_scalar(value, where),)))
            elif word == CONTAINS:
                found += self._contains(name, value, where)
            elif word == EXISTS:
                self._count(where)
                if not isinstance(value, bool):
                    raise InvalidFilter(f"`{where}` is {_spelt(value)}: true or false is expected")
                found.append(Known(where, name) if value else Not(Known(where, name)))
            else:
                raise InvalidFilter(
                    f"`{where}`: there is no operator `{word[:_SHOWN]}`{meant_operator(word)} "
                    f"(there are {_listed(OPERATORS)})"
                )
        if told.keys() & set(BOUNDS):
            self._count(at)
            found.append(Between(at, name, least, most))
        return found

    def _one_of(self, name: str, value: Any, at: str) -> Condition:
        self._count(at)
        return OneOf(at, name, self._members(value, at))

    def _contains(self, name: str, value: Any, at: str) -> list[Condition]:
        """All of the values, so as many conditions."""
        if not isinstance(value, list):
            self._count(at)
            return [OneOf(at, name, (_scalar(value, at),))]
        members = self._members(value, at)
        for _ in members:
            self._count(at)
        return [OneOf(at, name, (member,)) for member in members]

    def _members(self, value: Any, at: str) -> tuple[Scalar, ...]:
        if not isinstance(value, list):
            raise InvalidFilter(
                f'`{at}` is {_spelt(value)}: a list is expected, as ["a", "b"]; for one value say `equals`'
            )
        if not value:
            raise InvalidFilter(f"`{at}` is an empty list, which is true of no item: leave the condition out")
        self._n_values += len(value)
        if self._n_values > MAX_VALUES:
            raise InvalidFilter(f"`{at}`: more than {MAX_VALUES:,} values in one filter: send fewer")
        return tuple(_scalar(member, f"{at}[{n}]") for n, member in enumerate(value))

    def _count(self, at: str) -> None:
        self._n_conditions += 1
        if self._n_conditions > MAX_CONDITIONS:
            raise InvalidFilter(f"`{at}`: more than {MAX_CONDITIONS} conditions in one filter: send fewer")


def _together(parts: list[Condition]) -> Condition:
    return parts[0] if len(parts) == 1 else Every(tuple(parts))


def _scalar(value: Any, at: str) -> Scalar:
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidFilter(f"`{at}` is {value}: a number that is finite is expected")
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise InvalidFilter(f"`{at}` is {_spelt(value)}: a number of at most 64 bits is expected")
    if isinstance(value, str | int | float | bool):
        return value
    if value is None:
        raise InvalidFilter(
            f'`{at}` is null, which no field is: for items without the field say {{"exists": false}}'
        )
    if isinstance(value, list):
        raise InvalidFilter(
            f"`{at}` is a list: say `in` where one of its values will do, `contains` where all must be there"
        )
    raise InvalidFilter(f"`{at}` is {_spelt(value)}: a text, a number, true or false is expected")


def _number(value: Any, at: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            bound = float(value)
        except OverflowError:
            bound = math.inf
        if math.isfinite(bound):
            return bound
    remedy = ""
    if isinstance(value, str):
        remedy = "; only numbers have an order here: send times as numbers too, in items and filters"
    raise InvalidFilter(f"`{at}` is {_spelt(value)}: a number is expected, as 20{remedy}")


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _spelt(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if isinstance(value, int) and abs(value) >= 2**64:
        return "a number beyond all bounds"
    return repr(value[:_SHOWN] if isinstance(value, str) else value)
