"""What is kept of items' fields, for those who ask for fields by name: filters, caps, diversity."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from eddyline_features.entities import Items
from eddyline_features.field_values import boolean, number, text
from eddyline_features.kernel import Ints
from eddyline_features.plan import Plan
from eddyline_features.values import Values


class UnknownField(ValueError):
    """Nothing is kept of the field: the message says what to do."""


class FieldPlace(NamedTuple):
    """Where a field lies in the arrays of `Items`."""

    field: int
    """Which of the codes' fields it is (`Values.codes`); -1 where its texts have no codes."""
    first: int
    """First of its places in ``Items.values``: codes, the rest -1; -1 where there are none."""
    width: int
    """Number of these places."""
    number: int
    """Its place in ``Items.numbers``: NaN where it is no number, 1 and 0 for true and false; -1 where there is none."""


class ItemFields:
    """Fields by name: those that ``recommend.fields`` names, and what features keep of theirs.

    Texts, booleans and the members of lists have codes, at most ``limits.values_per_field`` of an item. A single number
    is a number; it has a code too only where a feature counts by it, or where float64 would not tell it from others.
    """

    def __init__(self, plan: Plan, items: Items, values: Values) -> None:
        self._items, self._values = items, values
        self._places = {name: _place(plan, name) for name in [*plan.value_fields, *plan.item_slots.by_field]}
        self._places = {name: at for name, at in self._places.items() if at.field >= 0 or at.number >= 0}

    def keeps(self, name: str) -> bool:
        """Whether anything is kept of the field."""
        return name in self._places

    def place(self, name: str) -> FieldPlace:
        """Where it is.

        Raises
        ------
        UnknownField
            If nothing is kept of it.
        """
        place = self._places.get(name)
        if place is None:
            kept = ", ".join(sorted(self._places)) or "none"
            raise UnknownField(
                f"item field `{name[:60]}` is not kept: add it to `recommend.fields` in eddyline.yaml (kept: {kept})"
            )
        return place

    def code(self, place: FieldPlace, value: Any) -> int:
        """Code of a value as it is in an event; -1 where no item has it (or ever had)."""
        spelt = text(value)
        if spelt is None or place.field < 0:
            return -1
        return self._values.codes[place.field].get(spelt, -1)

    def texts(self, name: str, rows: Ints) -> list[list[str]]:
        """Values of items, shape (N,), as text: none where the field is unknown, or the item (row -1)."""
        place = self.place(name)
        by_code = self._values.texts
        found: list[list[str]] = [[] for _ in range(len(rows))]
        if place.field >= 0:
            codes = self._items.values[rows, place.first : place.first + place.width].tolist()
            found = [[by_code[code] for code in of if code >= 0] for of in codes]
        if place.number >= 0:
            numbers = self._items.numbers[rows, place.number].tolist()
            for n, (known, value) in enumerate(zip(found, numbers, strict=True)):
                if not known and not math.isnan(value):
                    found[n] = [text(value) or ""]
        for n in (rows < 0).nonzero()[0].tolist():
            found[n] = []
        return found


def _place(plan: Plan, name: str) -> FieldPlace:
    # A place for numbers knows true and false too, one for true and false no numbers.
    places = [
        slot.place
        for encode in (number, boolean)
        for slot in plan.item_slots.by_field.get(name, ())
        if slot.encode is encode and isinstance(slot.place, int)
    ]
    field = plan.value_fields.get(name, -1)
    first = field * plan.width if field >= 0 else -1
    return FieldPlace(field, first, plan.width, places[0] if places else -1)
