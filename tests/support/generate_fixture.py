"""Write the fixture ``tests/data/events.jsonl``: a small shop with people whose tastes a model can learn.

Run ``python tests/support/generate_fixture.py`` after a change here; a test compares the file with what this makes.
The same seed gives the same bytes. What the file holds:

- items with a list of genres, a price, a popularity and a title; some change their price later, one is removed;
- users with an age and a country; the last two have none and are known by their sessions only;
- slates of ten items and clicks, drawn from taste (a hidden weight per genre), price and position bias;
- both forms (every seventh event is in the Metarank form), both kinds of time, fields that no feature uses,
  one interaction that arrives late, one without a slate, one action that nothing uses.

Every event has an id, no id occurs twice, and no event is refused.
"""

from __future__ import annotations

import json
import math
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SEED = 20250106
START_MS = 1_736_150_400_000
"""2025-01-06T08:00:00Z: well before any clock that records it."""
N_ITEMS, N_USERS, N_SLATES, SLATE_SIZE = 60, 20, 200, 10
GENRES = ("adventure", "comedy", "crime", "drama", "family", "horror", "romance", "science")
ADJECTIVES = (
    "Quiet",
    "Golden",
    "Broken",
    "Distant",
    "Hidden",
    "Northern",
    "Paper",
    "Second",
    "Silver",
    "Slow",
)
NOUNS = ("Harbour", "Letter", "Garden", "Winter", "Bridge", "Mirror", "Orchard", "Signal", "River", "Hour")
SLATE_EVERY_MS = 45_000

Event = dict[str, Any]


def events(seed: int = SEED) -> list[Event]:
    """The events in the order of their arrival."""
    rng = random.Random(seed)
    catalogue = [_item(rng, n) for n in range(N_ITEMS)]
    people = [_person(rng, n) for n in range(N_USERS)]
    told = [_item_event(item, START_MS + n * 200) for n, item in enumerate(catalogue)]
    told += [_user_event(p, START_MS + 20_000 + n * 300) for n, p in enumerate(people) if p["fields"]]
    held_back: list[tuple[int, Event]] = []
    for n in range(N_SLATES):
        at = START_MS + 60_000 + n * SLATE_EVERY_MS + rng.randrange(5_000)
        person = rng.choice(people)
        shown = rng.sample(catalogue, SLATE_SIZE)
        slate = f"slate-{n:04d}"
        told.append(_slate_event(rng, slate, person, shown, at))
        clicked = [i for pos, i in enumerate(shown) if rng.random() < _appeal(person, i) * _seen(pos)]
        for item in clicked:
            at += 2_000 + rng.randrange(6_000)
            click = _interaction(f"click-{n:04d}-{item['item']}", person, item, slate, at)
            if not held_back and n > 60:
                # Offline for a while: it happened now and arrives twenty slates later.
                held_back.append((n + 20, click))
            else:
                told.append(click)
        if n % 40 == 39:
            item = catalogue[n % N_ITEMS]
            item["fields"]["price"] = round(item["fields"]["price"] * 0.8, 2)
            told.append(_item_event(item, at + 100, id=f"price-{n:04d}", only=("price",)))
        if n == 120:
            told.append(
                _interaction("free-1", person, shown[0], None, at + 200, action="bookmark", value=2.0)
            )
        if n == 150:
            told.append(
                {"type": "item", "id": "gone-1", "occurred_at": at + 300, "item": "i59", "removed": True}
            )
            catalogue = catalogue[:-1]
        if held_back and held_back[0][0] == n:
            told.append(held_back[0][1])
    return [_as_metarank(e) if n % 7 == 3 and _expressible(e) else e for n, e in enumerate(told)]


def lines(seed: int = SEED) -> list[str]:
    """The same as JSON, one event a line."""
    return [json.dumps(event, ensure_ascii=False, separators=(",", ":")) for event in events(seed)]


