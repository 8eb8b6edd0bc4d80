"""The loop: lists are ordered by the champion, looked at, clicked, logged, and learnt from, hundreds a second."""

from __future__ import annotations

import heapq
import itertools
import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_cli.simulating.behaviour import Mood, appeal, click_probabilities
from eddyline_cli.simulating.catalogue import make_catalogue
from eddyline_cli.simulating.people import make_people
from eddyline_contracts.events import Event, InteractionRecorded, ItemUpserted, SlateItem, SlateServed
from eddyline_contracts.record import Logged
from eddyline_features.state import State
from eddyline_features.view import View
from eddyline_learning.cycle import Learner
from eddyline_learning.fold import Vectors
from eddyline_learning.scoring import OnnxScorer
from tests.support.closed_loop.hosting import Hosted
from tests.support.closed_loop.story import Story
from tests.support.closed_loop.truth import true_click_rate, true_ndcg

START_MS = 1_790_000_000_000
N_ITEMS, N_PEOPLE = 500, 200
_CANDIDATES, _PAGES = 20, 3
_THINKING_S, _CLICKING_S = (0.3, 1.2), (0.2, 1.2)
_IDLE_S = 0.25


@dataclass(frozen=True, slots=True)
class Shown:
    """One list, and how good it was in truth."""

    at: float
    """Seconds since people began to come."""
    n_cycles: int
    """Cycles that lay behind it."""
    user: str
    items: list[str]
    """As they were shown."""
    ndcg: float
    """Of the order that was shown; 1 is the best that there is."""
    frozen: float
    """Of the order that the first model would have given the same list; NaN before there was one."""
    unordered: float
    """Of the order in which the candidates came."""
    chance: float
    """Probability that the list as shown is clicked at all."""
    ranked_ms: float
    """CPU time for vectors and scores."""


