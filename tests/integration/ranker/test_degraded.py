"""Whatever is missing, a valid request is answered and says so, and its slate teaches nobody wrongly."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import pytest
from msgspec import structs
from nats.aio.client import Client
from nats.aio.msg import Msg

from eddyline_cli.servers.nats_server import NatsServer, start_nats
from eddyline_contracts.bundle import encode_bundle, model_name
from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import SlateServed
from eddyline_contracts.subjects import vectors_subject
from eddyline_contracts.vectors import VectorsAnswer, decode_request, encode
from eddyline_ranker.bundle_file import write_bundle
from eddyline_runtime.bus import connected
from tests.support.bundles import a_bundle, promote
from tests.support.outside_models import a_short_table, as_bytes
from tests.support.serving import (
    RankerClient,
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
ITEMS = [f"i{k}" for k in range(10)]
BUNDLE = a_bundle(VIEW.id, VIEW.columns, priors={"i7": 0.9, "i3": 0.7, "i5": 0.1})
BY_BUNDLE = ["i7", "i3", "i0", "i1", "i2", "i4", "i6", "i8", "i9", "i5"]


def order(slate: dict[str, object]) -> list[str]:
    return [item["item"] for item in slate["items"]]  # type: ignore[attr-defined]


async def only_slate(client: Client) -> SlateServed:
    async def there() -> list[bytes]:
        return await inbox(client)

    (raw,) = await wait_until(there)
    event = decode_event(raw)
    assert isinstance(event, SlateServed)
    return event


async def test_without_features_the_priors_of_the_bundle_order(nats_server: NatsServer) -> None:
    async with connected(nats_server.url, "test") as client:
        await make_inbox(client)
        await promote(client, BUNDLE)
        async with a_ranker(nats_server.url) as ranker:
            await wait_until(lambda: ranker.model == BUNDLE.model)
            slate = await ranker.rank(ITEMS)
            assert slate["degraded"] == ["features"]
            assert order(slate) == BY_BUNDLE
            assert slate["features_sequence"] is None
            assert slate["model"] == BUNDLE.model
            logged = await only_slate(client)
            assert (logged.policy, logged.view, logged.features_sequence) == ("bundle-priors", VIEW.id, None)


async def test_without_a_booster_the_stores_online_model_orders(nats_server: NatsServer) -> None:
    log = fixture_log()
    state = await folded(log, VIEW)
    async with connected(nats_server.url, "test") as client:
        await make_inbox(client)
        async with a_feature_store(nats_server.url, log) as store, a_ranker(nats_server.url) as ranker:
            await wait_until(store.fold.caught_up.is_set)
            await wait_until(lambda: _ranked_by_store(ranker))
            at = state.clock + 1_000
            slate = await ranker.rank(ITEMS, occurred_at=at)
            assert slate["degraded"] == ["model"]
            assert slate["model"] is None
            expected = dict(zip(ITEMS, state.first_scores("u1", None, ITEMS, at).tolist(), strict=True))
            assert {item["item"]: item["score"] for item in slate["items"]} == expected
            assert order(slate) == sorted(ITEMS, key=lambda item: -expected[item])
            logged = await only_slate(client)
            assert (logged.policy, logged.model, logged.features_sequence) == (
                "live-priors",
                None,
                state.sequence,
            )


async def _ranked_by_store(ranker: RankerClient) -> bool:
    return (await ranker.rank(["i1"], log=False))["features_sequence"] is not None


async def test_with_neither_the_order_of_the_request_stays(nats_server: NatsServer) -> None:
    async with connected(nats_server.url, "test") as client:
        await make_inbox(client)
        async with a_ranker(nats_server.url) as ranker:
            await wait_until(lambda: _ready(ranker))
            slate = await ranker.rank(ITEMS[::-1])
            assert slate["degraded"] == ["features", "model"]
            assert order(slate) == ITEMS[::-1]
            logged = await only_slate(client)
            assert (logged.policy, logged.view, logged.features_sequence) == ("request-order", VIEW.id, None)


async def _ready(ranker: RankerClient) -> bool:
    return (await ranker.get("/health/ready"))[0] == 200


async def test_without_a_bus_it_starts_from_disk_and_answers_at_once(tmp_path: Path) -> None:
    write_bundle(tmp_path / "champion.bundle", encode_bundle(BUNDLE))
    async with a_ranker("nats://127.0.0.1:1", state_dir=tmp_path) as ranker:
        assert await _ready(ranker)
        started = time.monotonic()
        slate = await ranker.rank(ITEMS, min_sequence=5)
        assert time.monotonic() - started < 0.5
        assert slate["degraded"] == ["features"]
        assert order(slate) == BY_BUNDLE


async def test_without_bus_and_disk_it_answers_but_says_that_it_is_not_ready(tmp_path: Path) -> None:
    async with a_ranker("nats://127.0.0.1:1", state_dir=tmp_path / "empty", flush_ms=0) as ranker:
        assert (await ranker.rank(ITEMS))["degraded"] == ["features", "model"]
        status, ready = await ranker.get("/health/ready")
        assert (status, ready["waiting_for"]) == (503, ["champion"])


async def test_a_damaged_bundle_on_disk_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_bundle(tmp_path / "champion.bundle", encode_bundle(BUNDLE)[:-1])
    async with a_ranker("nats://127.0.0.1:1", state_dir=tmp_path, flush_ms=0) as ranker:
        assert (await ranker.rank(ITEMS))["degraded"] == ["features", "model"]
    assert "the bundle on disk cannot be used" in caplog.text


async def test_when_the_bus_goes_and_comes_back_so_do_features_and_slates(tmp_path: Path) -> None:
    server = start_nats(tmp_path / "nats")  # Ends with this process, should an assertion fail.
    log = fixture_log(100)
    async with connected(server.url, "test") as client:
        await make_inbox(client)
        await promote(client, BUNDLE)
        async with a_feature_store(server.url, log) as store, a_ranker(server.url) as ranker:
            await wait_until(store.fold.caught_up.is_set)
            await wait_until(lambda: ranker.model == BUNDLE.model)
            await wait_until(lambda: _ranked_by_store(ranker))
            shown = [(await ranker.rank(ITEMS))["slate"]]
            server.kill()
            slates = [await ranker.rank(ITEMS) for _ in range(20)]
            assert all(slate["degraded"] == ["features"] for slate in slates[5:])
            assert all(slate["model"] == BUNDLE.model for slate in slates)
            assert median(slate["took_ms"] for slate in slates[5:]) < 40
            shown += [slate["slate"] for slate in slates]
            server = start_nats(tmp_path / "nats", port=server.port)
            await wait_until(lambda: _ranked_by_store(ranker))
            shown.append((await ranker.rank(ITEMS))["slate"])
            await wait_until(lambda: len(ranker.ranker.outbox) == 0)
            stored = [decode_event(raw).id for raw in await inbox(client)]
            assert sorted(stored) == sorted(shown), "each slate once, those of the outage included"
    server.stop()


async def test_a_store_that_hangs_costs_only_the_first_requests_their_wait(nats_server: NatsServer) -> None:
    async with connected(nats_server.url, "test") as client, connected(nats_server.url, "store") as store:
        await promote(client, BUNDLE)
        answers = False

        async def hang(message: Msg) -> None:
            if answers:
                n = len(decode_request(message.data).items)
                zeros = bytes(4 * n * len(VIEW.columns))
                await store.publish(
                    message.reply, encode(VectorsAnswer(7, 0, len(VIEW.columns), zeros, bytes(4 * n)))
                )

        await store.subscribe(vectors_subject(VIEW.id), cb=hang)
        await store.flush()
        async with a_ranker(nats_server.url, features_timeout_ms=60) as ranker:
            await wait_until(lambda: ranker.model == BUNDLE.model)
            took = [(await ranker.rank(ITEMS, log=False))["took_ms"] for _ in range(8)]
            assert all(ms >= 55 for ms in took[:3])
            assert median(took[3:]) < 40
            answers = True
            # Nobody asks meanwhile: it finds out by itself that the store is back.
            await wait_until(lambda: _ranked_by_store(ranker))
            assert (await ranker.rank(ITEMS, log=False))["degraded"] == []


async def test_an_answer_that_is_none_is_as_if_there_was_none(nats_server: NatsServer) -> None:
    async with connected(nats_server.url, "test") as client, connected(nats_server.url, "store") as store:
        await promote(client, BUNDLE)
        raws = [
            b"\xc1",
            encode(VectorsAnswer(1, 0, 0, b"", b"", error="broken")),
            encode(VectorsAnswer(1, 0, len(VIEW.columns), b"too few", b"")),
        ]

        async def babble(message: Msg) -> None:
            await store.publish(message.reply, raws.pop())

        await store.subscribe(vectors_subject(VIEW.id), cb=babble)
        await store.flush()
        async with a_ranker(nats_server.url) as ranker:
            await wait_until(lambda: ranker.model == BUNDLE.model)
            for _ in range(3):
                assert (await ranker.rank(ITEMS, log=False))["degraded"] == ["features"]
            assert raws == []


async def test_vectors_of_another_width_are_not_for_this_model(nats_server: NatsServer) -> None:
    narrow = a_bundle(VIEW.id, VIEW.columns[:5], priors={"i7": 0.9, "i3": 0.7, "i5": 0.1})
    log = fixture_log(100)
    async with connected(nats_server.url, "test") as client:
        await promote(client, narrow)
        async with a_feature_store(nats_server.url, log) as store, a_ranker(nats_server.url) as ranker:
            await wait_until(store.fold.caught_up.is_set)
            await wait_until(lambda: ranker.model == narrow.model)
            await wait_until(lambda: _ranked_by_store(ranker))
            slate = await ranker.rank(ITEMS)
            assert (slate["degraded"], slate["model"]) == (["model"], None)
            # With a model, it did not ask how the store would order.
            assert order(slate) == BY_BUNDLE
            assert slate["features_sequence"] == 100


async def test_a_model_that_fails_on_some_rows_costs_their_order_and_no_answer(
    nats_server: NatsServer,
) -> None:
    onnx = as_bytes(a_short_table(len(VIEW.columns), VIEW.columns.index("price")))
    broken = structs.replace(BUNDLE, onnx=onnx, model=model_name(onnx))
    log = fixture_log(100)
    async with connected(nats_server.url, "test") as client:
        await promote(client, broken)
        async with a_feature_store(nats_server.url, log) as store, a_ranker(nats_server.url) as ranker:
            await wait_until(store.fold.caught_up.is_set)
            await wait_until(lambda: ranker.model == broken.model)
            await wait_until(lambda: _ranked_by_store(ranker))
            slate = await ranker.rank(ITEMS)
            assert (slate["degraded"], slate["model"]) == (["model"], None)
            assert order(slate) == BY_BUNDLE


async def test_while_only_the_declared_view_is_served_its_priors_order(nats_server: NatsServer) -> None:
    old = a_bundle("old-view-00000000", ["a", "b"])
    log = fixture_log(100)
    async with connected(nats_server.url, "test") as client:
        await promote(client, old)
        async with a_feature_store(nats_server.url, log) as store, a_ranker(nats_server.url) as ranker:
            await wait_until(store.fold.caught_up.is_set)
            await wait_until(lambda: ranker.model == old.model)
            await wait_until(lambda: _ranked_by_store(ranker))
            slate = await ranker.rank(ITEMS)
            assert (slate["degraded"], slate["model"], slate["view"]) == (["model"], None, VIEW.id)
            assert slate["features_sequence"] == 100
