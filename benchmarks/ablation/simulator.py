"""The shop of ``eddyline simulate``, offline: people whose taste turns at once. It judges how features follow.

Lists come in a random order, so that what is learnt does not depend on what was learnt before, and all views are judged
by the same lists. The people, what they click and when they come are those of the command.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.ablation.groups import read
from benchmarks.ablation.study import Measured, Study
from benchmarks.ablation.tables import PerSlate, Table, added, left_out
from eddyline_cli.simulating.behaviour import AFTER, BEFORE, appeal, click_probabilities
from eddyline_cli.simulating.catalogue import Catalogue, make_catalogue
from eddyline_cli.simulating.people import People, make_people
from eddyline_contracts.events import Event, InteractionRecorded, ItemUpserted, SlateItem, SlateServed
from eddyline_contracts.record import Logged
from eddyline_learning.scored import FROZEN, ITEM_RATE, RANDOM
from eddyline_learning.warmup import Warmup

START_MS = 1_790_000_000_000
N_ITEMS, N_PEOPLE = 2_000, 400
RATE = 60.0
"""Lists a second."""
SHIFT_S, END_S = 100.0, 200.0
WARMUP_S = 20.0
WINDOWS = {
    "before": (50.0, 100.0),
    "15 s after": (100.0, 115.0),
    "then": (115.0, 150.0),
    "long after": (150.0, 200.0),
}
"""Seconds since the start in which lists are judged."""
BASE = ("item fields", "long half-lives")
QUICK = ("short half-lives", "trend", "windows")
"""Groups that know what happens just now: each stands in for the others."""
_CANDIDATES, _PAGES = 20, 3
_THINKING_S, _CLICKING_S = (0.3, 1.2), (0.2, 1.2)

GROUPED = read(Path(__file__).with_name("simulator.yaml"), without_cycles=False)


def tables(n_worlds: int) -> Iterator[Table]:
    """Over so many worlds together: each has other items and other people."""
    worlds = _Worlds(n_worlds)
    table = left_out("Simulator", worlds, worlds.groups)
    slow = [name for name in worlds.groups if name not in QUICK]
    table.add(f"without {', '.join(QUICK)}", worlds.n_columns(slow), worlds.per_slate(slow))
    for name, who in (("first model for ever", FROZEN), ("item rate so far", ITEM_RATE), ("random", RANDOM)):
        table.add(name, None, worlds.baseline(who))
    yield table
    yield added(f"Simulator, {' + '.join(BASE)}", worlds, BASE, worlds.groups)


class _Worlds:
    """See `Compared`. Models are made all the time, as the shop's own view says."""

    def __init__(self, n_worlds: int) -> None:
        self._logs = [list(world_log(world)) for world in range(1, n_worlds + 1)]
        until = START_MS + round(1_000 * WARMUP_S)
        self._studies = [Study(log, lambda: Warmup(until=until), GROUPED, [1]) for log in self._logs]
        self.groups = self._studies[0].groups
        self.n_columns = self._studies[0].n_columns

    def per_slate(self, groups: Collection[str]) -> PerSlate:
        return self._in_windows(lambda study: study.measured(groups))

    def baseline(self, who: str) -> PerSlate:
        """Of one of the orders beside the model's."""
        return self._in_windows(lambda study: study.baseline(who))

    def _in_windows(self, measured: Callable[[Study], Measured]) -> PerSlate:
        # Windows have different numbers of lists: each metric has slates of its own.
        found: dict[str, list[float]] = {title: [] for title in WINDOWS}
        for log, study in zip(self._logs, self._studies, strict=True):
            ndcg = measured(study)["ndcg@10"]
            for title, window in WINDOWS.items():
                judged = slates_in(log, window)
                found[title] += [
                    float(v) for name, v in zip(study.names, ndcg, strict=True) if name in judged
                ]
        return {title: np.array(values) for title, values in found.items()}


def slates_in(log: Sequence[Logged], window: tuple[float, float]) -> set[str]:
    """Ids of the lists of these seconds since the start."""
    first, last = (START_MS + round(1_000 * at) for at in window)
    return {
        logged.id
        for logged in log
        if isinstance(logged.event, SlateServed) and first <= logged.occurred_at < last
    }


def world_log(world: int, *, shift_s: float = SHIFT_S, end_s: float = END_S) -> Iterator[Logged]:
    """The catalogue, then lists in a random order and clicks, in the order of their times."""
    catalogue, people = make_catalogue(N_ITEMS, world), make_people(N_PEOPLE, world)
    sequence = 0
    for index in range(len(catalogue)):
        sequence += 1
        event = ItemUpserted(id=f"item-{index}", item=catalogue.item(index), fields=catalogue.fields(index))
        yield Logged(sequence, f"item-{index}", START_MS, START_MS, event)
    for at, name, told in _in_order(catalogue, people, np.random.default_rng([world, 3]), shift_s, end_s):
        sequence += 1
        at_ms = START_MS + round(1_000 * at)
        yield Logged(sequence, name, at_ms, at_ms, told)


def _in_order(
    catalogue: Catalogue, people: People, rng: np.random.Generator, shift_s: float, end_s: float
) -> Iterator[tuple[float, str, Event]]:
    """(seconds, id, event), earliest first."""
    # A list to be looked at is (seconds, tie-break, person, session, pages left); a click waits beside it.
    tie = itertools.count()
    looks: list[tuple[float, int, int, str, int]] = []
    clicks: list[tuple[float, int, str, Event]] = []
    n_lists, next_visit = 0, float(rng.exponential(_PAGES / RATE))
    while True:
        while next_visit < end_s and (not looks or next_visit <= looks[0][0]):
            person = int(rng.choice(len(people), p=people.activity))
            pages = int(rng.geometric(1.0 / _PAGES))
            number = next(tie)
            heapq.heappush(looks, (next_visit, number, person, f"visit-{number}", pages))
            next_visit += float(rng.exponential(_PAGES / RATE))
        if not looks:
            break
        at, _, person, session, pages = heapq.heappop(looks)
        while clicks and clicks[0][0] <= at:
            clicked_at, _, name, click = heapq.heappop(clicks)
            yield clicked_at, name, click
        n_lists += 1
        slate, user = f"list-{n_lists}", people.user(person)
        shown = rng.choice(len(catalogue), _CANDIDATES, replace=False)
        items = [SlateItem(item=catalogue.item(int(index))) for index in shown]
        yield at, slate, SlateServed(id=slate, user=user, session=session, items=items)
        done = at
        for place in _clicked(catalogue, people, person, shown, rng, turned=at >= shift_s):
            done += float(rng.uniform(*_CLICKING_S)) / 2
            number = next(tie)
            name = f"click-{number}"
            item = catalogue.item(int(shown[place]))
            click = InteractionRecorded(id=name, user=user, session=session, item=item, slate=slate)
            heapq.heappush(clicks, (done, number, name, click))
        following = done + float(rng.uniform(*_THINKING_S))
        if pages > 1 and following < end_s:
            heapq.heappush(looks, (following, next(tie), person, session, pages - 1))
    while clicks:
        clicked_at, _, name, click = heapq.heappop(clicks)
        yield clicked_at, name, click


def _clicked(
    catalogue: Catalogue,
    people: People,
    person: int,
    shown: NDArray[np.int64],
    rng: np.random.Generator,
    *,
    turned: bool,
) -> NDArray[np.int64]:
    appeals = appeal(catalogue, people, person, shown, AFTER if turned else BEFORE)
    return np.flatnonzero(rng.random(len(shown)) < click_probabilities(appeals))