class ClosedLoop:
    """One world, its people, and an Eddyline that learns from them.

    Parameters
    ----------
    seed
        Of the catalogue, the people and all that they do.
    """

    def __init__(self, view: View, story: Story, *, seed: int = 1) -> None:
        self.view, self.story = view, story
        self.hosted = Hosted(view)
        self.log: list[Logged] = []
        self.shown: list[Shown] = []
        self.first_model: str | None = None
        self._catalogue, self._people = make_catalogue(N_ITEMS, seed), make_people(N_PEOPLE, seed)
        self._rng = np.random.default_rng([seed, 3])
        self._fold = State(view)
        self._models: dict[str, OnnxScorer] = {}
        self._tie = itertools.count()
        # What will happen: (seconds, tie-break, what); a list to be looked at, or an event that reaches the log.
        self._to_come: list[tuple[float, int, Event | _Look]] = []
        self._next_visit = 0.0
        self._sequence = 0
        for index in range(len(self._catalogue)):
            item, fields = self._catalogue.item(index), self._catalogue.fields(index)
            self._put(0.0, ItemUpserted(id=f"item-{index}", item=item, fields=fields))
        for at, event in story.besides:
            self._later(at, event)

    @property
    def learner(self) -> Learner:
        """The learner itself."""
        return self.hosted.learner

    def run(self, until: float) -> ClosedLoop:
        """Let it go on up to this time, in seconds since people began to come; what comes later waits."""
        while True:
            while self._next_visit < until and (not self._to_come or self._next_visit <= self._to_come[0][0]):
                self._visit()
            if not self._to_come or self._to_come[0][0] >= until:
                return self
            at, _, what = heapq.heappop(self._to_come)
            if isinstance(what, _Look):
                self._look(at, what)
            else:
                self._put(at, what)

    def between(self, first: float, last: float) -> list[Shown]:
        """Lists of the seconds [first, last)."""
        return [one for one in self.shown if first <= one.at < last]

    def served(self, first: float, last: float) -> float:
        """Mean true NDCG of them as they were shown."""
        return float(np.mean([one.ndcg for one in self.between(first, last)]))

    def frozen(self, first: float, last: float) -> float:
        """The same had the first model ordered them."""
        return float(np.mean([one.frozen for one in self.between(first, last)]))

    def _visit(self) -> None:
        rate = self.story.lists_per_s(self._next_visit)
        if rate <= 0.0:
            self._next_visit += _IDLE_S
            return
        person = int(self._rng.choice(len(self._people), p=self._people.activity))
        pages = int(self._rng.geometric(1.0 / _PAGES))
        session = f"visit-{next(self._tie)}"
        self._later(self._next_visit, _Look(person, session, pages))
        self._next_visit += float(self._rng.exponential(_PAGES / rate))

    def _look(self, at: float, look: _Look) -> None:
        catalogue, story, rng = self._catalogue, self.story, self._rng
        candidates = rng.choice(len(catalogue), _CANDIDATES, replace=False)
        appeals = appeal(catalogue, self._people, look.person, candidates, Mood(story.mood(at)))
        fields: list[dict[str, Any]] | None = None
        if story.match_weight:
            match = rng.standard_normal(_CANDIDATES)
            appeals = appeals + story.match_weight * match
            if story.sends_match(at):
                fields = [{"match": float(value)} for value in match]
        user, at_ms = self._people.user(look.person), _ms(at)
        items = [catalogue.item(int(index)) for index in candidates]
        began = time.thread_time()
        ranked_at = self._fold.time_of(at_ms, at_ms)
        vectors = self._fold.vectors(user, look.session, items, fields, {}, ranked_at)
        model = self.learner.champion_name
        if model is None:
            scores = self._fold.first_scores(user, look.session, items, ranked_at).astype(np.float64)
        else:
            self.first_model = self.first_model or model
            scores = self._by_model(model, vectors)
        order = np.argsort(-scores, kind="stable")
        ranked_ms = 1_000 * (time.thread_time() - began)
        number = next(self._tie)
        self.shown.append(
            Shown(
                at=at,
                n_cycles=len(self.hosted.cycles),
                user=user,
                items=[items[row] for row in order],
                ndcg=true_ndcg(appeals, scores),
                frozen=(
                    math.nan
                    if self.first_model is None
                    else true_ndcg(appeals, self._by_model(self.first_model, vectors))
                ),
                unordered=true_ndcg(appeals, np.zeros(_CANDIDATES)),
                chance=true_click_rate(appeals, scores),
                ranked_ms=ranked_ms,
            )
        )
        slate = SlateServed(
            id=f"list-{number}",
            user=user,
            session=look.session,
            items=[SlateItem(item=items[row], fields=fields[row] if fields else {}) for row in order],
            candidates=items,
            features_sequence=self._fold.sequence,
            ranked_at=ranked_at,
            view=self.view.id,
            model=model,
            policy="greedy" if model else "live-priors",
        )
        self._put(at, slate)
        done = self._click(at, slate, [int(candidates[row]) for row in order], appeals[order])
        if look.pages > 1:
            following = done + float(rng.uniform(*_THINKING_S))
            self._later(following, _Look(look.person, look.session, look.pages - 1))

    def _click(self, at: float, slate: SlateServed, shown: list[int], appeals: NDArray[np.float64]) -> float:
        """Let the person click; the time at which they have done."""
        story, rng, done = self.story, self._rng, at
        chances = click_probabilities(appeals)
        if story.garbage(at):
            # As many clicks as ever, anywhere.
            chances = np.full(len(chances), chances.mean())
        for place in np.flatnonzero(rng.random(len(shown)) < chances):
            done += float(rng.uniform(*_CLICKING_S)) / 2
            click = InteractionRecorded(
                id=f"click-{next(self._tie)}",
                user=slate.user,
                session=slate.session,
                item=self._catalogue.item(shown[place]),
                slate=slate.id,
            )
            if story.clicks_arrive(done):
                self._later(done + story.late_s(done), click)
        return done

    def _by_model(self, model: str, vectors: Vectors) -> NDArray[np.float64]:
        if model not in self._models:
            champion = self.learner.champion
            assert champion is not None
            assert champion.model == model
            kept = {self.first_model, model}
            self._models = {name: one for name, one in self._models.items() if name in kept}
            self._models[model] = OnnxScorer(champion.onnx)
        return self._models[model].raw_scores(vectors)

    def _later(self, at: float, what: Event | _Look) -> None:
        heapq.heappush(self._to_come, (at, next(self._tie), what))

    def _put(self, at: float, event: Event) -> None:
        """The event reaches the log, and with it everybody who reads it."""
        assert event.id is not None
        self._sequence += 1
        logged = Logged(self._sequence, event.id, _ms(at), _ms(at), event)
        self.log.append(logged)
        self._fold.apply(logged)
        self.hosted.read([logged])


@dataclass(frozen=True, slots=True)
class _Look:
    """Somebody is about to look at a list, and at so many in all."""

    person: int
    session: str
    pages: int


def _ms(at: float) -> int:
    return START_MS + round(1_000 * at)
