"""What the state knows of one item or user, in words and numbers for people and for the API; and what it weighs."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from eddyline_features import decay, rings
from eddyline_features.durations import spell
from eddyline_features.entities import FIRST_SEEN, GENERATION, LAST_SEEN, REMOVED, People, Table
from eddyline_features.kernel import Floats
from eddyline_features.plan import Counters, Slots

if TYPE_CHECKING:
    from eddyline_features.state import State


def item(state: State, name: str) -> dict[str, Any] | None:
    """Fields that features use, counts as of the state's clock, and when it was seen."""
    row = state.items.rows.get(name)
    if row is None:
        return None
    fields = _numbers(state.plan.item_slots, state.items.numbers[row])
    width = state.plan.width
    for field, index in state.plan.value_fields.items():
        codes = state.items.values[row, index * width : (index + 1) * width]
        found = [state.values.texts[code] for code in codes.tolist() if code >= 0]
        if found:
            fields[field] = found
    return {
        "item": name,
        "fields": fields,
        "counts": _counts(state, state.plan.counters, state.items.counters[row], state.half_life_of),
        "prior": float(state.priors([name], state.clock)[0]),
        "removed": bool(state.items.meta[row, REMOVED]),
        **_seen(state.items, row),
    }


def user(state: State, name: str) -> dict[str, Any] | None:
    """Fields that features use, counts as of the state's clock, the newest interactions, and when they were seen."""
    row = state.users.rows.get(name)
    if row is None:
        return None
    people = state.users
    acted, shown = _recent(state, people, row)
    return {
        "user": name,
        "fields": _numbers(state.plan.user_slots, people.numbers[row]),
        "counts": _counts(state, state.plan.people_counters, people.counters[row], state.people_half_life_of),
        "acted": acted,
        "shown": shown,
        **_seen(people, row),
    }


def _seen(table: Table, row: int) -> dict[str, int]:
    return {"first_seen": int(table.meta[row, FIRST_SEEN]), "last_seen": int(table.meta[row, LAST_SEEN])}


def _numbers(slots: Slots, numbers: Floats) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field, places in slots.by_field.items():
        held = [(slot.decode, numbers[slot.place].tolist()) for slot in places]
        told = [decode(value) for decode, value in held if isinstance(value, list) or not math.isnan(value)]
        told = [value for value in told if value is not None]
        if told:
            found[field] = told[0] if len(told) == 1 else told
    return found


def _counts(state: State, counters: Counters, values: Floats, half_life_of: Any) -> dict[str, float]:
    factors: Floats = np.zeros(len(state.half_lives))
    decay.factors(state.clock, state.half_lives, state.landmarks, factors)
    return {
        f"{what}_{spell(half_life)}": float(values[c] * factors[half_life_of[c]])
        for c, (what, half_life) in enumerate(counters.names())
    }


def _recent(state: State, people: People, row: int) -> tuple[list[dict[str, Any]], int]:
    """Interactions of the ring, the newest first, and how many impressions its other ring holds."""
    ring = people.rings[row].tolist()
    n_acted = state.view.limits.acted
    actions = list(state.view.actions)
    n = ring[0]
    acted = []
    for back in range(min(n, n_acted)):
        place = rings.HEAD + 2 * ((n - 1 - back) % n_acted)
        key, at = ring[place], ring[place + 1]
        known = (key >> 8) & 0xFFFFFF
        if state.items.meta[known, GENERATION] == key >> 32:
            acted.append(
                {"item": state.items.ids[known], "action": actions[(key & 0xFF) - 1], "occurred_at": at}
            )
    return acted, min(ring[1], state.view.limits.shown)


def memory(state: State) -> dict[str, float]:
    """Bytes that one more of each takes, with an id of 36 characters."""
    an_id = sys.getsizeof("x" * 36) + 8 + _LRU_ENTRY
    items, users, sessions, values = state.items, state.users, state.sessions, state.values
    per_item = 8 + sum(a.strides[0] for a in (items.meta, items.numbers, items.values, items.counters))
    per_user, per_session = (
        sum(a.strides[0] for a in (people.meta, people.numbers, people.counters, people.rings))
        for people in (users, sessions)
    )
    sizes: dict[str, float] = {
        "item": per_item + an_id,
        "user": per_user + an_id,
        "session": per_session + an_id,
        "value": values.counters.strides[0] + sys.getsizeof("x" * 16) + _LRU_ENTRY,
    }
    for kind in state.columns.kinds:
        for what, size in kind.sizes().items():
            sizes[what] = sizes.get(what, 0.0) + size
    return sizes


_LRU_ENTRY = 190
"""About what an `OrderedDict` takes for an entry, its number included."""
