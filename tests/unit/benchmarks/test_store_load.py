"""The load that the feature-store is measured with is the one that its budget speaks of."""

from __future__ import annotations

import random
from collections import Counter

from benchmarks.store_load import SLATE_SIZE, a_question, busy_traffic
from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import InteractionRecorded, SlateServed, encode, type_of
from eddyline_contracts.vectors import decode_request


def test_a_hundred_of_two_thousand_events_are_slates_and_some_clicks_are_on_them() -> None:
    events = [decode_event(encode(event)) for event in busy_traffic(random.Random(1), "x", 2_000)]
    kinds = Counter(map(type_of, events))
    assert kinds["slate"] == 100
    assert kinds["item"] == kinds["user"] == 100
    slates = {event.id: event for event in events if isinstance(event, SlateServed)}
    assert {len(slate.items) for slate in slates.values()} == {SLATE_SIZE}
    clicks = [event for event in events if isinstance(event, InteractionRecorded) and event.slate]
    assert len(clicks) == 400
    for click in clicks:
        slate = slates[click.slate]
        assert slate.user == click.user
        assert click.item in {shown.item for shown in slate.items}
    assert len({event.id for event in events}) == 2_000


def test_a_question_has_a_hundred_candidates() -> None:
    assert len(decode_request(a_question(random.Random(1))).items) == 100
