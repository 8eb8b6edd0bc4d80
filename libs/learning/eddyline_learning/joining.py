"""Slates and interactions to labelled slates, in one pass over the log.

Everything here is decided by the log up to the event at hand: never by when someone looked, nor by how the log was
cut into batches. Memory is bounded by `JoinLimits`; what does not fit trains nothing and is counted.
"""

from __future__ import annotations

import heapq
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from eddyline_contracts.events import InteractionRecorded, SlateServed
from eddyline_contracts.record import Logged
from eddyline_features.learning_settings import Breaker as BreakerSettings
from eddyline_learning.breaker import Breaker, Verdict
from eddyline_learning.labels import RATING, Labelling
from eddyline_learning.pending import PendingSlate, pending_of, people, rated_alone
from eddyline_learning.strays import Stray, Strays
from eddyline_learning.watermarks import TrailingMark

_SLATES_OF_A_PERSON = 100
"""An interaction that names no slate is looked for among so many: a crawler's thousands must not slow the rest."""


@dataclass(frozen=True, kw_only=True)
class JoinLimits:
    """What bounds the memory of the join."""

    pending_impressions: int = 2_000_000
    """Impressions of all slates that wait (sixteen candidates that were not shown count as one); a slate beyond them
    trains nothing."""
    held_impressions: int = 200_000
    """Impressions whose vectors are due before their labels are: these vectors must be kept."""
    strays: int = 50_000
    """Interactions remembered for slates that arrive after them."""
    closed: int = 100_000
    """Ids of slates remembered after they are done, to tell a late interaction from one on an unknown slate."""
    compared_impressions: int = 100_000
    """Impressions whose served vectors are kept until the fold gets there; those of further slates are let go of."""


