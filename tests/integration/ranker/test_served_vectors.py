"""A share of the slates is logged with the vectors that came for them; where they do not fit, without."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from eddyline_cli.servers.nats_server import NatsServer, start_nats
from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import SlateServed
from eddyline_runtime.bus import connected
from tests.support.serving import (
    a_feature_store,
    a_ranker,
    fixture_log,
    fixture_view,
    folded,
    inbox,
    make_inbox,
)
from tests.support.waiting import wait_until

VIEW = fixture_view()
ITEMS = [f"i{k}" for k in range(30)]


def chosen(outcome: str) -> float:
    return REGISTRY.get_sample_value("eddyline_skew_slates_total", {"outcome": outcome}) or 0.0


async def logged(nats_url: str, n: int, **settings: float) -> list[SlateServed]:
    """What ``n`` requests of a ranker on the fixture's features leave in the inbox."""
    async with connected(nats_url, "test") as client:
        await make_inbox(client)
        async with (
            a_feature_store(nats_url, fixture_log()) as store,
            a_ranker(nats_url, **settings) as ranker,
        ):
            await wait_until(store.fold.caught_up.is_set)
            await client.flush()
            for k in range(n):
                slate = await ranker.rank([{"item": i, "fields": {"relevancy": k}} for i in ITEMS], f"u{k}")
                assert "features" not in slate["degraded"]
            await wait_until(lambda: len(ranker.ranker.outbox) == 0)
        events = [decode_event(raw) for raw in await inbox(client)]
        return [event for event in events if isinstance(event, SlateServed)]


async def test_with_a_share_of_one_every_slate_tells_the_bytes_that_came(nats_server: NatsServer) -> None:
    before = chosen("logged")
    slates = await logged(nats_server.url, 5, skew_share=1.0)
    assert len(slates) == 5
    state = await folded(fixture_log(), VIEW)
    for slate in slates:
        candidates = slate.candidates or [shown.item for shown in slate.items]
        fields = {shown.item: shown.fields for shown in slate.items}
        assert slate.ranked_at is not None
        assert slate.served_vectors is not None
        told = [fields[item] for item in candidates]
        expected = state.vectors(slate.user, None, candidates, told, {}, slate.ranked_at)
        assert [row.astype("<f4").tobytes() for row in expected] == slate.served_vectors
    assert chosen("logged") - before == 5


async def test_without_a_share_no_slate_tells_them(nats_server: NatsServer) -> None:
    before = chosen("logged")
    assert [slate.served_vectors for slate in await logged(nats_server.url, 3, skew_share=0.0)] == [None] * 3
    assert chosen("logged") == before


async def test_where_they_do_not_fit_the_slate_is_logged_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The bus takes the vectors, but not the slate that tells them: it spells each three bytes with four letters.
    vectors = 4 * len(VIEW.columns) * len(ITEMS)
    monkeypatch.setattr("eddyline_cli.servers.nats_server.MAX_PAYLOAD", vectors * 6 // 5)
    server = start_nats(tmp_path / "nats")
    before = chosen("too_large")
    slates = await logged(server.url, 2, skew_share=1.0)
    assert [slate.served_vectors for slate in slates] == [None, None]
    assert chosen("too_large") - before == 2
    server.stop()


async def test_while_the_inbox_is_away_no_more_are_kept_with_them_than_fit_into_memory(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eddyline_ranker.outbox._WITH_VECTORS", 3)
    waiting, whole = chosen("waiting"), chosen("logged")
    async with connected(nats_server.url, "test") as client:
        async with (
            a_feature_store(nats_server.url, fixture_log()) as store,
            a_ranker(nats_server.url, skew_share=1.0) as ranker,
        ):
            await wait_until(store.fold.caught_up.is_set)
            await client.flush()
            for k in range(5):
                await ranker.rank(ITEMS, f"u{k}")
            await make_inbox(client)
            await wait_until(lambda: len(ranker.ranker.outbox) == 0)
        assert len(await inbox(client)) == 5
    assert (chosen("waiting") - waiting, chosen("logged") - whole) == (2, 3)
