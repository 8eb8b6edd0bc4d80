"""Why items stood where they did, told by a whole system: at once by the ranker, and of the log by the trainer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from nats.js.client import JetStreamContext

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import Event, InteractionRecorded, SlateItem, SlateServed, encode, type_of
from eddyline_contracts.record import sequence_of
from eddyline_contracts.subjects import MSG_ID, event_subject, message_id
from eddyline_feature_store import service as feature_store
from eddyline_feature_store.settings import FeatureStoreSettings
from eddyline_features.languages import shipped
from eddyline_runtime.bus import connected
from eddyline_trainer.service import RunningTrainer
from tests.support.inbox import a_log_writer
from tests.support.serving import CONFIG, RankerClient, a_ranker
from tests.support.training import LINES, a_trainer
from tests.support.waiting import wait_until

MINUTE_MS = 60_000
ITEMS = [{"item": f"i{k}", "fields": {"relevancy": k / 7}} for k in range(60)]


class Whole:
    """All services of one log, with a champion in service."""

    def __init__(
        self, js: JetStreamContext, trainer: RunningTrainer, ranker: RankerClient, telling: RankerClient
    ) -> None:
        self._js = js
        self.trainer = trainer
        self.ranker = ranker
        self.telling = telling
        """A ranker whose slates carry the vectors that it got."""
        self.sequence = 0
        self.clock = 0

    async def publish(self, *events: Event) -> int:
        """Onto the bus; the place of the last one in the log."""
        acks = []
        for event in events:
            headers = {MSG_ID: message_id(str(event.id))}
            acks.append(
                await self._js.publish_async(event_subject(type_of(event)), encode(event), headers=headers)
            )
        self.sequence = sequence_of(1, (await acks[-1]).seq)
        return self.sequence

    async def read(self) -> None:
        """Wait until the trainer has read what was published."""
        await wait_until(lambda: self.trainer.training.sequence >= self.sequence, 20)

    async def look(self, slate: str, **headers: str) -> tuple[int, dict[str, Any]]:
        url = f"{self.trainer.url}/v1/slates/{slate}"
        async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def seen(self, slate: str, **headers: str) -> dict[str, Any]:
        """The slate, once the log has it."""

        async def there() -> dict[str, Any] | None:
            status, body = await self.look(slate, **headers)
            return body if status == 200 else None

        return await wait_until(there)  # type: ignore[return-value]


@asynccontextmanager
async def a_whole(nats_url: str, database_url: str, config: Path) -> AsyncIterator[Whole]:
    places = {"nats_url": nats_url, "database_url": database_url, "port": 0}
    async with (
        a_log_writer(nats_url, database_url),
        feature_store.running(FeatureStoreSettings(config=config, **places)) as store,  # type: ignore[arg-type]
        a_trainer(nats_url, database_url, config=config) as trainer,
        a_ranker(nats_url, config=config, skew_share=0.0) as ranker,
        a_ranker(nats_url, config=config, skew_share=1.0) as telling,
        connected(nats_url, "test") as client,
    ):
        whole = Whole(client.jetstream(), trainer, ranker, telling)
        events = [decode_event(line) for line in LINES]
        # What the file leaves without a name gets one, since the bus wants one.
        await whole.publish(
            *(e if e.id else msgspec.structs.replace(e, id=f"l{k}") for k, e in enumerate(events))
        )
        await whole.read()
        await wait_until(lambda: store.fold.state.sequence >= whole.sequence)
        # The last of those that were made on the way: none may be swapped in while two answers are compared.
        champion = trainer.training.learner.champion_name
        assert champion is not None
        await wait_until(lambda: ranker.model == telling.model == champion)
        whole.clock = store.fold.state.clock + MINUTE_MS
        yield whole


def total(item: dict[str, Any]) -> float:
    told = item["explanation"]
    return told["mean"] + sum(one["adds"] for one in told["contributions"]) + told["rest"]  # type: ignore[no-any-return]


def a_click(name: str, item: str, at: int, **more: Any) -> InteractionRecorded:
    return InteractionRecorded(id=name, item=item, occurred_at=at, **more)


@pytest.mark.timeout(90)
async def test_the_ranker_and_the_trainer_give_the_same_reasons_for_a_slate(
    nats_server: NatsServer, database_url: str, tmp_path: Path
) -> None:
    config = tmp_path / "eddyline.yaml"
    config.write_text(CONFIG.read_text())
    async with a_whole(nats_server.url, database_url, config) as whole:
        asked = {"user": "u1", "session": "x1", "occurred_at": whole.clock, "min_sequence": whole.sequence}
        # First, since a slate that is logged changes what the next one is ranked by.
        plain = await whole.ranker.rank(ITEMS, log=False, **asked)
        shown = await whole.ranker.rank(ITEMS, explain=True, context={"language": "de"}, **asked)
        assert shown["degraded"] == []
        first = shown["items"][:50]
        for item in first:
            assert total(item) == pytest.approx(item["score"], rel=0, abs=1e-9)
            adds = [abs(one["adds"]) for one in item["explanation"]["contributions"]]
            assert adds == sorted(adds, reverse=True)
            assert 0 < len(adds) <= 10
        assert all("explanation" not in item for item in shown["items"][50:])
        sentences = {item["explanation"]["sentence"] for item in first}
        german = {sentence for of_reason in shipped()["de"].values() for sentence in of_reason}
        assert sentences <= german
        assert len(sentences) > 1, "the features of these items differ, and so should the reasons"
        assert plain["items"] == [
            {k: v for k, v in item.items() if k != "explanation"} for item in shown["items"]
        ]

        # What is not replayed yet is not explained yet, and says so; what happened is told at once.
        name, (one, two, three) = shown["slate"], [item["item"] for item in shown["items"][:3]]
        await whole.seen(name)
        left = (await whole.ranker.rank(ITEMS, **{**asked, "user": "u2", "session": "x2"}))["slate"]
        # In the log before the clock goes on: a slate that comes when the fold may have passed its place is too late.
        await whole.seen(left)
        await whole.publish(
            a_click("c1", one, whole.clock + 1_000, user="u1", slate=name),
            a_click("c2", two, whole.clock + 2_000, user="u1"),
            a_click("c3", two, whole.clock + 2_000, user="u3"),
            a_click("c4", three, whole.clock + 6 * MINUTE_MS, user="u1", slate=name),
            SlateServed(
                id="newer", occurred_at=whole.clock + 3_000, session="x1", items=[SlateItem(item=three)]
            ),
            a_click("c5", three, whole.clock + 4_000, session="x1"),
        )
        await whole.read()
        early = await whole.seen(name)
        assert (early["vectors"], early["complete"]) == (None, False)
        assert early["looked_until"] >= whole.sequence
        assert "not replayed yet" in early["items"][0]["explanation"]["missing"]
        assert early["items"][0]["explanation"]["contributions"] == []
        assert [(f["event"], f["named"], f["in_time"]) for f in early["interactions"]] == [
            ("c1", True, True),
            ("c2", False, True),
            ("c4", True, False),
        ]
        assert [(f["item"], f["named"]) for f in (await whole.seen("newer"))["interactions"]] == [
            (three, False)
        ]

        # A ranker publishes its slate behind the answer: a quick click may be in the log before it.
        seen, at = whole.sequence, whole.clock + 5_000
        await whole.publish(
            a_click("c6", three, at + 100, user="u5", slate="overtaken"),
            SlateServed(
                id="overtaken",
                occurred_at=at,
                user="u5",
                items=[SlateItem(item=three)],
                policy="greedy",
                features_sequence=seen,
                ranked_at=at,
            ),
        )
        assert [(f["event"], f["in_time"]) for f in (await whole.seen("overtaken"))["interactions"]] == [
            ("c6", True)
        ]

        # A slate that carries its vectors is explained by them.
        told = await whole.telling.rank(
            ITEMS, explain=True, log=True, **{**asked, "user": "u4", "session": "x4"}
        )
        by_served = await whole.seen(told["slate"])
        assert by_served["vectors"] == "served"
        assert [i["explanation"] for i in by_served["items"][:50]] == [
            i["explanation"] for i in told["items"][:50]
        ]

        # Once the fold has passed it, the reasons are the ranker's own to the bit: one fold, one model.
        later = whole.clock + 120 * MINUTE_MS
        await whole.publish(*(a_click(f"later-{k}", "i1", later + k, user="z") for k in range(5_001)))
        await whole.publish(a_click("latest", "i1", later + 60 * MINUTE_MS, user="z"))
        await whole.read()
        late = await whole.seen(name)
        assert late["vectors"] == "replayed"
        assert [i["explanation"] for i in late["items"][:50]] == [i["explanation"] for i in first]
        assert late["items"][50]["explanation"] is None
        assert [(i["item"], i["position"]) for i in late["items"]] == [
            (item["item"], k) for k, item in enumerate(shown["items"])
        ]
        assert (late["model"], late["policy"], late["n_candidates"]) == (shown["model"], "greedy", 60)
        assert (late["user"], late["context"], late["ranked_at"]) == (
            "u1",
            {"language": "de"},
            shown["ranked_at"],
        )
        # One that nobody acted on teaches nothing, and is explained all the same; in the browser's language here.
        unloved = await whole.seen(left, **{"Accept-Language": "de-AT,en;q=0.5"})
        assert (unloved["vectors"], unloved["interactions"]) == ("replayed", [])
        assert {item["explanation"]["sentence"] for item in unloved["items"][:50]} <= german

        # A client's own slate has no model to ask; and what is no slate is not found.
        own = await whole.seen("newer")
        assert (own["policy"], own["model"]) == (None, None)
        assert own["items"][0]["explanation"]["missing"] == "no model gave the scores"
        assert own["items"][0]["explanation"]["sentence"] == "Recommended for you"
        for nobody, why in [
            ("nobody", "the log has no slate 'nobody'"),
            ("c1", "'c1' is the id of another event (interaction), not of a slate"),
            ("%00", "the log has no slate"),
            ("x" * 200, "the log has no slate"),
            ("%ff%f0", "the log has no slate"),
        ]:
            status, problem = await whole.look(nobody)
            assert status == 404, json.dumps(problem)
            assert why in problem["detail"]
