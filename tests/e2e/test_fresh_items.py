"""A whole system: what came into the catalogue a moment ago is recommended, and what was removed never is."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.system import System, a_system
from tests.support.traffic import catalogue

CONFIG = Path(__file__).parents[1] / "data" / "eddyline.yaml"
RECOMMEND = (
    "recommend: {candidates: 40, fields: [genres, price]}\nexploration: {policy: epsilon, epsilon: 0.3}\n"
)
N_ITEMS = 300


async def post(system: System, *events: dict[str, Any]) -> int:
    """The place in the log of the last of them."""
    async with system.client.post(system.url("ingest") + "/v1/events", json=list(events)) as answer:
        assert answer.status == 200, await answer.text()
        sequence: int = (await answer.json())["sequence"]
        return sequence


async def recommended(system: System, user: str, **request: Any) -> list[str]:
    """Items of a slate of 20 that lacks nothing but a model."""
    body = {"user": user, "n": 20, "context": {"device": "phone"}, **request}
    async with system.client.post(system.url("ranker") + "/v1/recommend", json=body) as answer:
        told = await answer.json(content_type=None)
        assert answer.status == 200, told
        assert set(told["degraded"]) <= {"model"}, told["degraded"]
        return [item["item"] for item in told["items"]]


@pytest.mark.timeout(120)
async def test_an_item_of_a_second_ago_is_recommended_and_one_that_was_removed_never(tmp_path: Path) -> None:
    config = tmp_path / "eddyline.yaml"
    plain = [line for line in CONFIG.read_text().split("\n") if not line.startswith("recommend:")]
    config.write_text("\n".join(plain) + "\n" + RECOMMEND)
    rng = random.Random(3)
    async with a_system(tmp_path, config) as system:
        await post(system, *catalogue(N_ITEMS, rng))
        # Something is popular, so that there is more to show than what is new.
        old = [
            {"type": "interaction", "user": f"u{n % 30}", "item": f"i{rng.randrange(60)}", "action": "click"}
            for n in range(300)
        ]
        await post(system, *old)

        item = {"type": "item", "item": "fresh", "fields": {"genres": ["opera"], "price": 7.5}}
        began = time.monotonic()
        place = await post(system, item)
        opera = await recommended(system, "somebody", min_sequence=place, filters={"genres": "opera"})
        assert opera == ["fresh"], "known at once, to whoever reads their own writes"
        assert time.monotonic() - began < 1.0
        # A second later it is found among all the others, by whoever comes, without a word of it.
        await asyncio.sleep(max(0.0, began + 1.0 - time.monotonic()))
        slates = await asyncio.gather(*(recommended(system, f"new-{n}") for n in range(60)))
        assert all(len(slate) == 20 for slate in slates)
        assert any("fresh" in slate for slate in slates)
        assert not all("fresh" in slate for slate in slates), "chance has a say in it"

        place = await post(system, {"type": "item", "item": "fresh", "removed": True})
        opera = await recommended(system, "somebody", min_sequence=place, filters={"genres": "opera"})
        assert opera == []
        slates = await asyncio.gather(
            *(recommended(system, f"later-{n}", min_sequence=place, n=40) for n in range(60))
        )
        assert all(len(slate) == 40 for slate in slates)
        assert not any("fresh" in slate for slate in slates)
