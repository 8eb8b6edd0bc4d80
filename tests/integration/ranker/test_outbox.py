"""A slate that was shown reaches the inbox, once, however often it has to be sent; and nobody waits for it."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from eddyline_cli.servers.nats_server import NatsServer, start_nats
from eddyline_contracts.decoding import decode_event
from eddyline_contracts.subjects import INBOX_STREAM, INBOX_SUBJECTS
from eddyline_runtime.bus import connected
from tests.support.bundles import a_bundle, promote
from tests.support.service_process import a_process
from tests.support.serving import CONFIG, RankerClient, a_ranker, fixture_view, inbox, make_inbox
from tests.support.waiting import wait_until

VIEW = fixture_view()
ITEMS = [f"i{k}" for k in range(10)]


async def show(ranker: RankerClient, n: int) -> list[str]:
    return [(await ranker.rank(ITEMS))["slate"] for _ in range(n)]


async def test_slates_wait_for_an_inbox_that_is_not_there_yet(nats_server: NatsServer) -> None:
    async with connected(nats_server.url, "test") as client:
        async with a_ranker(nats_server.url) as ranker:
            shown = await show(ranker, 100)
            assert len(ranker.ranker.outbox) == 100
            await make_inbox(client)
            await wait_until(lambda: len(ranker.ranker.outbox) == 0)
            assert sorted(str(decode_event(raw).id) for raw in await inbox(client)) == sorted(shown)


async def test_when_the_buffer_is_full_the_oldest_are_given_up(nats_server: NatsServer) -> None:
    async with connected(nats_server.url, "test") as client:
        async with a_ranker(nats_server.url, outbox_slates=10) as ranker:
            before = await dropped(ranker, "full")
            shown = await show(ranker, 25)
            assert len(ranker.ranker.outbox) == 10
            assert await dropped(ranker, "full") - before == 15
            await make_inbox(client)
            await wait_until(lambda: len(ranker.ranker.outbox) == 0)
            assert sorted(str(decode_event(raw).id) for raw in await inbox(client)) == sorted(shown[15:])


async def dropped(ranker: RankerClient, reason: str) -> float:
    async with aiohttp.ClientSession() as http, http.get(ranker.url + "/metrics") as answer:
        lines = (await answer.text()).splitlines()
    name = f'eddyline_slates_dropped_total{{reason="{reason}"}}'
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


async def test_a_full_inbox_is_tried_again(nats_server: NatsServer) -> None:
    async with connected(nats_server.url, "test") as client:
        js = client.jetstream()
        config = {"name": INBOX_STREAM, "subjects": [INBOX_SUBJECTS], "discard": "new"}
        await js.add_stream(**config, max_msgs=3)
        async with a_ranker(nats_server.url) as ranker:
            shown = await show(ranker, 8)
            await wait_until(lambda: len(ranker.ranker.outbox) == 5)
            await js.update_stream(**config, max_msgs=100)
            await wait_until(lambda: len(ranker.ranker.outbox) == 0)
            assert sorted(str(decode_event(raw).id) for raw in await inbox(client)) == sorted(shown)


async def test_a_slate_that_the_bus_does_not_take_is_given_up_and_holds_up_none_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eddyline_cli.servers.nats_server.MAX_PAYLOAD", 64 * 1024)
    server = start_nats(tmp_path / "nats")
    async with connected(server.url, "test") as client:
        await make_inbox(client)
        async with a_ranker(server.url) as ranker:
            before = await dropped(ranker, "too_large")
            # Just within the bus's limit without its headers, and beyond it with them.
            for n_chars in (64 * 1024 - 700, 100_000):
                pieces = {str(k): "x" * 1_000 for k in range(n_chars // 1_000)}
                await ranker.rank(ITEMS, context=pieces | {"rest": "x" * (n_chars % 1_000)})
            shown = await show(ranker, 3)
            await wait_until(lambda: len(ranker.ranker.outbox) == 0)
            assert [str(decode_event(raw).id) for raw in await inbox(client)] == shown
            assert await dropped(ranker, "too_large") - before == 2
    server.stop()


async def test_the_last_slates_are_stored_before_the_end(nats_server: NatsServer) -> None:
    async with connected(nats_server.url, "test") as client:
        await make_inbox(client)
        async with a_ranker(nats_server.url) as ranker:
            shown = await show(ranker, 50)
        assert len(await inbox(client)) == len(shown)


async def test_an_end_without_a_bus_is_bounded_and_says_what_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with a_ranker("nats://127.0.0.1:1", flush_ms=50) as ranker:
        await show(ranker, 3)
    assert "slates were not stored before the end" in caplog.text


async def test_terminated_as_a_process_it_flushes_and_ends_well(tmp_path: Path) -> None:
    server = start_nats(tmp_path / "nats")
    environ = {
        "EDDYLINE_NATS_URL": server.url,
        "EDDYLINE_CONFIG": str(CONFIG),
        "EDDYLINE_STATE_DIR": str(tmp_path / "state"),
    }
    async with connected(server.url, "test") as client:
        await make_inbox(client)
        await promote(client, a_bundle(VIEW.id, VIEW.columns))
        async with a_process("eddyline_ranker", tmp_path, environ) as ranker, aiohttp.ClientSession() as http:
            await ranker.ready()
            for _ in range(20):
                async with http.post(ranker.url + "/v1/rank", json={"user": "u", "items": ITEMS}) as answer:
                    assert answer.status == 200
            # Its image has no Numba.
            assert "/onnxruntime/" in ranker.maps
            assert "/numba/" not in ranker.maps
            assert ranker.stop() == 0
            assert len(await inbox(client)) == 20
            assert (tmp_path / "state" / "champion.bundle").exists()
    server.stop()
