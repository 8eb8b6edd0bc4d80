"""The encoder on real servers: what items say becomes vectors in the log, each once, and requests' texts are read."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from nats.aio.client import Client

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_cli.servers.processes import free_port
from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import ItemEmbedded
from eddyline_contracts.record import Record
from eddyline_contracts.subjects import embed_subject
from eddyline_encoder.service import RunningEncoder, running
from eddyline_encoder.settings import EncoderSettings
from eddyline_encoding.choosing import FIRST
from eddyline_eventlog.database import database
from eddyline_eventlog.postgres import PostgresLog
from eddyline_features.view import load_view
from eddyline_runtime.bus import connected
from eddyline_runtime.lifecycle import run_service
from tests.support.database_log import writing
from tests.support.inbox import Rows, a_log_writer, metric, published, rows_of
from tests.support.service_process import a_process
from tests.support.serving import folded
from tests.support.tiny_encoder import tiny_encoder
from tests.support.waiting import wait_until

VIEW = """
view: shop
label_window: 10m
actions: {click: 1}
content: {fields: [title]}
features: [{name: says, kind: content_similarity}]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "eddyline.yaml"
    path.write_text(VIEW)
    return path


class Shop:
    """Ways to send items, and what the log says of them."""

    def __init__(self, bus: Client, rows: Rows) -> None:
        self.bus = bus
        self._rows = rows
        self._n = 0

    async def item(self, name: str, title: str) -> None:
        self._n += 1
        told = {"type": "item", "id": f"e{self._n}", "item": name, "fields": {"title": title}}
        await published(self.bus, json.dumps(told).encode(), event_id=f"e{self._n}")

    async def facts(self) -> list[ItemEmbedded]:
        events = [decode_event(record.payload) for record in await self._rows.all()]
        return [event for event in events if isinstance(event, ItemEmbedded)]

    async def read(self, n: int) -> list[ItemEmbedded]:
        """The vectors, once there are so many."""

        async def are_there() -> bool:
            return len(await self.facts()) >= n

        await wait_until(are_there, 20)
        return await self.facts()

    async def records(self) -> list[Record]:
        return await self._rows.all()


@asynccontextmanager
async def a_shop(nats_url: str, database_url: str) -> AsyncIterator[Shop]:
    async with (
        a_log_writer(nats_url, database_url),
        connected(nats_url, "test") as bus,
        rows_of(database_url) as rows,
    ):
        yield Shop(bus, rows)


@asynccontextmanager
async def an_encoder(
    nats_url: str, database_url: str, config: Path, encoder: str, batch: int = 16
) -> AsyncIterator[RunningEncoder]:
    told = EncoderSettings(
        port=0,
        nats_url=nats_url,
        database_url=database_url,
        config=config,
        encoder=encoder,
        batch=batch,
        cpu_percent=100,
        nice=0,
    )
    async with running(told) as encoding:
        yield encoding


async def quiet(encoding: RunningEncoder) -> None:
    """Nothing is left to be read, and the log says so."""

    async def nothing_left() -> bool:
        return await metric(encoding.url, "eddyline_encoder_unread") == 0.0

    await wait_until(nothing_left, 20)


async def test_items_are_read_once_and_again_when_their_text_changes(
    nats_server: NatsServer, database_url: str, config: Path, tmp_path: Path
) -> None:
    folder = str(tiny_encoder(tmp_path / "encoder"))
    async with a_shop(nats_server.url, database_url) as shop:
        await shop.item("a", "red")
        await shop.item("b", "lamp")
        async with an_encoder(nats_server.url, database_url, config, folder) as encoding:
            assert {fact.item for fact in await shop.read(2)} == {"a", "b"}
            await shop.item("a", "red")
            await shop.item("b", "red socks")
            (*_, changed) = await shop.read(3)
            assert changed.item == "b"
            await quiet(encoding)
            assert encoding.reading.n_read == 3
        async with an_encoder(nats_server.url, database_url, config, folder) as again:
            await shop.item("c", "lamp")
            await shop.read(4)
            await quiet(again)
            assert again.reading.n_read == 1
        assert len(await shop.facts()) == 4
        async with database(database_url, name="test") as pool:
            content = (await folded(PostgresLog(pool), load_view(VIEW))).content
        assert content is not None
        assert content.has[:3].tolist() == [1, 1, 1]
        assert content.vectors[1].tolist() == pytest.approx([0.5**0.5, 0.5**0.5, 0.0], abs=0.01)


async def test_another_encoder_reads_everything_again_the_newest_first(
    nats_server: NatsServer, database_url: str, config: Path, tmp_path: Path
) -> None:
    one = str(tiny_encoder(tmp_path / "one"))
    other = str(tiny_encoder(tmp_path / "other", words={"red": (1.0, 0.0), "lamp": (0.0, 1.0)}))
    async with a_shop(nats_server.url, database_url) as shop:
        for name in "abc":
            await shop.item(name, "red lamp")
        async with an_encoder(nats_server.url, database_url, config, one):
            await shop.read(3)
        async with an_encoder(nats_server.url, database_url, config, other, batch=1):
            facts = await shop.read(6)
        assert [fact.item for fact in facts[3:]] == ["c", "b", "a"]
        assert len({fact.encoder for fact in facts[3:]} | {facts[0].encoder}) == 2
        # Back again: the same vectors as at first, and new facts.
        async with an_encoder(nats_server.url, database_url, config, one):
            facts = await shop.read(9)
        assert len({fact.id for fact in facts}) == 9
        assert {fact.encoder for fact in facts[6:]} == {facts[0].encoder}


