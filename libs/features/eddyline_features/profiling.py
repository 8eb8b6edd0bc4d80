"""What a log holds, seen once and in bounded memory: who, what, how often, how late, and which fields.

Counts beyond a few thousand distinct things are estimates (`DistinctSample`); everything depends on the events alone.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import Any

from eddyline_contracts.events import InteractionRecorded, ItemUpserted, SlateServed, UserUpserted
from eddyline_contracts.record import Logged
from eddyline_features.declarations.paths import CONTEXT, ITEM, SLATE, USER
from eddyline_features.delays import Delays
from eddyline_features.field_profile import FieldProfile
from eddyline_features.sampling import DistinctSample
from eddyline_features.tempo import Tempo

_MAX_FIELDS = 500
_MAX_ACTIONS = 1_000
_OPEN_SLATES = 20_000
_REMEMBERED = 200_000


class ActionProfile:
    """One action: how often, and with which values."""

    def __init__(self) -> None:
        self.n = 0
        self.values = DistinctSample(64)
        self.least = float("inf")
        self.most = float("-inf")

    def add(self, value: float) -> None:
        """Count one interaction."""
        self.n += 1
        self.values.add(repr(value))
        self.least, self.most = min(self.least, value), max(self.most, value)


class Profile:
    """Takes events one by one, in the order of the log."""

    def __init__(self) -> None:
        self.n_events = 0
        self.n_slates = 0
        self.n_impressions = 0
        self.n_interactions = 0
        self.n_in_slates = 0
        """Interactions that were found in a slate, the named one or the person's newest."""
        self.n_repeats = 0
        """Interactions with an item by somebody who had acted on it before."""
        self.n_told_apart = 0
        """Slates and interactions whose session is another word than their user."""
        self.n_other_actions = 0
        """Interactions with an action beyond the first thousand."""
        self.n_other_fields = 0
        """Values of fields beyond the first five hundred."""
        self.first_at: int | None = None
        self.last_at: int | None = None
        self.items = DistinctSample()
        self.users = DistinctSample()
        """People: a missing user is the session."""
        self.sessions = DistinctSample()
        self.slates_of_user = DistinctSample()
        self.acts_of_user = DistinctSample()
        self.slate_sizes = Counter[int]()
        self.clicked = DistinctSample(_OPEN_SLATES)
        """Slates with an interaction."""
        self.actions: dict[str, ActionProfile] = {}
        self.fields: dict[tuple[str, str], FieldProfile] = {}
        """By scope and name, in the order of appearance."""
        self.delays = Delays()
        """From a slate to its interactions."""
        self.tempo = Tempo()
        self._slates: OrderedDict[str, tuple[int, list[str]]] = OrderedDict()
        self._newest: OrderedDict[str, str] = OrderedDict()
        self._acted: OrderedDict[tuple[str, str], None] = OrderedDict()

    @property
    def span_ms(self) -> int:
        """From the first slate or interaction to the last."""
        return 0 if self.first_at is None or self.last_at is None else self.last_at - self.first_at

    def add(self, logged: Logged) -> None:
        """See one more event."""
        self.n_events += 1
        event, at = logged.event, logged.occurred_at
        if isinstance(event, SlateServed):
            self._slate(logged.id, event, at)
        elif isinstance(event, InteractionRecorded):
            self._interaction(event, at)
        elif isinstance(event, ItemUpserted):
            self.items.add(event.item, 0, at)
            self._see(ITEM, event.fields)
        elif isinstance(event, UserUpserted):
            self.users.add(event.user, 0)
            self._see(USER, event.fields)

    def _slate(self, id: str, event: SlateServed, at: int) -> None:
        self._clock(at)
        person = self._person(event.user, event.session)
        items = [shown.item for shown in event.items]
        self.n_slates += 1
        self.n_impressions += len(items)
        self.slate_sizes[len(items)] += 1
        self.slates_of_user.add(person)
        for shown in event.items:
            self.items.add(shown.item, 1, at)
            if shown.fields:
                self._see(SLATE, shown.fields)
        self._see(CONTEXT, event.context)
        self._slates[id] = (at, items)
        _bound(self._slates, _OPEN_SLATES)
        self._newest[person] = id
        self._newest.move_to_end(person)
        _bound(self._newest, _OPEN_SLATES)
        self.tempo.show(items, at)

    def _interaction(self, event: InteractionRecorded, at: int) -> None:
        self._clock(at)
        person = self._person(event.user, event.session)
        self.n_interactions += 1
        self.acts_of_user.add(person)
        self.items.add(event.item, 0, at)
        action = self.actions.get(event.action)
        if action is None and len(self.actions) < _MAX_ACTIONS:
            action = self.actions[event.action] = ActionProfile()
        if action is None:
            self.n_other_actions += 1
        else:
            action.add(event.value)
        slate_id = event.slate if event.slate is not None else self._newest.get(person, "")
        shown_at, items = self._slates.get(slate_id, (0, []))
        beside = items if event.item in items else None
        if beside is not None:
            self.n_in_slates += 1
            self.clicked.add(slate_id)
            self.delays.add(at - shown_at)
        key = (person, event.item)
        repeated = key in self._acted
        self.n_repeats += repeated
        self._acted[key] = None
        self._acted.move_to_end(key)
        _bound(self._acted, _REMEMBERED)
        self.tempo.act(event.item, at, beside, predict=not repeated)

    def _clock(self, at: int) -> None:
        self.first_at = at if self.first_at is None else min(self.first_at, at)
        self.last_at = at if self.last_at is None else max(self.last_at, at)

    def _person(self, user: str | None, session: str | None) -> str:
        person = user if user is not None else session or ""
        self.users.add(person)
        if session is not None:
            self.sessions.add(session)
            self.n_told_apart += user is not None and session != user
        return person

    def _see(self, scope: str, fields: Mapping[str, Any]) -> None:
        for name, value in fields.items():
            key = (scope, name)
            field = self.fields.get(key)
            if field is None:
                if len(self.fields) >= _MAX_FIELDS:
                    self.n_other_fields += 1
                    continue
                field = self.fields[key] = FieldProfile()
            field.add(value)


def _bound(remembered: OrderedDict[Any, Any], most: int) -> None:
    if len(remembered) > most:
        remembered.popitem(last=False)
