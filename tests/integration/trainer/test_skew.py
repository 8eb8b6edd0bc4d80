"""The skew monitor on a whole system: what rankers received is what the trainer replays, and a forged byte is seen."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from nats.aio.client import Client
from nats.js.client import JetStreamContext
from prometheus_client import REGISTRY

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import Event, InteractionRecorded, SlateServed, encode, to_millis, type_of
from eddyline_contracts.record import sequence_of
from eddyline_contracts.subjects import MSG_ID, event_subject, message_id
from eddyline_feature_store import service as feature_store
from eddyline_feature_store.settings import FeatureStoreSettings
from eddyline_runtime.bus import connected
from tests.support.inbox import a_log_writer
from tests.support.serving import CONFIG, RankerClient, a_ranker, inbox
from tests.support.training import LINES, a_trainer, get
from tests.support.waiting import wait_until

PER_SLATE = 12
HOUR_MS = 3_600_000


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"eddyline_trainer_skew_{name}", labels) or 0.0


async def publish(js: JetStreamContext, events: Iterable[Event]) -> int:
    """Onto the bus; the place of the last one in the log."""
    acks = []
    for event in events:
        headers = {MSG_ID: message_id(str(event.id))}
        acks.append(await js.publish_async(event_subject(type_of(event)), encode(event), headers=headers))
    return sequence_of(1, (await acks[-1]).seq)


async def live(js: JetStreamContext, ranker: RankerClient) -> int:
    """Live through the fixture, with slates of the ranker in between; how many there were."""
    rng, n = random.Random(5), 0
    for at in range(0, len(LINES), PER_SLATE):
        events = [decode_event(line) for line in LINES[at : at + PER_SLATE]]
        # What the file leaves without a name gets one, since the bus wants one.
        events = [e if e.id else msgspec.structs.replace(e, id=f"l{at}-{k}") for k, e in enumerate(events)]
        sequence = await publish(js, events)
        newest = max(to_millis(event.occurred_at) for event in events if event.occurred_at is not None)
        items = [{"item": f"i{k}", "fields": {"relevancy": rng.random()}} for k in rng.sample(range(60), 20)]
        request: dict[str, Any] = {
            "user": f"u{rng.randrange(20)}",
            "session": f"x{rng.randrange(20)}",
            "context": {"device": rng.choice(["phone", "desk"])},
            "occurred_at": newest + rng.randrange(2_000),
            "min_sequence": sequence,
        }
        # Of what is chosen from the catalogue, all candidates are compared, not only those that are shown.
        told = await (ranker.recommend(n=5, **request) if n % 2 else ranker.rank(items, **request))
        assert "features" not in told["degraded"]
        n += 1
    return n


def later(newest: int, n: int) -> Iterable[Event]:
    """So many clicks so much later that all before is ripe, and the fold is due to move."""
    for k in range(n):
        yield InteractionRecorded(id=f"later-{k}", user="z", item="i1", occurred_at=newest + HOUR_MS + k)
    yield InteractionRecorded(id="latest", user="z", item="i1", occurred_at=newest + 2 * HOUR_MS)


async def forge(client: Client, js: JetStreamContext, column: int) -> int:
    """Publish a slate of the ranker once more, with one bit of one value another."""
    slates = [event for event in map(decode_event, await inbox(client)) if isinstance(event, SlateServed)]
    real = next(slate for slate in reversed(slates) if slate.served_vectors)
    assert real.served_vectors is not None
    rows = list(real.served_vectors)
    row = bytearray(rows[3])
    row[4 * column + 3] ^= 0x40
    rows[3] = bytes(row)
    return await publish(js, [msgspec.structs.replace(real, id="forged", served_vectors=rows)])


@pytest.mark.timeout(60)
async def test_what_rankers_received_is_what_the_trainer_replays_and_one_bit_off_is_seen(
    nats_server: NatsServer, database_url: str, tmp_path: Path
) -> None:
    places = {"nats_url": nats_server.url, "database_url": database_url, "port": 0}
    config = tmp_path / "eddyline.yaml"
    # No model shall be made: what is ranked by priors is compared just so.
    config.write_text(CONFIG.read_text().replace("min_slates: 60", "min_slates: 100_000"))
    before = {o: metric("slates_total", outcome=o) for o in ("equal", "different")}
    async with (
        a_log_writer(nats_server.url, database_url),
        feature_store.running(FeatureStoreSettings(config=config, **places)) as store,
        a_trainer(nats_server.url, database_url, config=config) as trainer,
        a_ranker(nats_server.url, config=config, skew_share=1.0) as ranker,
        connected(nats_server.url, "test") as client,
    ):
        js = client.jetstream()
        await wait_until(store.fold.caught_up.is_set)
        await client.flush()
        n_slates = await live(js, ranker)
        await wait_until(lambda: len(ranker.ranker.outbox) == 0)
        columns = trainer.training.learner.view.columns
        column = columns.index("price")
        await forge(client, js, column)
        newest = trainer.training.learner.examples.joiner.mark.clock
        last = await publish(js, later(max(newest, store.fold.state.clock), 5_001))
        await wait_until(lambda: trainer.training.sequence >= last, 20)
        assert metric("slates_total", outcome="equal") - before["equal"] == n_slates
        assert metric("slates_total", outcome="different") - before["different"] == 1
        assert metric("largest") > 1
        status, health = await get(trainer.url + "/health/ready")
        told = health["details"]["skew"]
        assert (status, told["compared"], told["different"]) == (200, n_slates + 1, 1)
        assert told["columns"] == ["price"]
        assert metric("columns_total", column="price") >= 1
