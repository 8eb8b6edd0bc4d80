"""The shop of ``eddyline simulate``, offline: its people, what they click, and when they come; as a log.

Lists come in a random order: what is shown does not depend on what was learnt before, so all views are judged by the
same lists.
"""

from __future__ import annotations

import heapq
import itertools
from bisect import bisect_right
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from eddyline_cli.simulating.behaviour import AFTER, BEFORE, appeal, click_probabilities
from eddyline_cli.simulating.catalogue import Catalogue, make_catalogue
from eddyline_cli.simulating.people import People, make_people
from eddyline_contracts.events import Event, InteractionRecorded, ItemUpserted, SlateItem, SlateServed
from eddyline_contracts.record import Logged

START_MS = 1_790_000_000_000
N_ITEMS, N_PEOPLE = 2_000, 400
RATE = 60.0
"""Lists a second."""
_CANDIDATES, _PAGES = 20, 3
_THINKING_S, _CLICKING_S = (0.3, 1.2), (0.2, 1.2)


def world_log(world: int, *, turns_s: Sequence[float], end_s: float) -> Iterator[Logged]:
    """The catalogue, then lists in a random order and clicks, in the order of their times.

    Parameters
    ----------
    world
        1, 2 …: other items and other people.
    turns_s, end_s
        When the taste of all turns into its opposite, ascending, and when people cease to come; in seconds since the
        start.
    """
    catalogue, people = make_catalogue(N_ITEMS, world), make_people(N_PEOPLE, world)
    sequence = 0
    for index in range(len(catalogue)):
        sequence += 1
        event = ItemUpserted(id=f"item-{index}", item=catalogue.item(index), fields=catalogue.fields(index))
        yield Logged(sequence, f"item-{index}", START_MS, START_MS, event)
    for at, name, told in _in_order(catalogue, people, np.random.default_rng([world, 3]), turns_s, end_s):
        sequence += 1
        at_ms = START_MS + round(1_000 * at)
        yield Logged(sequence, name, at_ms, at_ms, told)


def _in_order(
    catalogue: Catalogue, people: People, rng: np.random.Generator, turns_s: Sequence[float], end_s: float
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
        for place in _clicked(
            catalogue, people, person, shown, rng, turned=bisect_right(turns_s, at) % 2 == 1
        ):
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
