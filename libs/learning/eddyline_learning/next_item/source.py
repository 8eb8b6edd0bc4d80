"""A log with a pseudo-slate before each interaction that is to be foreseen: what would have been proposed.

A pseudo-slate is written just before the interaction, and holds nothing that came with or after it. Where retrieval has
missed the item there is none: that is a miss for every order, and teaches nothing. (To put the item in for training is
worse than to learn less: it is the one that nobody knows among those that many do, and always the right one.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import msgspec
import numpy as np

from eddyline_contracts.events import InteractionRecorded, SlateItem, SlateServed, UserUpserted
from eddyline_contracts.record import Logged
from eddyline_features.durations import spell
from eddyline_features.retrieval.candidates import Candidates, Retrieval
from eddyline_features.retrieval.own import Own
from eddyline_features.view import View
from eddyline_learning.cold_start import Acquaintance
from eddyline_learning.judging import at_random
from eddyline_learning.next_item.meetings import WEIGHTS, Meeting, Meetings, ranked
from eddyline_learning.next_item.sync import Sync

N_CANDIDATES = 200
_OF_THE_BEST, _AT_RANDOM = 25, 25
"""Candidates that an example keeps beside the right one: the first of retrieval, and some of the rest."""
_SHARES = ((1, 12), (1, 4), (1, 1), (4, 1), (24, 1), (168, 1))
"""Half-lives of popularity, in half-lives of the view's prior."""
_TOGETHER = 4
"""Half-life of co-visitation, likewise."""
_LEAST_MS, _MOST_MS = 60_000, 10 * 365 * 86_400_000
_VEILED = UserUpserted(id="veiled", user="")


def half_lives_of(view: View) -> list[int]:
    """Of popularity, in ms: around the one that predicts best as far as the view knows."""
    return sorted({_bounded(_best(view) * times // over) for times, over in _SHARES})


def _best(view: View) -> int:
    return view.prior.half_life_ms or 7 * 86_400_000


def _bounded(half_life_ms: int) -> int:
    return min(max(half_life_ms, _LEAST_MS), _MOST_MS)


class Source:
    """Turns events of a log into what a `Learner` reads, and keeps what was to be foreseen.

    Places are doubled: an event at s stands at 2s, and its pseudo-slate just before, at 2s − 1.

    Parameters
    ----------
    repeats
        Whether items that the person has acted on before are candidates, and such interactions are foreseen.
    sync_ms
        What is learnt for retrieval is brought up to date so often; 0 is at every event.
    seed
        Of the random order.
    """

    def __init__(self, view: View, *, repeats: bool, sync_ms: int, seed: int) -> None:
        half_lives = half_lives_of(view)
        self.meetings = Meetings([spell(half_life) for half_life in half_lives])
        self.originals: deque[tuple[int, Logged]] = deque()
        """Place and event as it is in the log, for the fold to take."""
        self.by_slate: dict[str, tuple[Meeting, int, int]] = {}
        """Of each pseudo-slate: the meeting, which of its candidates is right, and the newest place that was learnt."""
        self.unscored: dict[str, int] = {}
        self._gains = {name: action.gain for name, action in view.actions.items()}
        self._repeats, self._seed = repeats, seed
        limits = view.limits
        together = _bounded(_TOGETHER * _best(view))
        self._retrieval = Retrieval(half_lives, together, items=limits.items, most=N_CANDIDATES)
        self._own = Own(limits.users)
        self._sync = Sync(sync_ms)
        self._met = Acquaintance(acts_show=True)
        self._queue: list[tuple[str, list[str], int]] = []
        self._learnt_to = self._read_to = self._clock = 0

    def read(self, events: Sequence[Logged]) -> list[Logged]:
        """The same events as the learner is to read them."""
        told: list[Logged] = []
        for logged in events:
            if self._sync.is_due_before(logged):
                for item, beside, at in self._queue:
                    self._retrieval.learn(item, beside, at)
                self._queue.clear()
                self._learnt_to = self._read_to
            place = 2 * logged.sequence
            self.originals.append((place, logged))
            event = logged.event
            if isinstance(event, InteractionRecorded):
                told += self._interaction(place, logged, event)
            else:
                # A slate that was shown goes into the fold as it is, but what is learnt from here are pseudo-slates.
                veiled = _VEILED if isinstance(event, SlateServed) else event
                told.append(msgspec.structs.replace(logged, sequence=place, event=veiled))
            self._met.add([logged])
            self._read_to = place
        return told

    def _interaction(self, place: int, logged: Logged, event: InteractionRecorded) -> list[Logged]:
        person = event.user if event.user is not None else event.session
        slate: Logged | None = None
        self._clock = max(self._clock, logged.occurred_at)
        if person is None or self._gains.get(event.action, 0.0) <= 0.0:
            self._skip("no_gain")
        else:
            acts = self._own.of(person)
            if event.item in acts.seen and not self._repeats:
                self._skip("repeats")
            else:
                seen = () if self._repeats else acts.seen
                found = self._retrieval.candidates(acts.recent, seen, N_CANDIDATES)
                slate = self._meet(place, logged, event, found)
            self._queue.append((event.item, list(acts.recent), self._clock))
        if person is not None:
            self._own.add(person, event.item)
        told = msgspec.structs.replace(event, slate=None if slate is None else slate.id)
        after = msgspec.structs.replace(logged, sequence=place, event=told)
        return [after] if slate is None else [slate, after]

    def _skip(self, why: str) -> None:
        self.unscored[why] = self.unscored.get(why, 0) + 1

    def _meet(
        self, place: int, logged: Logged, event: InteractionRecorded, found: Candidates
    ) -> Logged | None:
        meeting = Meeting(
            place,
            self._clock,
            interactions=self._met.interactions(event.user, event.session),
            impressions=int(self._met.impressions([event.item])[0]),
        )
        self.meetings.of.append(meeting)
        if event.item not in found.items:
            return None
        name, right = f"next-{place}", found.items.index(event.item)
        meeting.baselines = self._baselines(name, found, right)
        self.by_slate[name] = (meeting, right, self._learnt_to)
        items = [SlateItem(item=found.items[row]) for row in self._kept(place, right, len(found.items))]
        slate = SlateServed(
            id=name,
            occurred_at=self._clock,
            user=event.user,
            session=event.session,
            items=items,
            candidates=found.items,
        )
        return Logged(place - 1, name, self._clock, logged.recorded_at, slate)

    def _baselines(
        self, name: str, found: Candidates, right: int
    ) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        popular = found.popular / np.maximum(found.popular.max(axis=1, keepdims=True), 1e-300)
        together = found.together / max(float(found.together.max()), 1e-300)
        random = at_random(self._seed, name, len(together))
        orders = [popular, together[None], *(popular + weight * together for weight in WEIGHTS), random[None]]
        return ranked(np.concatenate(orders), right).astype(np.int32)

    def _kept(self, place: int, right: int, n: int) -> list[int]:
        """Rows of the candidates that an example keeps: depends on the place alone."""
        best = min(_OF_THE_BEST, n)
        rest = np.random.default_rng([self._seed, place]).permutation(n - best)[:_AT_RANDOM] + best
        return sorted({right, *range(best), *rest.tolist()})
