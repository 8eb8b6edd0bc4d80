"""The serving side in a test's own process: a feature-store over a log in memory, rankers, and a client for them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from nats.aio.client import Client

from eddyline_contracts.record import decode_record
from eddyline_contracts.subjects import EPOCH_METADATA, INBOX_STREAM, INBOX_SUBJECTS
from eddyline_eventlog.memory import MemoryLog
from eddyline_eventlog.port import Log
from eddyline_feature_store.service import RunningFeatureStore, hosting
from eddyline_feature_store.settings import FeatureStoreSettings
from eddyline_features.state import State
from eddyline_features.view import View, load_view
from eddyline_ranker.service import RunningRanker, running
from eddyline_ranker.settings import RankerSettings
from eddyline_runtime.bus import connected

DATA = Path(__file__).parents[1] / "data"
CONFIG = DATA / "eddyline.yaml"


def fixture_view() -> View:
    """The view of the fixture."""
    return load_view(CONFIG.read_text())


def fixture_log(n: int | None = None) -> MemoryLog:
    """A log of the fixture's events, or of the first ``n``."""
    log = MemoryLog()
    for line in (DATA / "events.jsonl").read_bytes().splitlines()[:n]:
        log.append(line)
    return log


async def folded(log: Log, view: View, until: int | None = None) -> State:
    """The state at a place of the log, folded from its beginning."""
    state = State(view)
    async for batch in log.read(0, await log.last() if until is None else until):
        state.apply_all([decode_record(record) for record in batch.records])
        state.advance(batch.last)
    return state


@asynccontextmanager
async def a_feature_store(
    nats_url: str, log: Any, *, config: Path = CONFIG, client: Client | None = None, **settings: Any
) -> AsyncIterator[RunningFeatureStore]:
    """A feature-store on this log."""
    told = FeatureStoreSettings(nats_url=nats_url, port=0, config=config, **settings)
    async with connected(nats_url, "test-feature-store") as own:
        async with hosting(told, client or own, log) as hosted:
            yield hosted


class RankerClient:
    """Calls one ranker."""

    def __init__(self, ranker: RunningRanker, http: aiohttp.ClientSession) -> None:
        self.ranker = ranker
        self.url = ranker.url
        self._http = http

    async def post(self, path: str = "/v1/rank", /, **request: Any) -> tuple[int, dict[str, Any]]:
        """Status and body of a ``POST``."""
        body = json.dumps(request, ensure_ascii=False).encode()
        async with self._http.post(self.url + path, data=body) as answer:
            return answer.status, await answer.json(content_type=None)

    async def rank(self, items: list[Any], user: str | None = "u1", **request: Any) -> dict[str, Any]:
        """The slate of a request that must go through."""
        status, body = await self.post(items=items, user=user, **request)
        assert status == 200, body
        return body

    async def recommend(self, user: str | None = "u1", **request: Any) -> dict[str, Any]:
        """The slate of a ``POST /v1/recommend`` that must go through."""
        status, body = await self.post("/v1/recommend", user=user, **request)
        assert status == 200, body
        return body

    async def get(self, path: str) -> tuple[int, Any]:
        """Status and body of a ``GET``."""
        async with self._http.get(self.url + path) as answer:
            return answer.status, await answer.json(content_type=None)

    @property
    def model(self) -> str | None:
        """Name of the model in service."""
        model = self.ranker.champion.model
        return None if model is None else model.name


@asynccontextmanager
async def a_ranker(nats_url: str, **settings: Any) -> AsyncIterator[RankerClient]:
    """A ranker and a client for it; looks for a champion every 50 ms, and stops in 200 ms where there is no inbox."""
    told = {"config": CONFIG, "port": 0, "champion_poll_ms": 50, "flush_ms": 200, **settings}
    async with running(RankerSettings(nats_url=nats_url, **told)) as ranker:
        async with aiohttp.ClientSession() as http:
            yield RankerClient(ranker, http)


async def make_inbox(client: Client) -> None:
    """The stream that the log writer would make."""
    await client.jetstream().add_stream(
        name=INBOX_STREAM, subjects=[INBOX_SUBJECTS], duplicate_window=120, metadata={EPOCH_METADATA: "0"}
    )


async def inbox(client: Client) -> list[bytes]:
    """All events in the inbox."""
    js = client.jetstream()
    state = (await js.stream_info(INBOX_STREAM)).state
    found = []
    for sequence in range(max(1, state.first_seq), state.last_seq + 1):
        message = await js.get_msg(INBOX_STREAM, sequence)
        found.append(message.data or b"")
    return found
