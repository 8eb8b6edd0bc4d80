"""Events with all that features of any kind look at: what a shop's requests bring along is added to what is there."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from eddyline_contracts.events import (
    InteractionRecorded,
    ItemUpserted,
    SlateServed,
    UserUpserted,
    encode,
)
from eddyline_contracts.record import Logged, Record

VIEW = (Path(__file__).parent / "every_kind.yaml").read_text()
"""A view with features of every kind, over these events."""

_AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
)
_REFERERS = ("https://www.google.com/", "https://www.facebook.com/x", "https://shop.example/home", None)
_DEVICES = ("phone", "desk", "tablet")
_COUNTRIES = ("NL", "DE", "FR", "AT", "CH")
_FUTURE = 2**52


def enriched(logs: Iterable[Logged]) -> list[Record]:
    """The events as records, each slate with a context, each person with a country; the same for the same events."""
    rng = random.Random(1)
    return [
        Record(sequence, str(sequence), "", _FUTURE, _FUTURE, encode(event))
        for sequence, event in enumerate(_events(rng, logs), 1)
    ]


def _events(rng: random.Random, logs: Iterable[Logged]) -> Iterator[Any]:
    titles: list[str] = []
    known: set[str] = set()
    for logged in logs:
        event = logged.event
        if isinstance(event, ItemUpserted):
            titles.append(str(event.fields.get("title", "no title")))
            more = {"shots": [rng.random() for _ in range(4)], "adult": rng.random() < 0.1}
            yield msgspec.structs.replace(event, fields={**event.fields, **more})
            continue
        if isinstance(event, SlateServed | InteractionRecorded):
            person = event.user or event.session
            if person is not None and person not in known:
                known.add(person)
                yield UserUpserted(
                    user=person, fields={"country": rng.choice(_COUNTRIES)}, occurred_at=event.occurred_at
                )
        if isinstance(event, SlateServed):
            yield msgspec.structs.replace(event, context=a_context(rng, titles))
        else:
            yield event


def a_context(rng: random.Random, titles: list[str]) -> dict[str, Any]:
    """What a request brings along."""
    words = rng.choice(titles).split() if titles else ["film"]
    return {
        "query": " ".join(rng.sample(words, min(2, len(words)))),
        "device": rng.choice(_DEVICES),
        "user_agent": rng.choice(_AGENTS),
        "referer": rng.choice(_REFERERS),
        "local": f"2021-11-15T{rng.randrange(24):02d}:30:00+01:00",
    }