class Joiner:
    """Reads the log ahead and says, slate by slate, when vectors are due and when an example is complete.

    Parameters
    ----------
    breaker
        When clicks are held to have stalled.
    take_barren
        Whether such a slate is to fall due even though it teaches nothing: whoever measures wants their vectors. No
        example depends on it.

    Attributes
    ----------
    mark
        How far the fold may move.
    due
        Slates whose vectors must be taken before the fold moves on; the taker empties it.
    complete
        Slates that are ripe and due, in the order in which they became so; the reader empties it.
    n_complete, n_positive
        How many there have been since the start of the log, and how many with a positive label.
    breaker
        Whether clicks have stalled.
    slates, interactions
        Counters by outcome; ``used``, ``joined`` and ``alone`` (a rating that teaches without a slate) are the good
        ones. ``claimed`` was ``alone`` before a slate arrived that it is ``joined`` to.
    n_uncompared
        Slates whose served vectors were let go of: too many waited to be compared, or the slate trains nothing since
        its place was passed, is not known, or has no room.
    """

    def __init__(
        self,
        labelling: Labelling,
        window_ms: int,
        limits: JoinLimits | None = None,
        *,
        breaker: BreakerSettings | None = None,
        take_barren: Callable[[PendingSlate], bool] = lambda _: False,
    ) -> None:
        self.mark = TrailingMark(window_ms)
        self.due: list[PendingSlate] = []
        self.complete: list[PendingSlate] = []
        self.n_complete = 0
        self.n_positive = 0
        self.slates: Counter[str] = Counter()
        self.interactions: Counter[str] = Counter()
        self.n_uncompared = 0
        self.breaker = Breaker(breaker or BreakerSettings())
        self._labelling = labelling
        self._window_ms = window_ms
        self._limits = limits or JoinLimits()
        self._take_barren = take_barren
        self._recorded_at = 0
        self._claimed: set[int] = set()
        self._pending: dict[str, PendingSlate] = {}
        self._by_person: dict[tuple[str, str], list[PendingSlate]] = {}
        self._closed: OrderedDict[str, None] = OrderedDict()
        self._strays = Strays(self._limits.strays)
        # Heaps of (when, sequence, slate): the sequence is unique, so slates are never compared.
        self._until_due: list[tuple[int, int, PendingSlate]] = []
        self._until_ripe: list[tuple[int, int, PendingSlate]] = []
        self._pending_impressions = 0
        self._held_impressions = 0
        self._compared_impressions = 0
        self._in_doubt: deque[PendingSlate] = deque()
        self._doubtful_impressions = 0

    @property
    def n_pending(self) -> int:
        """Slates that wait for labels or vectors."""
        return len(self._pending)

    @property
    def oldest_pending(self) -> int | None:
        """Place in the log of the oldest slate that waits; None while none does."""
        # They are in the order in which they came.
        return next((slate.sequence for slate in self._pending.values()), None)

    def pending(self, slate: str) -> PendingSlate | None:
        """A slate that waits for labels or vectors."""
        return self._pending.get(slate)

    def apply(self, logged: Logged) -> None:
        """Move ahead by one event."""
        event = logged.event
        self._recorded_at = logged.recorded_at
        if isinstance(event, SlateServed):
            self._arrive(logged, event)
            self._tick(logged)
        elif isinstance(event, InteractionRecorded):
            # Ripe first: an interaction whose own time makes a slate ripe comes too late for it.
            self._tick(logged)
            self._interact(logged, event)
        else:
            # Only people's own acts tell the time that labels wait for: a catalogue that is imported today, or a
            # promotion during the import of last year's events, must not make those events' slates ripe.
            self.mark.pass_by(logged.sequence)

    def finish(self) -> None:
        """The log has ended, and what waits gets no more labels: seal all of it, and let the fold move to the end.

        For measuring only. Examples that come of it depend on where the log was cut off, so nothing may train on them.
        """
        self.mark.finish()
        self._resolve(stalled=self.breaker.is_open)
        # The breaker is not asked of what was sealed before its time: of course it has few answers yet.
        while self._until_ripe:
            slate = heapq.heappop(self._until_ripe)[2]
            if not slate.dropped:
                self._take_final(slate)
                self._resolve(stalled=self.breaker.is_open)
        self._fall_due()

    def _arrive(self, logged: Logged, event: SlateServed) -> None:
        slate = pending_of(logged, event)
        if slate.blind:
            self._refuse(slate, "blind")
        elif slate.features_sequence >= slate.sequence:
            self._refuse(slate, "from_the_future")
        elif slate.features_sequence < self.mark.sequence:
            # Whether our own fold stands there yet does not matter: read in smaller steps, it would be past it.
            self._refuse(slate, "late")
        elif self._pending_impressions + slate.room > self._limits.pending_impressions:
            self._refuse(slate, "no_room")
        else:
            strays = self._strays.of(slate)
            if any(self._seen_by_features(stray, slate) for stray in strays):
                self._refuse(slate, "clicked_before")
                return
            self._await(slate)
            for stray in strays:
                if not stray.joined and stray.sequence > slate.features_sequence:
                    stray.joined = self._join(slate, stray.occurred_at, stray.interaction) == "joined"
                    self.interactions["joined"] += stray.joined
                    if stray.joined and stray.alone:
                        # In time: the place of the slate, which is before the rating's, has not been passed yet.
                        self._claimed.add(stray.sequence)
                        self.interactions["claimed"] += 1

    @staticmethod
    def _seen_by_features(stray: Stray, slate: PendingSlate) -> bool:
        """Whether the state that the slate is ranked by knows an interaction which may be an answer to it."""
        if stray.sequence > slate.features_sequence:
            return False
        # What was in the log when the ranker ranked cannot be an answer, unless it claims to be.
        return not slate.served_by_us or stray.interaction.slate == slate.id

    def _await(self, slate: PendingSlate) -> None:
        self._pending[slate.id] = slate
        self._pending_impressions += slate.room
        if slate.served_vectors is not None:
            if self._compared_impressions + len(slate.candidates) > self._limits.compared_impressions:
                slate.served_vectors = None
                self.n_uncompared += 1
            else:
                self._compared_impressions += len(slate.candidates)
        for key in slate.people:
            of_person = self._by_person.setdefault(key, [])
            of_person.append(slate)
            if len(of_person) > _SLATES_OF_A_PERSON:
                del of_person[0]
        heapq.heappush(self._until_due, (slate.features_sequence, slate.sequence, slate))
        ripe_at = slate.occurred_at + self._window_ms
        if self.mark.clock >= ripe_at:
            # It came when its window was over: its interactions may be on their way as well, and get as long again.
            # By the events' clock, not by the recording's: an import of history records a year within a minute.
            ripe_at = self.mark.clock + self._window_ms
        heapq.heappush(self._until_ripe, (ripe_at, slate.sequence, slate))

    def _tick(self, logged: Logged) -> None:
        moved = self.mark.advance(logged.sequence, logged.occurred_at)
        self._ripen()
        if moved:
            self._fall_due()

    def _ripen(self) -> None:
        while self._until_ripe and self._until_ripe[0][0] <= self.mark.clock:
            self._seal(heapq.heappop(self._until_ripe)[2])

    def _seal(self, slate: PendingSlate) -> None:
        if slate.dropped:
            return
        self._take_final(slate)
        verdict = self.breaker.observe(answered=bool(slate.labels))
        if verdict is not Verdict.IN_DOUBT:
            self._resolve(stalled=verdict is Verdict.STALLED)
        while self._doubtful_impressions > self._limits.held_impressions:
            # Where answers are so rare that the silence between them does not fit, the oldest are taken as they are.
            self._resolve_one(stalled=self.breaker.is_open)

    def _take_final(self, slate: PendingSlate) -> None:
        """The labels of the slate do not change any more; the breaker has not had its say yet."""
        slate.sealed = True
        if slate.due:
            self._held_impressions -= slate.n_impressions
        slate.barren = not self._labelling.teaches(slate)
        if slate.barren:
            self._forget(slate)
        self._in_doubt.append(slate)
        self._doubtful_impressions += slate.n_impressions

    def _resolve(self, *, stalled: bool) -> None:
        while self._in_doubt:
            self._resolve_one(stalled=stalled)

    def _resolve_one(self, *, stalled: bool) -> None:
        """The oldest slate in doubt is in doubt no more."""
        slate = self._in_doubt.popleft()
        self._doubtful_impressions -= slate.n_impressions
        slate.cleared, slate.stalled = not stalled, stalled
        if stalled or slate.barren:
            if not slate.barren:
                self._forget(slate)
            self.slates["stalled" if stalled else "nothing_to_learn"] += 1
            # What was served is compared whatever came of it.
            slate.dropped = slate.served_vectors is None and not self._take_barren(slate)
        elif slate.due:
            self._complete(slate)

    def _fall_due(self) -> None:
        while self._until_due and self._until_due[0][0] < self.mark.sequence:
            slate = heapq.heappop(self._until_due)[2]
            if slate.served_vectors is not None:
                self._compared_impressions -= len(slate.candidates)
            if slate.dropped:
                continue
            if slate.alone and slate.sequence in self._claimed:
                self._claimed.remove(slate.sequence)
                self._pending_impressions -= 1
                continue
            if not slate.sealed:
                if self._held_impressions + slate.n_impressions > self._limits.held_impressions:
                    self._drop(slate, "not_held")
                    continue
                self._held_impressions += slate.n_impressions
            slate.due = True
            self.due.append(slate)
            if slate.cleared and not slate.barren:
                self._complete(slate)

    def _interact(self, logged: Logged, event: InteractionRecorded) -> None:
        if not self._labelling.counts(event):
            self.interactions["no_meaning"] += 1
            return
        joined, kept = False, True
        if event.slate is not None:
            named = self._pending.get(event.slate)
            if named is not None:
                outcome, kept = self._join(named, logged.occurred_at, event), False
                joined = outcome == "joined"
            elif event.slate in self._closed:
                outcome, kept = "slate_closed", False
            else:
                outcome = "unknown_slate"
        else:
            newest = self._newest_that_showed(event, logged.occurred_at)
            joined = newest is not None
            outcome = "no_slate" if newest is None else self._join(newest, logged.occurred_at, event)
        if not joined and self._labelling.stands_alone(event):
            outcome = self._stand_alone(logged, event)
        if kept:
            self._strays.keep(logged, event, joined=joined, alone=outcome == "alone")
        self.interactions[outcome] += 1

    def _stand_alone(self, logged: Logged, event: InteractionRecorded) -> str:
        """Let a rating that no slate has be an example by itself, ranked just before it."""
        if self._pending_impressions >= self._limits.pending_impressions:
            return "no_room"
        slate = rated_alone(logged, event)
        self._labelling.add(slate, event)
        slate.labelled_at = self._recorded_at
        self._pending_impressions += 1
        heapq.heappush(self._until_due, (slate.features_sequence, slate.sequence, slate))
        return "alone"

    def _join(self, slate: PendingSlate, occurred_at: int, event: InteractionRecorded) -> str:
        if event.item not in slate.places:
            return "not_in_slate"
        if slate.sealed:
            return "slate_closed"
        if occurred_at >= slate.occurred_at + self._window_ms:
            return "outside_window"
        self._labelling.add(slate, event)
        slate.labelled_at = self._recorded_at
        return "joined"

    def _newest_that_showed(self, event: InteractionRecorded, occurred_at: int) -> PendingSlate | None:
        found = [
            slate
            for key in people(event.user, event.session)
            for slate in self._by_person.get(key, ())
            if event.item in slate.places
            and not slate.sealed
            and slate.occurred_at <= occurred_at < slate.occurred_at + self._window_ms
        ]
        return max(found, key=lambda slate: (slate.occurred_at, slate.sequence), default=None)

    def _complete(self, slate: PendingSlate) -> None:
        self._forget(slate)
        self.slates["used"] += not slate.alone
        self.n_complete += 1
        # A bad rating teaches as much as a good one.
        if self._labelling.objective == RATING or any(label > 0 for label in slate.labels.values()):
            self.n_positive += 1
        self.complete.append(slate)

    def _drop(self, slate: PendingSlate, reason: str) -> None:
        slate.dropped = True
        self.n_uncompared += slate.served_vectors is not None
        self._forget(slate)
        self.slates[reason] += 1

    def _forget(self, slate: PendingSlate) -> None:
        self._pending_impressions -= slate.room
        if slate.alone:
            return
        del self._pending[slate.id]
        for key in slate.people:
            of_person = self._by_person[key]
            if slate in of_person:
                of_person.remove(slate)
            if not of_person:
                del self._by_person[key]
        self._close(slate.id)

    def _refuse(self, slate: PendingSlate, reason: str) -> None:
        self.slates[reason] += 1
        self.n_uncompared += slate.served_vectors is not None
        self._close(slate.id)

    def _close(self, slate_id: str) -> None:
        self._closed[slate_id] = None
        if len(self._closed) > self._limits.closed:
            self._closed.popitem(last=False)
