"""Made-up traffic for tests of the whole: items, people, and producers that are as rude as real ones."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

Event = dict[str, Any]
GENRES = ("comedy", "crime", "drama", "horror", "romance", "family")


def catalogue(n: int, rng: random.Random) -> list[Event]:
    """Item events for ``n`` items."""
    return [
        {
            "type": "item",
            "id": f"catalogue-{k}",
            "item": f"i{k}",
            "fields": {
                "genres": rng.sample(GENRES, rng.randint(1, 3)),
                "price": round(rng.uniform(1, 90), 2),
                "popularity": round(rng.lognormvariate(1, 1), 3),
                "in_stock": rng.random() < 0.9,
            },
        }
        for k in range(n)
    ]


def an_event(rng: random.Random, n_items: int, n_users: int) -> Event:
    """One event of everyday life: mostly clicks, some slates, changes of items and users; one in ten is late."""
    now = time.time_ns() // 1_000_000
    at = now if rng.random() > 0.1 else now - rng.randrange(1, 6 * 3_600_000)
    user = f"u{rng.randrange(n_users)}"
    item = f"i{rng.randrange(n_items)}"
    base: Event = {"id": uuid.UUID(int=rng.getrandbits(128)).hex, "occurred_at": at}
    draw = rng.random()
    if draw < 0.7:
        action = rng.choice(["click", "click", "click", "bookmark", "view"])
        return {
            **base,
            "type": "interaction",
            "user": user,
            "session": f"x{user}",
            "item": item,
            "action": action,
        }
    if draw < 0.85:
        shown = [{"item": f"i{k}"} for k in rng.sample(range(n_items), 10)]
        return {**base, "type": "slate", "user": user, "items": shown, "context": {"device": "phone"}}
    if draw < 0.95:
        fields = {"price": round(rng.uniform(1, 90), 2), "genres": rng.sample(GENRES, 2)}
        return {**base, "type": "item", "item": item, "fields": fields}
    return {**base, "type": "user", "user": user, "fields": {"age": rng.randrange(18, 80), "country": "NO"}}


async def produce(
    send: Callable[[Event], Awaitable[None]],
    rng: random.Random,
    *,
    per_second: float,
    until: asyncio.Event,
    n_items: int,
    n_users: int,
    duplicates: float = 0.1,
) -> int:
    """Send events at a steady rate, some of them again with the same id, until told to stop; give the number sent."""
    loop = asyncio.get_running_loop()
    started, sent = loop.time(), 0
    recent: list[Event] = []
    while not until.is_set():
        if recent and rng.random() < duplicates:
            event = rng.choice(recent)
        else:
            event = an_event(rng, n_items, n_users)
            recent = [*recent[-50:], event]
        await send(event)
        sent += 1
        wait = started + sent / per_second - loop.time()
        if wait > 0:
            await asyncio.sleep(wait)
    return sent
