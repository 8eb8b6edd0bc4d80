"""What the registry makes of models from outside that come more than once, and of a pin beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import msgspec
import pytest

from eddyline_contracts.bundle import Bundle
from eddyline_eventlog.database import database
from eddyline_learning.challenger import OUTSIDE, Challenger
from eddyline_learning.comparison import PROMOTE, ROLL_BACK, Decision
from eddyline_learning.cycle import Cut
from eddyline_runtime.problems import Conflict
from eddyline_trainer.library import Library
from eddyline_trainer.papers import FinishedCycle
from eddyline_trainer.registry import Registry
from tests.support.bundles import a_bundle

OURS = a_bundle("v", ["a"])
THEIRS = msgspec.structs.replace(a_bundle("v", ["a"], seed=1), metrics={OUTSIDE: {"name": "", "note": ""}})


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with database(database_url) as pool:
        yield pool


async def decide(
    registry: Registry, number: int, outcome: str | None, champion: Bundle, opponent: str = "item-priors"
) -> None:
    """A cycle in which the gate made this the champion; the first one also made it."""
    decisions = [Decision(champion.model, opponent, outcome, "", 9, 0.1, 0.1, 0.1, 0.0)] if outcome else []
    cycle = FinishedCycle(
        view=champion.view,
        learning="l",
        cut=Cut(number, number * 10),
        outcome="made",
        made=Challenger(champion, "") if champion is OURS and number == 1 else None,
        metrics={},
        decisions=decisions,
        champion=champion.model,
        takes_over=True,
        live=[],
        state={},
        cost={},
        gate_seconds=0.0,
        finished_at=number,
    )
    assert await registry.finish(cycle)


async def test_each_promotion_of_a_model_that_is_added_twice_is_an_event_of_its_own(
    pool: asyncpg.Pool,
) -> None:
    registry, library = Registry(pool), Library(pool)
    await decide(registry, 1, PROMOTE, OURS)
    for number in (2, 4):
        await registry.add(THEIRS, "l", last=number * 10 - 5, now=number)
        await decide(registry, number, PROMOTE, THEIRS, OURS.model)
        await decide(registry, number + 1, ROLL_BACK, OURS, THEIRS.model)
    told = await library.events(100)
    assert [kind for _, kind, _ in told] == [
        "model_promoted",
        *("model_added", "model_promoted", "model_rolled_back") * 2,
    ]
    # Who was only added has not served.
    changed = [(of.outcome, of.challenger) for of in reversed(await library.changes(100))]
    assert changed == [(PROMOTE, OURS.model), *((PROMOTE, THEIRS.model), (ROLL_BACK, OURS.model)) * 2]
    assert [of.outcome for of in await library.decisions(100)].count("add") == 2
    assert len({event_id for event_id, _, _ in told}) == len(told)
    for event_id, _, payload in told:
        assert msgspec.json.decode(payload)["id"] == event_id


async def test_a_pinned_champion_can_be_released_after_a_model_was_added(pool: asyncpg.Pool) -> None:
    registry = Registry(pool)
    await decide(registry, 1, PROMOTE, OURS)
    await registry.promote_by_hand(OURS.model, "v", "l", pin=True, last=11, now=2)
    await registry.add(THEIRS, "l", last=12, now=3)
    with pytest.raises(Conflict, match="is pinned"):
        await registry.promote_by_hand(OURS.model, "v", "l", pin=True, last=13, now=4)
    told = await registry.promote_by_hand(OURS.model, "v", "l", pin=False, last=13, now=4)
    assert (told.model, told.replaced) == (OURS.model, OURS.model)


async def test_a_model_that_is_added_to_another_view_is_served_as_of_that(pool: asyncpg.Pool) -> None:
    registry, library = Registry(pool), Library(pool)
    await decide(registry, 1, PROMOTE, OURS)
    await registry.add(THEIRS, "l", last=12, now=3)
    anew = msgspec.structs.replace(THEIRS, view="w")
    await registry.add(anew, "l", last=13, now=4)
    (papers,) = [papers for papers in await library.models(9) if papers.model == THEIRS.model]
    found = await library.challenger(THEIRS.model)
    assert found is not None
    assert (papers.view, found.bundle.view) == ("w", "w")
    # What serves the old view would serve the new one's columns from one moment to the next.
    await decide(registry, 2, PROMOTE, anew)
    with pytest.raises(Conflict, match="still serves the view w"):
        await registry.add(THEIRS, "l", last=25, now=6)
