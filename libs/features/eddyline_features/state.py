"""The fold: state moves forward by one event of the log at a time, and vectors are read from it.

The same code serves and trains, so that what a booster learnt from is what it is asked about. State and vectors are
functions of the log and the view: equal to the bit, however events were batched and whatever was read between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from eddyline_contracts.events import (
    InteractionRecorded,
    ItemEmbedded,
    ItemUpserted,
    SlateServed,
    UserUpserted,
)
from eddyline_contracts.record import Logged
from eddyline_features import decay, describe, rings, snapshot
from eddyline_features.columns import Choosing, Columns
from eddyline_features.entities import REMOVED, Items, People
from eddyline_features.field_values import MOST_VALUE, bounded_value, is_exact_number, texts
from eddyline_features.item_fields import ItemFields
from eddyline_features.item_vectors import ItemVectors
from eddyline_features.kernel import Floats, FloatTable, Ints, Longs, Octets, Singles, SingleTable
from eddyline_features.kinds.kind import Acted, Shown, Tables
from eddyline_features.kinds.rates import MOST, rates_of_items
from eddyline_features.kinds.uncertainties import relative_deviations
from eddyline_features.plan import Plan
from eddyline_features.reading import Reading
from eddyline_features.retrieval.because import Because
from eddyline_features.retrieval.found import Found
from eddyline_features.snapshot import SnapshotError
from eddyline_features.values import Values
from eddyline_features.view import View

__all__ = ["NoRetrieval", "OutOfOrder", "SnapshotError", "State"]


_ACTS = (SlateServed, InteractionRecorded)
"""What people see and do: the events that counters and rings hold, and that tell the time."""


class OutOfOrder(ValueError):
    """An event with a place that the fold has passed: the log must be followed from `State.sequence` on."""


class NoRetrieval(ValueError):
    """The view does not say how candidates are chosen, so nothing is kept for it."""


class Keep(NamedTuple):
    """Keeps what users, or sessions, see and do."""

    shown: Callable[[int, int, Ints], None]
    acted: Callable[[int, int, int, int], None]
    tally: Callable[[int, int, int, int, float], None]


def _no_count(at: int, action: int, times: int, row: int, value: float) -> None:
    """No feature asks for it."""


class State:
    """All that is known of items, users and sessions at one place in the log.

    For one thread: reads share scratch arrays.
    """

    def __init__(self, view: View) -> None:
        self.view = view
        self.sequence = 0
        """Place of the newest event that is part of the state."""
        self.clock = 0
        """Newest fold time, in ms since the Unix epoch. Only slates and interactions move it: a promotion, or a
        catalogue without times, that is recorded today while last year's slates are imported would put all of them
        into the distant past."""
        self.plan = plan = Plan(view)
        limits = view.limits
        everything = tuple(view.actions)
        prior = [
            plan.counters.column(everything, view.prior.half_life_ms),
            plan.counters.column(("impression",), view.prior.half_life_ms),
        ]
        self._prior_plan = np.array([[0, *prior]], np.int32)
        self._prior_strength = np.array([view.prior.strength])
        self._prior_most = np.array([MOST])
        self._prior_ttl: Longs = np.zeros(1, np.int64)
        self.columns = Columns(plan)
        self.items = Items(
            limits.items,
            n_numbers=plan.item_slots.n,
            n_values=len(plan.value_fields) * plan.width,
            n_counters=plan.counters.n,
        )
        self.users = self._people(limits.users, plan.user_slots.n)
        self.sessions = self._people(limits.sessions if plan.sessions else 1, 0)
        self.values = Values(limits.values, n_fields=len(plan.value_fields), n_counters=plan.counters.n)
        self.fields = ItemFields(plan, self.items, self.values)
        self.overall: FloatTable = np.zeros((1, plan.counters.n))
        self.half_lives: Longs = plan.half_lives()
        self.landmarks: Longs = np.zeros(len(self.half_lives), np.int64)
        self._amounts = plan.counters.amounts()
        self._valued = plan.counters.valued()
        self.half_life_of = plan.counters.half_life_of()
        self._people_amounts = plan.people_counters.amounts()
        self._people_valued = plan.people_counters.valued()
        self.people_half_life_of = plan.people_counters.half_life_of()
        self._n_counted = plan.n_counted_fields * plan.width
        self._adds: Floats = np.zeros(plan.counters.n)
        self._factors: Floats = np.zeros(len(self.half_lives))
        self._one: Ints = np.zeros(1, np.int32)
        self.marks: Ints = np.array([0, *(int(a.weight > 0.0) for a in view.actions.values())], np.int32)
        any_value = (-MOST_VALUE, MOST_VALUE)
        ranges = [action.values or any_value for action in view.actions.values()]
        # By action; one that counts for nothing, -1, is the last.
        self._ranges = [any_value, *ranges, any_value]
        self._place = 0
        self._online = self.columns.online
        self._choosing = self.columns.choosing
        self.content: ItemVectors | None = self.columns.content
        """Vectors of items' texts; None where the view does not ask for any."""
        self._bind()

    def _bind(self) -> None:
        columns = self.columns
        tables = Tables(
            self.items, self.values, self.users, self.sessions, self.overall, self.half_lives, self.landmarks
        )
        for kind in columns.kinds:
            kind.bind(tables)
        items, values = self.items, self.values
        self._needs_move = decay.needs_move.bind(half_lives=self.half_lives, landmarks=self.landmarks)
        self._count = decay.tally.bind(
            half_lives=self.half_lives,
            landmarks=self.landmarks,
            half_life_of=self.half_life_of,
            amounts=self._amounts,
            adds=self._adds,
            items=items.counters,
            meta=items.meta,
            values=values.counters,
            value_seen=values.seen,
            overall=self.overall,
            item_values=items.values,
            n_counted=self._n_counted,
            valued=self._valued,
        )
        self.of_users, self.of_sessions = self._keep(self.users), self._keep(self.sessions)
        self.items.on_begin += [kind.begin_item for kind in columns.that("begin_item")]
        self.users.on_begin += [kind.begin_user for kind in columns.that("begin_user")]
        self.sessions.on_begin += [kind.begin_session for kind in columns.that("begin_session")]
        self.values.on_begin += [kind.begin_value for kind in columns.that("begin_value")]
        self._before_item = [kind.before_item for kind in columns.that("before_item")]
        self._after_item = [kind.after_item for kind in columns.that("after_item")]
        self._after_user = [kind.after_user for kind in columns.that("after_user")]
        self._on_embedded = [kind.embedded for kind in columns.that("embedded")]
        self._on_slate = [kind.slate for kind in columns.that("slate")]
        self._on_interaction = [kind.interaction for kind in columns.that("interaction")]
        self._on_rescale = [kind.rescale for kind in columns.that("rescale")]

    def _people(self, limit: int, n_numbers: int) -> People:
        limits, plan = self.view.limits, self.plan
        return People(
            limit,
            n_numbers=n_numbers,
            n_counters=plan.people_counters.n,
            n_acted=limits.acted,
            n_shown=limits.shown,
        )

    def _keep(self, people: People) -> Keep:
        limits = self.view.limits
        told = {
            "rings": people.rings,
            "meta": people.meta,
            "n_acted": limits.acted,
            "n_shown": limits.shown,
            "items_meta": self.items.meta,
            "marks": self.marks,
        }
        count = decay.tally_person.bind(
            half_lives=self.half_lives,
            landmarks=self.landmarks,
            half_life_of=self.people_half_life_of,
            amounts=self._people_amounts,
            counters=people.counters,
            valued=self._people_valued,
        )
        return Keep(
            rings.push_shown.bind(**told),
            rings.push_acted.bind(**told),
            count if self.plan.people_counters.n else _no_count,
        )

    def __del__(self) -> None:
        # Tables call kinds, and kinds know tables: hundreds of megabytes that would wait for the collector.
        for name in ("items", "users", "sessions", "values"):
            if hasattr(self, name):
                getattr(self, name).on_begin.clear()

    # Moving forward ----------------------------------------------------------------------------------------

    def apply(self, logged: Logged) -> None:
        """Move forward by one event. Events that are none of the fold's business only move the place.

        Raises
        ------
        OutOfOrder
            If its place is not after `sequence`.
        """
        if logged.sequence <= self.sequence:
            raise OutOfOrder(f"event {logged.sequence} after {self.sequence}: follow the log from there on")
        event, at = logged.event, logged.occurred_at
        fold = _FOLDS.get(type(event))
        if fold is not None:
            if at > self.clock and isinstance(event, _ACTS):
                self.clock = at
                if self._needs_move(at):
                    self._move_landmarks(at)
            self._place = logged.sequence
            fold(self, event, at)
        self.sequence = logged.sequence

    def apply_all(self, events: Iterable[Logged]) -> None:
        """`apply` each."""
        apply = self.apply
        for logged in events:
            apply(logged)

    def advance(self, sequence: int) -> None:
        """The log has moved on to ``sequence`` without an event for us (duplicates, refusals)."""
        if sequence < self.sequence:
            raise OutOfOrder(f"place {sequence} after {self.sequence}: follow the log from there on")
        self.sequence = sequence

    def _move_landmarks(self, at: int) -> None:
        shrink: Floats = np.ones(len(self.half_lives))
        decay.move_landmarks(at, self.half_lives, self.landmarks, shrink)
        decay.rescale(self.overall, self.half_life_of, shrink)
        decay.rescale(self.items.counters[: len(self.items)], self.half_life_of, shrink)
        decay.rescale(self.values.counters[: len(self.values)], self.half_life_of, shrink)
        for people in (self.users, self.sessions):
            decay.rescale(people.counters[: len(people)], self.people_half_life_of, shrink)
        for rescale in self._on_rescale:
            rescale(shrink)

    def _item(self, event: ItemUpserted, at: int) -> None:
        row = self._item_row(event.item, at)
        meta, items = self.items.meta, self.items
        for before in self._before_item:
            before(row)
        meta[row, 0] = max(at, meta[row, 0])
        meta[row, REMOVED] = event.removed
        if event.removed:
            # Counts stay: an item that comes back continues where it was.
            items.numbers[row] = np.nan
            self._put_values(row, 0, len(items.values[row]), [])
        else:
            self._put_fields(row, event.fields)
        for after in self._after_item:
            after(row, event, at)

    def _put_fields(self, row: int, given: dict[str, Any]) -> None:
        plan = self.plan
        slots, fields, width, apart = (
            plan.item_slots.by_field,
            plan.value_fields,
            plan.width,
            plan.numbers_apart,
        )
        for name, value in given.items():
            for slot in slots.get(name, ()):
                self.items.numbers[row, slot.place] = slot.encode(value)
            field = fields.get(name)
            if field is not None:
                spelt = [] if name in apart and is_exact_number(value) else texts(value, width)
                self._put_values(row, field * width, width, [(field, t) for t in spelt])

    def _put_values(self, row: int, first: int, width: int, new: list[tuple[int, str]]) -> None:
        # New ones are taken before old ones are let go, so that a value which stays is never unused between.
        places = self.items.values[row, first : first + width]
        codes = [code for field, text in new if (code := self.values.use(field, text)) >= 0]
        for code in places.tolist():
            if code >= 0:
                self.values.release(code)
        places[: len(codes)] = codes
        places[len(codes) :] = -1

    def _user(self, event: UserUpserted, at: int) -> None:
        row = self.users.touch(event.user, at)
        meta = self.users.meta
        meta[row, 0] = max(at, meta[row, 0])
        slots = self.plan.user_slots.by_field
        for name, value in event.fields.items():
            for slot in slots.get(name, ()):
                self.users.numbers[row, slot.place] = slot.encode(value)
        for after in self._after_user:
            after(row, event, at)

    def _embedded(self, event: ItemEmbedded, at: int) -> None:
        # Whoever was forgotten stays so: an encoder that reads old items again says nothing about who is about.
        row = self.items.rows.get(event.item)
        if row is not None:
            for tell in self._on_embedded:
                tell(row, event)

    def _slate(self, event: SlateServed, at: int) -> None:
        touch = self._item_row
        rows = np.array([touch(item.item, at) for item in event.items], np.int32)
        user, session = self._people_of(event, at)
        if self._on_slate:
            shown = Shown(event, self._place, at, self.clock, rows, user, session)
            for tell in self._on_slate:
                tell(shown)
        self._count(at, 0, rows, 1.0)
        for keep, row in ((self.of_users, user), (self.of_sessions, session)):
            if row < 0:
                continue
            keep.shown(at, row, rows)
            keep.tally(at, 0, len(rows), row, 1.0)

    def _interaction(self, event: InteractionRecorded, at: int) -> None:
        row = self._item_row(event.item, at)
        action = self.plan.actions.get(event.action, -1)
        user, session = self._people_of(event, at)
        least, most = self._ranges[action]
        value = min(max(bounded_value(event.value), least), most)
        if self._on_interaction:
            acted = Acted(event, self._place, at, self.clock, row, action, user, session, value)
            for tell in self._on_interaction:
                tell(acted)
        rows = self._one
        rows[0] = row
        if action >= 0:
            self._count(at, action, rows, value)
        for keep, person in ((self.of_users, user), (self.of_sessions, session)):
            if person < 0:
                continue
            keep.acted(at, person, row, action)
            if action >= 0:
                keep.tally(at, action, 1, person, value)

    def _item_row(self, item: str, at: int) -> int:
        items = self.items
        row = items.touch(item, at)
        if items.released:
            for code in items.released:
                self.values.release(code)
            items.released.clear()
        return row

    def _people_of(self, event: SlateServed | InteractionRecorded, at: int) -> tuple[int, int]:
        """Rows of an event's user (a missing one is the session) and, where they matter, its session; -1 is none."""
        user, session = event.user, event.session
        key = session if user is None else user
        return (
            -1 if key is None else self.users.touch(key, at),
            self.sessions.touch(session, at) if session is not None and self.plan.sessions else -1,
        )

    # Reading: changes no byte ------------------------------------------------------------------------------

    def time_of(self, at: int | None, now: int) -> int:
        """The time of a request, in ms: its own where it has one, else ``now``; never before the newest event."""
        return max(now if at is None else at, self.clock)

    def vectors(
        self,
        user: str | None,
        session: str | None,
        items: Sequence[str],
        item_fields: list[dict[str, Any]] | None,
        context: dict[str, Any],
        at: int,
    ) -> SingleTable:
        """What a booster sees of the candidates.

        Parameters
        ----------
        items
            The candidates, N of them.
        item_fields
            Fields of each candidate in this request only; N of them, or none.
        at
            ms since the Unix epoch, from `time_of`.

        Returns
        -------
        vectors
            shape (N, F), float32; columns as `View.columns`; NaN where unknown.
        """
        at = max(at, self.clock)
        key = session if user is None else user
        decay.factors(at, self.half_lives, self.landmarks, self._factors)
        return self.columns.read(
            Reading(
                items=self.items,
                values=self.values,
                users=self.users,
                sessions=self.sessions,
                overall=self.overall,
                rows=self._rows_of(items),
                user=-1 if key is None else self.users.rows.get(key, -1),
                session=-1 if session is None else self.sessions.rows.get(session, -1),
                at=at,
                half_life_of=self.half_life_of,
                people_half_life_of=self.people_half_life_of,
                factors=self._factors,
                ids=items,
                who=key,
                item_fields=item_fields,
                context=context,
            )
        )

    @property
    def retrieval(self) -> Choosing:
        """What is kept to choose from the catalogue.

        Raises
        ------
        NoRetrieval
            If the view has no section ``recommend``.
        """
        if self._choosing is None:
            raise NoRetrieval(
                "eddyline.yaml has no section `recommend`, so nothing is kept to choose candidates from: add "
                "`recommend: {}` to it"
            )
        return self._choosing

    def candidates(
        self,
        user: str | None,
        session: str | None,
        context: dict[str, Any],
        at: int,
        n: int,
        *,
        allowed: Octets | None = None,
        exclude: Iterable[str] = (),
    ) -> Found:
        """Choose at most ``n`` items from the whole catalogue: fewer only where fewer may be shown at all.

        None is removed, excluded, not ``allowed`` or seen by this person (as `Recommend.seen` has it), and none is
        there twice.

        Parameters
        ----------
        at
            ms since the Unix epoch, from `time_of`.
        allowed
            By item row, at least as many as there are: 0 where an item must not be shown.
        exclude
            Items that must not be shown; unknown ones do no harm.

        Raises
        ------
        NoRetrieval
            If the view has no section ``recommend``.
        """
        choosing = self.retrieval
        if allowed is not None and len(allowed) < len(self.items):
            raise ValueError(f"{len(self.items)} items, and only {len(allowed)} are allowed or not")
        at = max(at, self.clock)
        key = session if user is None else user
        decay.factors(at, self.half_lives, self.landmarks, self._factors)
        row = -1 if key is None else self.users.rows.get(key, -1)
        return choosing.candidates(row, context, at, n, self._factors, allowed, exclude)

    def because(self, user: str | None, session: str | None, rows: Ints) -> Because:
        """Which of the items that this person acted on lately led to candidates (rows), as things stand now.

        Raises
        ------
        NoRetrieval
            As `candidates`.
        """
        key = session if user is None else user
        return self.retrieval.because(-1 if key is None else self.users.rows.get(key, -1), rows)

    def embeddings(self, rows: Ints) -> SingleTable | None:
        """Vectors of items (rows) to compare them by, shape (N, D), each of length 1, or 0 where nothing is known.

        Of their texts where an encoder has read any, else of the online model; None where there is neither.
        """
        return self.retrieval.embeddings(rows)

    def first_scores(self, user: str | None, session: str | None, items: Sequence[str], at: int) -> Singles:
        """How items are ordered while there is no booster, shape (N,): by the online model, or else by `priors`."""
        rows = self._rows_of(items)
        priors = self._priors(rows, at)
        if self._online is None:
            return priors
        key = session if user is None else user
        return self._online.scores(rows, -1 if key is None else self.users.rows.get(key, -1), priors)

    def priors(self, items: Sequence[str], at: int) -> Singles:
        """How good each item is for anybody, shape (N,): its smoothed rate; unknown ones have the overall rate."""
        return self._priors(self._rows_of(items), at)

    def deviations(self, items: Sequence[str], at: int) -> Singles:
        """How uncertain each item's rate is, shape (N,): the posterior's standard deviation, that of an item which was
        never shown being 1. Rates and what is believed before are those of `priors`."""
        return self.deviations_of(self._rows_of(items), at)

    def deviations_of(self, rows: Ints, at: int) -> Singles:
        """As `deviations`, by rows; -1 is unknown."""
        at = max(at, self.clock)
        decay.factors(at, self.half_lives, self.landmarks, self._factors)
        out: Floats = np.empty(len(rows))
        relative_deviations(
            out,
            rows,
            self.items.counters,
            self.overall,
            self.half_life_of,
            self._factors,
            self._prior_plan[0, 1:],
            float(self._prior_strength[0]),
        )
        return out.astype(np.float32)

    def item_priors(self, at: int) -> tuple[list[str], Singles, float]:
        """Every item that is not removed, its prior, and the prior of any other item."""
        meta = self.items.meta
        known = [(item, row) for item, row in self.items.rows.items() if not meta[row, REMOVED]]
        rows = np.array([row for _, row in known] + [-1], np.int32)
        scores = self._priors(rows, at)
        return [item for item, _ in known], scores[:-1], float(scores[-1])

    def has_item(self, item: str) -> bool:
        """Whether it is known, and was not removed."""
        row = self.items.rows.get(item)
        return row is not None and not self.items.meta[row, REMOVED]

    def _rows_of(self, items: Sequence[str]) -> Ints:
        get = self.items.rows.get
        return np.array([get(item, -1) for item in items], np.int32)

    def _priors(self, rows: Ints, at: int) -> Singles:
        at = max(at, self.clock)
        decay.factors(at, self.half_lives, self.landmarks, self._factors)
        out: FloatTable = np.empty((len(rows), 1))
        rates_of_items(
            out,
            rows,
            self.items.counters,
            self.items.meta,
            self.overall,
            self.half_life_of,
            self._factors,
            at,
            self._prior_plan,
            self._prior_strength,
            self._prior_most,
            self._prior_ttl,
        )
        return out[:, 0].astype(np.float32)

    def item(self, item: str) -> dict[str, Any] | None:
        """What is known of an item, for people to read; None if nothing."""
        return describe.item(self, item)

    def user(self, user: str) -> dict[str, Any] | None:
        """What is known of a user (or of a session that came without one), for people to read; None if nothing."""
        return describe.user(self, user)

    def memory(self) -> dict[str, float]:
        """Bytes that one more item, user, session and field value take, ids included (of 36 characters)."""
        return describe.memory(self)

    # Snapshots ---------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """The state as bytes; equal states give equal bytes."""
        return snapshot.encode(self)

    @classmethod
    def restore(cls, view: View, raw: bytes) -> State:
        """The state that a snapshot was taken of.

        Raises
        ------
        SnapshotError
            If it is of another view or format, or damaged.
        """
        state = cls(view)
        snapshot.decode(state, raw)
        return state


# Not bound to a state: one that knew its own methods would wait for the collector with all of its arrays.
_FOLDS: dict[type, Callable[[State, Any, int], None]] = {
    ItemUpserted: State._item,
    UserUpserted: State._user,
    SlateServed: State._slate,
    InteractionRecorded: State._interaction,
    ItemEmbedded: State._embedded,
}
