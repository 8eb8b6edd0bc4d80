"""A made-up shop of 100,000 items in which a visit keeps to one shelf: an item that is taken has neighbours.

Most items are on no shelf, and are seen now and then by chance: a catalogue has a long tail.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from typing import Any

from benchmarks.made_up import VIEW as MADE_UP
from benchmarks.made_up import learning
from eddyline_contracts.events import Event, InteractionRecorded, ItemUpserted, SlateItem, SlateServed

N_ITEMS, N_USERS = 100_000, 5_000
N_SHELVES, SHELF = 300, 10
N_CANDIDATES = 300
VIEW = (
    MADE_UP
    + """\
  - {name: together, kind: co_interaction, half_life: 1d, last: 10, outputs: [sum, lift]}
  - {name: online, kind: online_score, outputs: [score, taste]}
online: {rule: sgd}
limits: {items: 120_000, users: 50_000, sessions: 50_000}
recommend: {}
"""
    + learning()
)
_SLATES, _CLICKS = 3, 3
"""Of a visit; what is acted on of each."""
_OF_THE_SHELF, _OF_OTHERS, _OF_ALL = 4, 4, 2
"""Of what is shown: of the visit's own shelf, of any shelf, and of the whole catalogue. What is popular with others
must not be enough to tell what is wanted here."""


def shelf_of(item: str) -> list[str]:
    """The other items of its shelf; none for an item of the long tail."""
    number = int(item.removeprefix("item-"))
    if number >= N_SHELVES * SHELF:
        return []
    first = number // SHELF * SHELF
    return [f"item-{k}" for k in range(first, first + SHELF) if k != number]


def the_items(rng: random.Random, at_ms: int) -> Iterator[Event]:
    """The catalogue."""
    for k in range(N_ITEMS):
        shelf = k // SHELF if k < N_SHELVES * SHELF else rng.randrange(N_SHELVES, 3_000)
        fields = {
            "title": " ".join(f"word{w}" for w in (shelf, rng.randrange(5_000), rng.randrange(5_000))),
            "popularity": 100 * _appeal(k),
            "price": rng.random() * 50,
            "vote_avg": rng.random() * 10,
            "genres": rng.sample([f"g{g}" for g in range(8)], 3),
            "tags": [f"t{rng.randrange(800)}" for _ in range(6)],
            "maker": f"m{shelf}",
        }
        yield ItemUpserted(id=f"item-{k}", occurred_at=at_ms, item=f"item-{k}", fields=fields)


def visits(
    rng: random.Random, prefix: str, n: int, *, first_ms: int | None = None, every_ms: int = 5
) -> Iterator[Event]:
    """At least ``n`` events of visits; each happens when it is recorded, or one ``every_ms`` from ``first_ms`` on."""
    made = 0

    def at() -> int | None:
        return None if first_ms is None else first_ms + made * every_ms

    while made < n:
        user, shelf = f"user-{rng.randrange(N_USERS)}", rng.randrange(N_SHELVES)
        on_it = range(shelf * SHELF, (shelf + 1) * SHELF)
        for _ in range(_SLATES):
            slate = f"{prefix}-{made}"
            chosen = [*rng.sample(on_it, _OF_THE_SHELF), *rng.sample(range(N_SHELVES * SHELF), _OF_OTHERS)]
            shown = list(dict.fromkeys([*chosen, *rng.sample(range(N_ITEMS), _OF_ALL)]))
            rng.shuffle(shown)
            yield SlateServed(
                id=slate,
                occurred_at=at(),
                user=user,
                session=f"s-{user}",
                items=[SlateItem(item=f"item-{k}") for k in shown],
            )
            made += 1
            liked = sorted(shown, key=lambda k: _appeal(k) + 2.0 * (k in on_it) + 0.5 * rng.random())
            for k in liked[-_CLICKS:]:
                yield InteractionRecorded(
                    id=f"{prefix}-{made}",
                    occurred_at=at(),
                    user=user,
                    session=f"s-{user}",
                    item=f"item-{k}",
                    slate=slate,
                )
                made += 1


@cache
def _appeal(k: int) -> float:
    return random.Random(k).random()


def a_request(rng: random.Random) -> dict[str, Any]:
    """For 20 items; one of ten is for somebody who was never there."""
    number = rng.randrange(N_USERS) if rng.random() < 0.9 else N_USERS + rng.randrange(10**9)
    return {"user": f"user-{number}", "session": f"s-user-{number}", "n": 20, "context": {"device": "phone"}}
