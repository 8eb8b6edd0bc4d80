"""From the whole catalogue to a click that teaches: everything runs, and the log tells how it came about."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from eddyline_eventlog.database import database
from eddyline_eventlog.postgres import PostgresLog
from eddyline_features.view import load_view
from eddyline_trainer.replay import replay_slates
from tests.support.system import System, a_system
from tests.support.waiting import wait_until

DATA = Path(__file__).parents[1] / "data"


async def post(system: System, service: str, path: str, body: Any) -> dict[str, Any]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = {"Content-Type": "application/x-ndjson"} if isinstance(body, bytes) else {}
    async with system.client.post(system.url(service) + path, data=raw, headers=kind) as answer:
        told: dict[str, Any] = await answer.json(content_type=None)
        assert answer.status == 200, told
        return told


@pytest.mark.timeout(240)
async def test_a_new_item_is_recommended_clicked_and_learnt_from_and_a_removed_one_is_gone(
    tmp_path: Path,
) -> None:
    config = tmp_path / "eddyline.yaml"
    section = "recommend: {candidates: 60, fields: [genres]}"
    config.write_text(
        re.sub("^recommend: .*$", section, (DATA / "eddyline.yaml").read_text(), flags=re.MULTILINE)
    )
    view = load_view(config.read_text())
    settings = {"EDDYLINE_SKEW_SHARE": "1", "EDDYLINE_RETRIEVAL_TIMEOUT_MS": "5000"}
    async with a_system(tmp_path, config, **settings) as system:
        await post(system, "ingest", "/v1/events", (DATA / "events.jsonl").read_bytes())
        item = {"type": "item", "item": "brand-new", "fields": {"genres": ["never-seen-genre"], "price": 3}}
        receipt = await post(system, "ingest", "/v1/events", item)
        asked = {"user": "u1", "session": "x-e2e", "n": 5, "filters": {"genres": "never-seen-genre"}}
        new = await post(system, "ranker", "/v1/recommend", {**asked, "min_sequence": receipt["sequence"]})
        assert [shown["item"] for shown in new["items"]] == ["brand-new"]
        slate = await post(system, "ranker", "/v1/recommend", {"user": "u1", "session": "x-e2e", "n": 5})
        assert len(slate["items"]) == 5
        clicked = slate["items"][2]["item"]
        click = {"type": "interaction", "user": "u1", "session": "x-e2e", "item": clicked}
        receipt = await post(system, "ingest", "/v1/events", {**click, "slate": slate["slate"]})
        # What was acted on is not shown again.
        after = await post(
            system,
            "ranker",
            "/v1/recommend",
            {"user": "u1", "n": 1_000, "min_sequence": receipt["sequence"], "log": False},
        )
        assert clicked not in [shown["item"] for shown in after["items"]]
        receipt = await post(
            system, "ingest", "/v1/events", {"type": "item", "item": "brand-new", "removed": True}
        )
        gone = await post(system, "ranker", "/v1/recommend", {**asked, "min_sequence": receipt["sequence"]})
        assert (gone["items"], gone["degraded"]) in (([], []), ([], ["model"]))

        async def learnt() -> Any:
            path = f"{system.url('trainer')}/v1/slates/{slate['slate']}"
            async with system.client.get(path) as answer:
                told = await answer.json() if answer.status == 200 else {}
            return told if told.get("interactions") else None

        papers = await wait_until(learnt, 20)
        assert [(one["item"], one["source"]) for one in papers["items"]] == [
            (one["item"], one["source"]) for one in slate["items"]
        ]
        assert papers["n_candidates"] > 5
        (lesson,) = papers["interactions"]
        assert (lesson["item"], lesson["named"], lesson["in_time"]) == (clicked, True, True)

        async with database(system.database_url, name="test") as pool:
            log = PostgresLog(pool)

            async def replayed() -> Any:
                slates = replay_slates(log, view, await log.last())
                return [one async for one in slates if one.id == slate["slate"]]

            (told,) = await wait_until(replayed)
        assert sorted(told.places, key=told.places.__getitem__) == [one["item"] for one in slate["items"]]
        assert len(told.candidates) > len(told.places)
        assert told.served_vectors == [row.astype("<f4").tobytes() for row in told.vectors]
        await no_removed_item_without_the_store(system)


async def no_removed_item_without_the_store(system: System) -> None:
    """The feature-store is gone; what has left the catalogue before and after that is not recommended."""

    async def served() -> bool:
        slate = await post(system, "ranker", "/v1/recommend", {"user": "u1", "log": False})
        return slate["model"] is not None

    async def left() -> list[str]:
        asked = {"user": "u1", "n": 1_000, "log": False}
        slate = await post(system, "ranker", "/v1/recommend", asked)
        return [shown["item"] for shown in slate["items"]] if slate["degraded"] == ["features"] else []

    await wait_until(served, 60)
    # Whoever starts it again is to wait for the end of this.
    system.process.send_signal(signal.SIGSTOP)
    try:
        system.kill("feature-store")
        items = await wait_until(left)
        assert len(items) > 5
        assert "brand-new" not in items
        await post(system, "ingest", "/v1/events", {"type": "item", "item": items[0], "removed": True})

        async def without_it() -> bool:
            return await left() == items[1:]

        await wait_until(without_it)
    finally:
        system.process.send_signal(signal.SIGCONT)