def _item(rng: random.Random, n: int) -> Event:
    genres = rng.sample(GENRES, 1 + rng.randrange(3))
    title = f"The {ADJECTIVES[n % 10]} {NOUNS[(n * 3 + n // 10) % 10]}"
    fields = {
        "title": title,
        "genres": genres,
        "price": round(3 + 40 * rng.random() ** 2, 2),
        "popularity": round(100 * rng.random() ** 3, 3),
        "in_stock": rng.random() < 0.9,
    }
    if n % 9 == 4:
        del fields["popularity"]
    if n % 11 == 5:
        fields["shelf"] = {"aisle": n % 7, "note": "Regal für Übergrößen"}
    return {"item": f"i{n}", "fields": fields}


def _person(rng: random.Random, n: int) -> Event:
    taste = {genre: rng.gauss(0, 1.3) for genre in GENRES}
    fields = {"age": 18 + rng.randrange(60), "country": rng.choice(("DE", "FR", "PT", "SE"))}
    known = n < N_USERS - 2
    return {"user": f"u{n}" if known else None, "n": n, "taste": taste, "fields": fields if known else {}}


def _appeal(person: Event, item: Event) -> float:
    """Probability that this person clicks this item when looking at it."""
    fields = item["fields"]
    liking = sum(person["taste"][g] for g in fields["genres"]) / len(fields["genres"])
    score = 1.6 * liking - 0.03 * fields["price"] + 0.012 * fields.get("popularity", 10.0) - 1.5
    return 1 / (1 + math.exp(-score))


def _seen(position: int) -> float:
    return 1 / (1 + 0.22 * position)


def _item_event(item: Event, at: int, *, id: str | None = None, only: tuple[str, ...] = ()) -> Event:
    fields = {k: v for k, v in item["fields"].items() if not only or k in only}
    return {
        "type": "item",
        "id": id or f"item-{item['item']}",
        "occurred_at": at,
        "item": item["item"],
        "fields": fields,
    }


def _user_event(person: Event, at: int) -> Event:
    return {
        "type": "user",
        "id": f"user-{person['user']}",
        "occurred_at": at,
        "user": person["user"],
        "fields": person["fields"],
    }


def _who(person: Event) -> Event:
    session = f"x{person['n']}"
    return {"user": person["user"], "session": session} if person["user"] else {"session": session}


def _slate_event(rng: random.Random, slate: str, person: Event, shown: list[Event], at: int) -> Event:
    items = [
        {"item": i["item"], "fields": {"relevancy": round(rng.random() + _appeal(person, i), 4)}}
        for i in shown
    ]
    context = {"device": rng.choice(("phone", "desk")), "experiment": "none"}
    when = at if at % 2 else datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
    return {
        "type": "slate",
        "id": slate,
        "occurred_at": when,
        **_who(person),
        "items": items,
        "context": context,
    }


def _interaction(
    id: str,
    person: Event,
    item: Event,
    slate: str | None,
    at: int,
    *,
    action: str = "click",
    value: float = 1.0,
) -> Event:
    event = {"type": "interaction", "id": id, "occurred_at": at, **_who(person), "item": item["item"]}
    if slate is not None:
        event["slate"] = slate
    return {**event, "action": action, "value": value}


def _expressible(event: Event) -> bool:
    return not event.get("removed") and event.get("value", 1.0) == 1.0


def _as_metarank(event: Event) -> Event:
    """The same event in the form of Metarank."""
    at = event["occurred_at"]
    if isinstance(at, str):
        at = round(datetime.fromisoformat(at).timestamp() * 1000)
    told: Event = {"event": event["type"], "id": event["id"], "timestamp": str(at)}
    told |= {k: event[k] for k in ("user", "session", "item") if k in event}
    told["fields"] = [{"name": k, "value": v} for k, v in event.get("fields", {}).items()]
    if event["type"] == "slate":
        told["event"] = "ranking"
        told["fields"] = [{"name": k, "value": v} for k, v in event["context"].items()]
        told["items"] = [{"id": i["item"], "relevancy": i["fields"]["relevancy"]} for i in event["items"]]
    elif event["type"] == "interaction":
        told["type"] = event["action"]
        if "slate" in event:
            told["ranking"] = event["slate"]
    return told


if __name__ == "__main__":
    target = Path(__file__).parent.parent / "data" / "events.jsonl"
    target.write_text("\n".join(lines()) + "\n")
