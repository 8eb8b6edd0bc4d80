"""The fixture that many tests stand on is what its generator makes, and holds what it promises."""

from __future__ import annotations

from pathlib import Path

from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import InteractionRecorded, SlateServed
from tests.support import generate_fixture

DATA = Path(__file__).parents[2] / "data"


def test_the_fixture_is_what_its_generator_makes() -> None:
    assert (DATA / "events.jsonl").read_text() == "\n".join(generate_fixture.lines()) + "\n"


def test_every_event_of_the_fixture_is_accepted_and_has_an_id_of_its_own() -> None:
    raw = (DATA / "events.jsonl").read_bytes().splitlines()
    events = [decode_event(line) for line in raw]
    assert len({event.id for event in events}) == len(events) > 500
    assert sum(b'"event"' in line for line in raw) > 50


def test_the_fixture_holds_a_late_event_and_clicks_that_follow_the_position() -> None:
    events = [decode_event(line) for line in (DATA / "events.jsonl").read_bytes().splitlines()]
    slates = {e.id: [i.item for i in e.items] for e in events if isinstance(e, SlateServed)}
    seen: set[str | None] = set()
    after: dict[str | None, int] = {}
    places = []
    for event in events:
        if isinstance(event, SlateServed):
            seen.add(event.id)
        elif isinstance(event, InteractionRecorded) and event.slate is not None:
            assert event.slate in seen
            after[event.slate] = max(
                after.get(event.slate, 0), len(seen) - list(slates).index(event.slate) - 1
            )
            places.append(slates[event.slate].index(event.item))
    assert max(after.values()) >= 20
    assert sum(p < 5 for p in places) > 1.3 * sum(p >= 5 for p in places)


def test_the_view_of_the_fixture_is_valid_and_uses_every_kind_of_feature() -> None:
    from eddyline_features.declarations.registry import KINDS
    from eddyline_features.view import load_view

    text = (DATA / "eddyline.yaml").read_text()
    assert load_view(text).columns
    # The one that reads texts would start an encoder with every system that serves this view.
    assert all(f"kind: {kind}" in text for kind in KINDS if kind != "content_similarity")
