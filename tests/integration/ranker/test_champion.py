"""The model in service follows the champion key: swaps drop nothing and mix nothing, broken bundles change nothing."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import time
from pathlib import Path
from typing import Any

import pytest

from eddyline_cli.servers.nats_server import NatsServer, start_nats
from eddyline_contracts.bundle import Bundle, encode_bundle
from eddyline_ranker.bundle_file import read_bundle
from eddyline_runtime.bus import connected
from tests.support.bundles import a_bundle, crown, linear_onnx, promote, put_bundle, scores_by
from tests.support.serving import (
    CONFIG,
    RankerClient,
    a_feature_store,
    a_ranker,
    fixture_log,
    fixture_view,
    folded,
)
from tests.support.waiting import wait_until

VIEW = fixture_view()
ITEMS = [f"i{k}" for k in range(40)]
AT = 1_736_200_000_000


def bundles(n: int) -> list[Bundle]:
    return [a_bundle(VIEW.id, VIEW.columns, seed=seed) for seed in range(n)]


async def test_swaps_under_load_drop_no_request_and_mix_no_models(nats_server: NatsServer) -> None:
    log = fixture_log()
    vectors = (await folded(log, VIEW)).vectors("u1", None, ITEMS, None, {}, AT)
    models = {bundle.model: bundle for bundle in bundles(4)}
    expected = {
        name: dict(zip(ITEMS, scores_by(bundle, vectors), strict=True)) for name, bundle in models.items()
    }
    seen: dict[str, int] = {}
    async with connected(nats_server.url, "test") as client:
        for bundle in models.values():
            await put_bundle(client, bundle)
        await crown(client, next(iter(models.values())))
        async with a_feature_store(nats_server.url, log) as store, a_ranker(nats_server.url) as ranker:
            await wait_until(store.fold.caught_up.is_set)
            await wait_until(lambda: ranker.model in models)
            await wait_until(lambda: _whole(ranker))
            stop = asyncio.Event()

            async def load() -> None:
                while not stop.is_set():
                    slate = await ranker.rank(ITEMS, occurred_at=AT, log=False)
                    assert slate["degraded"] == []
                    got = {item["item"]: item["score"] for item in slate["items"]}
                    assert got == expected[slate["model"]]
                    seen[slate["model"]] = seen.get(slate["model"], 0) + 1

            loads = [asyncio.create_task(load()) for _ in range(4)]
            for bundle in itertools.islice(itertools.cycle(models.values()), 1, 13):
                before = seen.get(bundle.model, 0)
                await crown(client, bundle)
                # Each serves a while, with requests under way, before the next takes its place.
                await wait_until(lambda name=bundle.model, n=before: seen.get(name, 0) >= n + 10)
            stop.set()
            await asyncio.gather(*loads)
    assert set(seen) == set(models)


async def _whole(ranker: RankerClient) -> bool:
    return not (await ranker.rank(["i1"], log=False))["degraded"]


async def test_a_champion_is_taken_and_taken_back_within_two_seconds(nats_server: NatsServer) -> None:
    first, second = bundles(2)
    async with connected(nats_server.url, "test") as client:
        # The slow beat of the default, so that being told is what counts.
        async with a_ranker(nats_server.url, champion_poll_ms=1_000) as ranker:
            for bundle in (first, second, first):
                await promote(client, bundle)
                started = time.monotonic()
                await wait_until(lambda name=bundle.model: ranker.model == name)
                assert time.monotonic() - started < 2.0


async def test_two_rankers_share_a_champion(nats_server: NatsServer) -> None:
    first, second = bundles(2)
    async with connected(nats_server.url, "test") as client:
        await promote(client, first)
        async with a_ranker(nats_server.url) as one, a_ranker(nats_server.url) as two:
            await wait_until(lambda: one.model == two.model == first.model)
            await promote(client, second)
            await wait_until(lambda: one.model == two.model == second.model)


def damaged() -> tuple[Bundle, bytes, str]:
    bundle = bundles(3)[2]
    raw = bytearray(encode_bundle(bundle))
    raw[len(raw) // 2] ^= 1
    return bundle, bytes(raw), "checksum does not match"


def another() -> tuple[Bundle, bytes, str]:
    return bundles(3)[2], encode_bundle(bundles(2)[1]), "holds the model"


def wrong_columns() -> tuple[Bundle, bytes, str]:
    bundle = a_bundle(VIEW.id, VIEW.columns, onnx=linear_onnx(len(VIEW.columns) + 1, 9))
    return bundle, encode_bundle(bundle), "columns, the bundle names"


def no_graph() -> tuple[Bundle, bytes, str]:
    bundle = a_bundle(VIEW.id, VIEW.columns, onnx=b"not a graph")
    return bundle, encode_bundle(bundle), "onnxruntime cannot load it"


@pytest.mark.parametrize("make", [damaged, another, wrong_columns, no_graph])
async def test_a_bundle_that_cannot_be_served_leaves_the_old_one(
    nats_server: NatsServer, caplog: pytest.LogCaptureFixture, make: Any
) -> None:
    old, next_one = bundles(2)
    broken, raw, why = make()
    async with connected(nats_server.url, "test") as client:
        await promote(client, old)
        async with a_ranker(nats_server.url) as ranker:
            await wait_until(lambda: ranker.model == old.model)
            await put_bundle(client, broken, raw=raw)
            await crown(client, broken)
            await wait_until(lambda: why in caplog.text)
            assert ranker.model == old.model
            assert (await ranker.rank(ITEMS, log=False))["model"] == old.model
            await promote(client, next_one)
            await wait_until(lambda: ranker.model == next_one.model)


async def test_a_champion_that_cannot_be_served_keeps_no_ranker_from_answering(
    nats_server: NatsServer,
) -> None:
    broken, raw, _ = damaged()
    async with connected(nats_server.url, "test") as client:
        await put_bundle(client, broken, raw=raw)
        await crown(client, broken)
        async with a_ranker(nats_server.url) as ranker:
            await wait_until(lambda: _ready(ranker))
            assert (await ranker.rank(ITEMS, log=False))["degraded"] == ["features", "model"]


async def _ready(ranker: RankerClient) -> bool:
    return (await ranker.get("/health/ready"))[0] == 200


async def test_a_bundle_that_is_not_there_yet_is_taken_when_it_is(
    nats_server: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    (bundle,) = bundles(1)
    async with connected(nats_server.url, "test") as client:
        await put_bundle(client, bundles(2)[1])
        await crown(client, bundle)
        async with a_ranker(nats_server.url) as ranker:
            await wait_until(lambda: caplog.text.count("the bundle cannot be fetched") > 1)
            assert ranker.model is None
            await put_bundle(client, bundle)
            await wait_until(lambda: ranker.model == bundle.model)


async def test_a_model_of_another_view_waits_until_that_view_answers(
    nats_server: NatsServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "eddyline_ranker.champion")
    other_config = tmp_path / "other.yaml"
    other_config.write_text(CONFIG.read_text().replace("view: fixture", "view: other"))
    log = fixture_log(100)
    (old,) = bundles(1)
    async with connected(nats_server.url, "test") as client:
        await promote(client, old)
        async with a_feature_store(nats_server.url, log) as store, a_ranker(nats_server.url) as ranker:
            await wait_until(store.fold.caught_up.is_set)
            await wait_until(lambda: ranker.model == old.model)
            new = a_bundle(VIEW.id.replace("fixture", "other"), VIEW.columns, seed=5)
            await promote(client, new)
            await wait_until(lambda: _whole(ranker))

            async def found_it_silent_again() -> bool:
                assert (await ranker.rank(ITEMS, log=False))["model"] == old.model
                return caplog.text.count("the new view's feature-store does not answer yet") > 1

            await wait_until(found_it_silent_again)
            async with a_feature_store(nats_server.url, log, config=other_config) as other:
                assert other.fold.state.view.id == new.view
                await wait_until(lambda: ranker.model == new.model)
                slate = await ranker.rank(ITEMS, log=False)
                assert (slate["model"], slate["view"], slate["degraded"]) == (new.model, new.view, [])


async def test_the_last_champion_is_kept_on_disk_for_a_start_without_a_bus(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    first, second = bundles(2)
    async with connected(nats_server.url, "test") as client:
        await promote(client, first)
        async with a_ranker(nats_server.url, state_dir=tmp_path) as ranker:
            await wait_until(lambda: ranker.model == first.model)
            await promote(client, second)
            await wait_until(lambda: ranker.model == second.model)
            await wait_until(lambda: _kept(tmp_path) == second.model)
    async with a_ranker("nats://127.0.0.1:1", state_dir=tmp_path) as ranker:
        assert ranker.model == second.model
        assert (await ranker.rank(ITEMS, log=False))["degraded"] == ["features"]


def _kept(folder: Path) -> str:
    return read_bundle(folder / "champion.bundle")[0].model


async def test_a_start_from_disk_gives_way_to_the_champion_of_the_bus(tmp_path: Path) -> None:
    old, new = bundles(2)
    (tmp_path / "champion.bundle").write_bytes(encode_bundle(old))
    server = start_nats(tmp_path / "nats")
    async with connected(server.url, "test") as client:
        await promote(client, new)
        async with a_ranker(server.url, state_dir=tmp_path) as ranker:
            assert ranker.model in (old.model, new.model)
            await wait_until(lambda: ranker.model == new.model)
    server.stop()


async def test_a_key_that_cannot_be_read_changes_nothing(
    nats_server: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    (bundle,) = bundles(1)
    async with connected(nats_server.url, "test") as client:
        await promote(client, bundle)
        async with a_ranker(nats_server.url) as ranker:
            await wait_until(lambda: ranker.model == bundle.model)
            models = await client.jetstream().key_value("models")
            await models.put("champion", b"nonsense")
            await wait_until(lambda: "the champion key cannot be read" in caplog.text)
            assert ranker.model == bundle.model
            caplog.set_level(logging.DEBUG, "eddyline_ranker.champion")
            await models.delete("champion")
            await wait_until(lambda: caplog.text.count("there is no champion") > 1)
            assert ranker.model == bundle.model


async def test_a_bus_that_lost_its_memory_leaves_the_model_in_service(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "eddyline_ranker.champion")
    first, second = bundles(2)
    server = start_nats(tmp_path / "nats")
    async with connected(server.url, "test") as client:
        await promote(client, first)
        async with a_ranker(server.url) as ranker:
            await wait_until(lambda: ranker.model == first.model)
            server.kill()
            os.rename(tmp_path / "nats", tmp_path / "lost")
            server = start_nats(tmp_path / "nats", port=server.port)
            seen = caplog.text.count("there is no champion")
            await wait_until(lambda: caplog.text.count("there is no champion") > seen + 1)
            assert ranker.model == first.model
            await wait_until(lambda: client.is_connected)
            await promote(client, second)
            await wait_until(lambda: ranker.model == second.model)
    server.stop()


async def test_a_ranker_that_keeps_its_first_model_serves_it_for_ever(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    first, second, third = bundles(3)
    log, kept = fixture_log(), {"keep_first_model": True, "state_dir": tmp_path / "kept"}
    async with connected(nats_server.url, "test") as client, a_feature_store(nats_server.url, log):
        async with (
            a_ranker(nats_server.url) as ranker,
            a_ranker(nats_server.url, **kept) as keeper,
        ):
            await promote(client, first)
            await wait_until(lambda: keeper.model == first.model)
            for bundle in (second, third):
                await promote(client, bundle)
                # The other one has heard of it and serves it: so it was there to be had.
                await wait_until(lambda name=bundle.model: ranker.model == name)
            assert keeper.model == first.model
        async with a_ranker(nats_server.url, **kept) as again:
            assert again.model == first.model
            await wait_until(lambda: _whole(again))
            slate = await again.rank(ITEMS, occurred_at=AT, log=False)
            assert slate["model"] == first.model
