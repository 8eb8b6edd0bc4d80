"""Fields of the user and of the request by whose values something is counted: their identities at one event.

Interactions tell no context: they count for that of the last slate, in the log, of the same user (or session, where
there is no user).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from eddyline_features.array_bytes import as_bytes, fill
from eddyline_features.declarations.paths import USER
from eddyline_features.declarations.scopes import OF_CONTEXT
from eddyline_features.field_values import texts
from eddyline_features.identities import identity
from eddyline_features.kernel import Longs, LongTable
from eddyline_features.kinds.kind import Tables
from eddyline_features.plan import Plan
from eddyline_features.reserving import reserved

_identity = lru_cache(8_192)(identity)


def _known(value: Any) -> int:
    """Identity of a value (of a list, that of its first member with one); 0 where it has none."""
    found = texts(value, 1)
    return _identity(found[0]) if found else 0


def _in_a_slot(value: Any) -> float:
    return float(_known(value)) or math.nan


def _nothing_to_read(_: float) -> None:
    return None


class LeftSides:
    """The fields, each once, and what they hold; used while events arrive and when vectors are read."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._by_field: dict[tuple[str, str], int] = {}
        self._user_slots: list[tuple[int, int]] = []
        self._context_fields: list[tuple[int, str]] = []
        """(index, slot or name)."""
        self.held: Longs = np.zeros(0, np.int64)
        """By index: the identity of the value; 0 is unknown. Scratch: see `know`."""

    def __len__(self) -> int:
        return len(self._by_field)

    def index(self, scope: str, field: str) -> int:
        """Index of a field of the user or the context."""
        if (scope, field) not in self._by_field:
            left = self._by_field[scope, field] = len(self._by_field)
            if scope == OF_CONTEXT:
                self._context_fields.append((left, field))
            else:
                self._user_slots.append((left, self._plan.slot(USER, field, _in_a_slot, _nothing_to_read)))
        return self._by_field[scope, field]

    def reserve(self) -> None:
        """All fields are known now."""
        self.held = np.zeros(len(self._by_field), np.int64)
        users = self._plan.view.limits.users
        self._contexts: LongTable = reserved((users, len(self._context_fields)), np.int64)
        """By user: identities of the context of the last slate."""

    def bind(self, tables: Tables) -> None:
        """As `Kind.bind`."""
        self._users = tables.users

    def begin_user(self, row: int) -> None:
        """Their last slate is not known yet."""
        self._contexts[row] = 0

    def know(self, user: int, context: dict[str, Any] | None) -> None:
        """Set `held` to what a user has, and what a context has or the one that the user had last."""
        held = self.held
        numbers = self._users.numbers
        for left, slot in self._user_slots:
            number = float(numbers[user, slot]) if user >= 0 else math.nan
            held[left] = 0 if math.isnan(number) else int(number)
        for k, (left, name) in enumerate(self._context_fields):
            if context is not None:
                held[left] = _known(context.get(name))
            else:
                held[left] = self._contexts[user, k] if user >= 0 else 0

    def keep(self, user: int) -> None:
        """What is held now is the context of a user's last slate."""
        if user >= 0:
            for k, (left, _) in enumerate(self._context_fields):
                self._contexts[user, k] = self.held[left]

    def save(self) -> bytes:
        """The last contexts."""
        return as_bytes(self._contexts[: len(self._users)])

    def load(self, saved: bytes) -> None:
        """Take back what `save` gave."""
        fill(self._contexts[: len(self._users)], saved)

    @property
    def bytes_per_user(self) -> float:
        """What the last contexts take."""
        return 8.0 * len(self._context_fields)