async def test_two_at_once_log_each_vector_once(
    nats_server: NatsServer, database_url: str, config: Path, tmp_path: Path
) -> None:
    folder = str(tiny_encoder(tmp_path / "encoder"))
    async with a_shop(nats_server.url, database_url) as shop:
        async with (
            an_encoder(nats_server.url, database_url, config, folder, batch=2) as one,
            an_encoder(nats_server.url, database_url, config, folder, batch=3) as other,
        ):
            for n in range(20):
                await shop.item(f"i{n}", "red lamp" if n % 2 else "socks")
            await shop.read(20)
            await quiet(one)
            await quiet(other)
        facts = await shop.facts()
        assert len(facts) == 20
        assert {fact.item for fact in facts} == {f"i{n}" for n in range(20)}


async def test_words_are_fitted_to_the_log_and_a_restart_finds_the_same_encoder(
    nats_server: NatsServer, database_url: str, config: Path
) -> None:
    async with a_shop(nats_server.url, database_url) as shop:
        for n in range(FIRST - 1):
            await shop.item(f"i{n}", f"{('red', 'blue', 'old')[n % 3]} thing number {n}")
        async with an_encoder(nats_server.url, database_url, config, "tfidf") as encoding:
            assert encoding.reading.encoder is None
            await shop.item("last", "red thing")
            await shop.read(FIRST)
            await quiet(encoding)
        async with an_encoder(nats_server.url, database_url, config, "tfidf") as again:
            await shop.item("one more", "old thing")
            await shop.read(FIRST + 1)
            await quiet(again)
            assert again.reading.n_read == 1
        assert len({fact.encoder for fact in await shop.facts()}) == 1


async def test_a_text_that_is_asked_for_is_read_while_one_waits(
    nats_server: NatsServer, database_url: str, config: Path, tmp_path: Path
) -> None:
    folder = str(tiny_encoder(tmp_path / "encoder"))
    async with (
        a_shop(nats_server.url, database_url) as shop,
        an_encoder(nats_server.url, database_url, config, folder) as encoding,
    ):

        async def asked(text: bytes) -> str:
            return (await shop.bus.request(embed_subject(), text, timeout=5)).data.decode()

        await wait_until(lambda: is_ready(encoding.url), 20)
        # While items are read for hours, people still ask.
        over = threading.Event()
        busy = asyncio.create_task(encoding.worker.do(over.wait, 20.0))
        told = await asked(b"red lamp")
        over.set()
        assert await busy
        assert encoding.reading.encoder is not None
        encoder, _, raw = told.rpartition(":")
        assert encoder == encoding.reading.encoder.id
        assert np.frombuffer(base64.b64decode(raw), np.int8).tolist() == [127, 0, 127]
        assert await asked(b" red lamp ") == told
        assert await metric(encoding.url, 'eddyline_encoder_answers_total{outcome="known"}') >= 1.0
        nothing = [await asked(text) for text in (b"", b"unheard of", b"\xff", b"red " * 2_000)]
        assert nothing == [""] * 4


async def is_ready(url: str) -> bool:
    async with aiohttp.ClientSession() as http, http.get(f"{url}/health/ready") as answer:
        return answer.status == 200


async def test_while_the_inbox_is_away_nothing_is_lost(
    nats_server: NatsServer, database_url: str, config: Path, tmp_path: Path
) -> None:
    """Vectors that cannot be stored now are stored later: here there is no inbox at first."""
    folder = str(tiny_encoder(tmp_path / "encoder"))
    async with writing(database_url) as log:
        await log.append([b'{"type":"item","id":"e","item":"a","fields":{"title":"red"}}'])
    async with an_encoder(nats_server.url, database_url, config, folder) as encoding:
        await wait_until(lambda: _retried(encoding), 20)
        async with a_shop(nats_server.url, database_url) as shop:
            assert [fact.item for fact in await shop.read(1)] == ["a"]


async def _retried(encoding: RunningEncoder) -> bool:
    return await metric(encoding.url, "eddyline_encoder_retries_total") >= 1.0


def test_an_encoder_that_is_none_is_said_at_once_before_there_is_a_bus(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unheard_of = f"nats://127.0.0.1:{free_port()}"
    for name, said in (("nowhere", "neither `tfidf`"), (str(tmp_path), "there is no .*model.onnx")):
        told = {"ENCODER": name, "CONFIG": str(config), "NATS_URL": unheard_of, "NICE": "0"}
        for key, value in told.items():
            monkeypatch.setenv(f"EDDYLINE_{key}", value)
        with pytest.raises(SystemExit) as ended:
            run_service("encoder", EncoderSettings, running)
        assert ended.value.code == 2
        assert re.match(
            f"encoder: EDDYLINE_ENCODER={name}: .*{said}", capsys.readouterr().err.splitlines()[-1]
        )


async def test_as_a_process_it_tells_how_it_is_and_ends_when_it_is_told(
    nats_server: NatsServer, database_url: str, config: Path, tmp_path: Path
) -> None:
    environ = {
        "EDDYLINE_NATS_URL": nats_server.url,
        "EDDYLINE_DATABASE_URL": database_url,
        "EDDYLINE_CONFIG": str(config),
        "EDDYLINE_ENCODER": str(tiny_encoder(tmp_path / "encoder")),
    }
    async with a_shop(nats_server.url, database_url) as shop:
        await shop.item("a", "red")
        async with a_process("eddyline_encoder", tmp_path, environ) as process:
            await shop.read(1)
            async with aiohttp.ClientSession() as http, http.get(f"{process.url}/health/ready") as answer:
                told = await answer.json()
            assert told["details"]["encoder"].startswith("sentences-")
            assert await asyncio.to_thread(process.stop) == 0
