"""The same condition with fewer passes over all items: many values of a field are looked for at once.

What programs write is often ``or`` of a hundred values of one field, or ``and`` of as many that it must not have. One
``in`` says as much, and takes a hundredth of the time.
"""

from __future__ import annotations

from collections.abc import Iterable

from eddyline_features.filters.conditions import Condition, Every, Not, OneOf, Some


def shortened(condition: Condition) -> Condition:
    """True of the same items."""
    if isinstance(condition, Not):
        return Not(shortened(condition.part))
    if isinstance(condition, Some):
        parts = [shortened(part) for part in condition.parts]
        wanted = _by_field(part for part in parts if isinstance(part, OneOf))
        return _one(Some, [*wanted, *(part for part in parts if not isinstance(part, OneOf))])
    if isinstance(condition, Every):
        parts = [shortened(part) for part in condition.parts]
        refused = _by_field(
            part.part for part in parts if isinstance(part, Not) and isinstance(part.part, OneOf)
        )
        rest = [part for part in parts if not (isinstance(part, Not) and isinstance(part.part, OneOf))]
        return _one(Every, [*rest, *map(Not, refused)])
    return condition


def _by_field(leaves: Iterable[OneOf]) -> list[OneOf]:
    """One of each field, with the values of all."""
    found: dict[str, OneOf] = {}
    for leaf in leaves:
        known = found.get(leaf.field)
        found[leaf.field] = leaf if known is None else OneOf(known.at, leaf.field, known.values + leaf.values)
    return list(found.values())


def _one(kind: type[Some | Every], parts: list[Condition]) -> Condition:
    return parts[0] if len(parts) == 1 else kind(tuple(parts))
