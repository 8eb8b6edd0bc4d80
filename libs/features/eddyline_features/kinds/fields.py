"""Values of fields, of items, users, the context or the candidate: as they are, as codes, or reduced to numbers."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from eddyline_contracts.events import ItemUpserted, UserUpserted
from eddyline_features.codes import Codes
from eddyline_features.declarations.fields import Categories
from eddyline_features.declarations.paths import CONTEXT, ITEM, SLATE, USER, FieldPath
from eddyline_features.kernel import Floats, FloatTable, Ints, IntTable, kernel
from eddyline_features.kinds.encodings import ENCODINGS, AsItIs, is_value, names
from eddyline_features.kinds.kind import Kind, Shown, Tables
from eddyline_features.plan import Decode, Encode, Plan
from eddyline_features.reading import Reading


@kernel
def gather(out: FloatTable, rows: Ints, numbers: FloatTable, at: int, plan: IntTable, ttls: Floats) -> None:
    """Copy slots of the candidates' rows into columns.

    ``plan`` holds (column, slot, slot of the time at which it was written, or -1). What was written more than its
    ``ttls`` (ms) before ``at`` stays unknown; a time to come is no age at all.
    """
    for i in range(rows.shape[0]):
        row = rows[i]
        if row >= 0:
            for p in range(plan.shape[0]):
                written = plan[p, 2]
                if written < 0 or not at - numbers[row, written] > ttls[p]:
                    out[i, plan[p, 0]] = numbers[row, plan[p, 1]]


@kernel
def spread(out: FloatTable, numbers: Floats, at: int, plan: IntTable, ttls: Floats) -> None:
    """Copy slots of one row into columns of all candidates, as `gather` does."""
    for p in range(plan.shape[0]):
        written = plan[p, 2]
        if written < 0 or not at - numbers[written] > ttls[p]:
            for i in range(out.shape[0]):
                out[i, plan[p, 0]] = numbers[plan[p, 1]]


class _Stored:
    """Columns from the slots of items, or of users."""

    def __init__(self, plan: Plan, scope: str) -> None:
        self.scope = scope
        self._slots = plan.item_slots if scope == ITEM else plan.user_slots
        self._rows: list[tuple[int, int, int]] = []
        self._ttls: list[float] = []
        self._written: dict[str, int] = {}
        """By field: the slot of the time at which it was written, for fields with a ttl."""

    def place(self, column: int, width: int, field: str, encode: Encode, decode: Decode, ttl_ms: int) -> None:
        """Reserve slots for columns of a field."""
        first = self._slots.add(field, encode, decode, width)
        written = -1
        if ttl_ms:
            if field not in self._written:
                self._written[field] = self._slots.reserve()
            written = self._written[field]
        self._rows += [(column + at, first + at, written) for at in range(width)]
        self._ttls += [float(ttl_ms)] * width

    def settle(self) -> None:
        """No more columns come."""
        self.plan = np.array(self._rows, np.int32).reshape(-1, 3)
        self.ttls: Floats = np.array(self._ttls, np.float64)
        self.written = list(self._written.items())

    def note(self, numbers: Floats, event: ItemUpserted | UserUpserted, at: int) -> None:
        """Keep when fields were written."""
        for field, slot in self.written:
            if field in event.fields:
                numbers[slot] = at


class Fields(Kind):
    """Columns that are field values."""

    def __init__(self, plan: Plan, features: Sequence[tuple[int, AsItIs | Categories]]) -> None:
        self._items = _Stored(plan, ITEM)
        self._users = _Stored(plan, USER)
        self._of_slate: list[tuple[slice, str, Encode]] = []
        self._of_context: list[tuple[slice, str, Encode]] = []
        self._codes: list[Codes] = []
        """Of every index-coded feature, in their order."""
        self._slate_codes: list[tuple[str, Codes]] = []
        self._context_codes: list[tuple[str, Codes]] = []
        """Codes that slates teach, by field."""
        for column, feature in features:
            if not isinstance(feature, Categories):
                encode, decode = ENCODINGS[type(feature)](feature)
                ttl_ms = getattr(feature, "ttl_ms", 0)
                self._place(column, len(feature.columns), feature.field, encode, decode, ttl_ms)
            elif feature.one_hot:
                for at, value in enumerate(feature.values):
                    self._place(column + at, 1, feature.field, is_value(value), names(value), feature.ttl_ms)
            else:
                self._index(column, feature)
        self._items.settle()
        self._users.settle()

    def _place(
        self, column: int, width: int, field: FieldPath, encode: Encode, decode: Decode, ttl_ms: int
    ) -> None:
        for stored in (self._items, self._users):
            if field.scope == stored.scope:
                stored.place(column, width, field.name, encode, decode, ttl_ms)
                return
        places = self._of_slate if field.scope == SLATE else self._of_context
        places.append((slice(column, column + width), field.name, encode))

    def _index(self, column: int, feature: Categories) -> None:
        codes = Codes(feature.values, feature.max_values)
        self._codes.append(codes)
        scope = feature.field.scope
        # Requests only look codes up: whatever is learnt comes from the log.
        encode = codes.learn if scope in (ITEM, USER) else codes.known
        self._place(column, 1, feature.field, encode, codes.name, feature.ttl_ms)
        if scope == SLATE and not codes.fixed:
            self._slate_codes.append((feature.field.name, codes))
        elif scope == CONTEXT and not codes.fixed:
            self._context_codes.append((feature.field.name, codes))

    def bind(self, tables: Tables) -> None:
        """As `Kind.bind`."""
        self._tables = tables

    def after_item(self, row: int, event: ItemUpserted, at: int) -> None:
        """Keep when fields with a ttl were written."""
        if self._items.written:
            self._items.note(self._tables.items.numbers[row], event, at)

    def after_user(self, row: int, event: UserUpserted, at: int) -> None:
        """As `after_item`."""
        if self._users.written:
            self._users.note(self._tables.users.numbers[row], event, at)

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
        items, users, at = self._items, self._users, reading.at
        if len(items.plan):
            gather(out, reading.rows, reading.items.numbers, at, items.plan, items.ttls)
        if len(users.plan) and reading.user >= 0:
            spread(out, reading.users.numbers[reading.user], at, users.plan, users.ttls)
        if reading.item_fields:
            for columns, name, encode in self._of_slate:
                told = [encode(fields.get(name)) for fields in reading.item_fields]
                out[:, columns] = np.array(told, np.float64).reshape(len(told), -1)
        for columns, name, encode in self._of_context:
            out[:, columns] = encode(reading.context.get(name))
