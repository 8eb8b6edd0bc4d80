"""Number, boolean and categories: values of fields as they are, of items, users, the context or the candidate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from eddyline_features.codes import Codes
from eddyline_features.declarations.fields import Boolean, Categories, Number
from eddyline_features.declarations.paths import CONTEXT, ITEM, SLATE, USER, FieldPath
from eddyline_features.field_values import boolean, number, text
from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, kernel
from eddyline_features.kinds.kind import Kind, Shown
from eddyline_features.plan import Decode, Encode, Plan
from eddyline_features.reading import Reading


@kernel
def gather(out: FloatTable, rows: Ints, numbers: FloatTable, plan: IntTable) -> None:
    """Copy slots of the candidates' rows into columns; ``plan`` holds (column, slot)."""
    for i in range(rows.shape[0]):
        row = rows[i]
        if row >= 0:
            for p in range(plan.shape[0]):
                out[i, plan[p, 0]] = numbers[row, plan[p, 1]]


@kernel
def spread(out: FloatTable, numbers: Floats, plan: IntTable) -> None:
    """Copy slots of one row into columns of all candidates."""
    for i in range(out.shape[0]):
        for p in range(plan.shape[0]):
            out[i, plan[p, 0]] = numbers[plan[p, 1]]


def is_value(value: str) -> Encode:
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


class Fields(Kind):
    """Columns that are field values."""

    declared = (
        Number,
        Boolean,
        Categories,
    )

    def __init__(self, plan: Plan, features: Sequence[tuple[int, Number | Boolean | Categories]]) -> None:
        self._of_item: list[tuple[int, int]] = []
        self._of_user: list[tuple[int, int]] = []
        self._of_slate: list[tuple[int, str, Encode]] = []
        self._of_context: list[tuple[int, str, Encode]] = []
        self._codes: list[Codes] = []
        """Of every index-coded feature, in their order."""
        self._slate_codes: list[tuple[str, Codes]] = []
        self._context_codes: list[tuple[str, Codes]] = []
        """Codes that slates teach, by field."""
        for column, feature in features:
            if isinstance(feature, Number):
                self._place(plan, column, feature.field, number, float)
            elif isinstance(feature, Boolean):
                self._place(plan, column, feature.field, boolean, bool)
            elif feature.one_hot:
                for at, value in enumerate(feature.values):
                    self._place(plan, column + at, feature.field, is_value(value), names(value))
            else:
                self._index(plan, column, feature)
        self._item_plan = np.array(self._of_item, np.int32).reshape(-1, 2)
        self._user_plan = np.array(self._of_user, np.int32).reshape(-1, 2)

    def _place(self, plan: Plan, column: int, field: FieldPath, encode: Encode, decode: Decode) -> None:
        if field.scope == ITEM:
            self._of_item.append((column, plan.slot(ITEM, field.name, encode, decode)))
        elif field.scope == USER:
            self._of_user.append((column, plan.slot(USER, field.name, encode, decode)))
        elif field.scope == SLATE:
            self._of_slate.append((column, field.name, encode))
        else:
            self._of_context.append((column, field.name, encode))

    def _index(self, plan: Plan, column: int, feature: Categories) -> None:
        codes = Codes(feature.values, feature.max_values)
        self._codes.append(codes)
        scope = feature.field.scope
        # Requests only look codes up: whatever is learnt comes from the log.
        self._place(
            plan, column, feature.field, codes.learn if scope in (ITEM, USER) else codes.known, codes.name
        )
        if scope == SLATE and not codes.fixed:
            self._slate_codes.append((feature.field.name, codes))
        elif scope == CONTEXT and not codes.fixed:
            self._context_codes.append((feature.field.name, codes))

    def slate(self, shown: Shown) -> None:
        """Learn the codes of what the request and its candidates came with."""
        for name, codes in self._context_codes:
            codes.learn(shown.event.context.get(name))
        for name, codes in self._slate_codes:
            for item in shown.event.items:
                codes.learn(item.fields.get(name))

    def save(self) -> list[bytes]:
        """Codes in their order, of each feature."""
        return [msgspec.msgpack.encode(list(codes.by_text)) for codes in self._codes]

    def load(self, saved: list[bytes]) -> None:
        """As `Kind.load`."""
        for codes, raw in zip(self._codes, saved, strict=True):
            codes.by_text = {
                text: code for code, text in enumerate(msgspec.msgpack.decode(raw, type=list[str]))
            }

    def read(self, reading: Reading, out: FloatTable) -> None:
        """Write this kind's columns."""
        if self._of_item:
            gather(out, reading.rows, reading.items.numbers, self._item_plan)
        if self._of_user and reading.user >= 0:
            spread(out, reading.users.numbers[reading.user], self._user_plan)
        if reading.item_fields:
            for column, name, encode in self._of_slate:
                out[:, column] = [encode(fields.get(name)) for fields in reading.item_fields]
        for column, name, encode in self._of_context:
            out[:, column] = encode(reading.context.get(name))
