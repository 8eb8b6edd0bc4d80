"""RankLens through Metarank's doors gives the vectors that it gives through ours: bit for bit, slate by slate."""

from __future__ import annotations

import asyncio
import gzip
import io
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import SlateServed, encode
from eddyline_contracts.vectors import VectorsAnswer, VectorsRequest
from eddyline_features.view import load_view
from tests.support.data import shared_data
from tests.support.system import System, a_system
from tests.support.waiting import wait_until
from tests.support.wiretap import tapped

CONFIG = Path(__file__).parents[2] / "examples" / "ranklens.yaml"
N_SLATES = 250


async def post(system: System, service: str, path: str, body: bytes) -> dict[str, Any]:
    async with system.client.post(system.url(service) + path, data=io.BytesIO(body)) as answer:
        assert answer.status == 200, await answer.text()
        told: dict[str, Any] = await answer.json()
        return told


class Native:
    """Speaks to a system in our own form; sends slates as a client's own."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.sequence = 0

    async def send(self, lines: list[bytes]) -> None:
        body = b"\n".join(encode(decode_event(line)) for line in lines)
        self.sequence = (await post(self.system, "ingest", "/v1/events", body))["sequence"]

    async def rank(self, line: bytes) -> list[str]:
        slate = decode_event(line)
        assert isinstance(slate, SlateServed)
        request = {
            "user": slate.user,
            "session": slate.session,
            "items": [{"item": i.item, "fields": i.fields} for i in slate.items],
            "context": slate.context,
            "occurred_at": slate.occurred_at,
            "min_sequence": self.sequence,
            "log": False,
        }
        told = await post(self.system, "ranker", "/v1/rank", json.dumps(request).encode())
        assert told["degraded"] == ["model"]
        return [item["item"] for item in told["items"]]


class Metarank:
    """Speaks to a system as Metarank's clients do, and sends everything twice; the ranker logs its slates."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.sequence = 0

    async def send(self, lines: list[bytes]) -> None:
        for _ in range(2):
            told = await post(self.system, "ingest", "/feedback", b"\n".join(lines))
            assert (told["accepted"], told["status"]) == (len(lines), "ok")
            self.sequence = max(self.sequence, told["sequence"])

    async def rank(self, line: bytes) -> list[str]:
        path = f"/rank/xgboost?min_sequence={self.sequence}"
        told = await post(self.system, "ranker", path, line)
        assert told["degraded"] == ["model"]
        return [item["item"] for item in told["items"]]


def shown(line: bytes, order: list[str]) -> bytes:
    """The ranking event as of a page that shows what the ranker answered."""
    told = json.loads(line)
    by_id = {item["id"]: item for item in told["items"]}
    return json.dumps(told | {"items": [by_id[item] for item in order]}).encode()


async def heard_of(
    door: type[Native | Metarank], folder: Path, items: list[bytes], visits: list[list[bytes]]
) -> tuple[list[tuple[VectorsRequest, VectorsAnswer]], int]:
    """What the ranker of a new system asked for and got, and how many events its log has in the end."""
    view = load_view(CONFIG.read_text())
    async with a_system(folder, CONFIG) as system, tapped(system.nats_url, view.id) as heard:
        client = door(system)
        await client.send(items)
        for ranking, *clicks in visits:
            order = await client.rank(ranking)
            await client.send([shown(ranking, order), *clicks])

        async def told() -> bool:
            return len([q for q, _ in heard if q.items]) == len(visits)

        await wait_until(told)
        n_sent = len(items) + sum(map(len, visits))

        async def logged() -> bool:
            return await system.logged() >= n_sent

        await wait_until(logged)
        return [(q, a) for q, a in heard if q.items], await system.logged()


@pytest.mark.data
@pytest.mark.timeout(120)
async def test_the_same_history_gives_the_same_vectors_through_either_door(tmp_path: Path) -> None:
    items: list[bytes] = []
    visits: list[list[bytes]] = []
    with gzip.open(shared_data("ranklens/events.jsonl.gz")) as lines:
        for line in map(bytes.strip, lines):
            event = json.loads(line)["event"]
            if event == "item":
                items.append(line)
            elif event == "ranking":
                visits.append([line])
            else:
                visits[-1].append(line)
    visits = [list(visit) for visit in itertools.islice(visits, N_SLATES)]
    assert sum(len(visit) - 1 for visit in visits) > N_SLATES
    for name in ("native", "metarank"):
        (tmp_path / name).mkdir()
    (native, n_native), (metarank, n_metarank) = await asyncio.gather(
        heard_of(Native, tmp_path / "native", items, visits),
        heard_of(Metarank, tmp_path / "metarank", items, visits),
    )
    # Sent twice, and the slates told of by the ranker, too: each counts once.
    assert n_native == n_metarank == len(items) + sum(map(len, visits))
    assert len(native) == len(metarank) == N_SLATES
    for number, ((question, answer), (same, other)) in enumerate(zip(native, metarank, strict=True)):
        assert question.items == same.items
        assert answer.vectors == other.vectors, number
        assert (answer.priors, answer.ranked_at) == (other.priors, other.ranked_at)
    # Nothing is equal merely because nothing is known.
    assert len({answer.vectors for _, answer in native}) > 200
