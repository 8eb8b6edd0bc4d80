"""The state moves on with the log, and who waits for a place is woken at it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from eddyline_eventlog.memory import MemoryLog
from eddyline_eventlog.port import LogEndsBefore
from eddyline_feature_store.live_fold import LiveFold
from eddyline_features.state import State
from eddyline_runtime.alongside import alongside
from eddyline_runtime.clock import system_clock
from tests.support.a_log import a_click, an_item
from tests.support.serving import fixture_log, fixture_view, folded
from tests.support.waiting import wait_until

VIEW = fixture_view()


def a_fold(
    log: MemoryLog, *, target: int = 0, snapshot_events: int = 1_000, state: State | None = None
) -> LiveFold:
    return LiveFold(
        state or State(VIEW), log, target=target, snapshot_events=snapshot_events, clock=system_clock
    )


@asynccontextmanager
async def following(fold: LiveFold) -> AsyncIterator[LiveFold]:
    async with alongside(fold.run()):
        yield fold


async def test_it_is_caught_up_where_the_log_ended_at_the_start() -> None:
    log = fixture_log(120)
    async with following(a_fold(log, target=120)) as fold:
        await fold.caught_up.wait()
        assert fold.state.sequence == 120
    assert fold.state.snapshot() == (await folded(log, VIEW)).snapshot()


async def test_waiters_are_woken_each_at_its_own_place() -> None:
    log = MemoryLog()
    woken: list[int] = []
    async with following(a_fold(log)) as fold:

        async def wait(sequence: int) -> None:
            assert await fold.reached(sequence, 10.0)
            assert fold.state.sequence >= sequence
            woken.append(sequence)

        tasks = [asyncio.create_task(wait(sequence)) for sequence in (3, 1, 2, 2)]
        await asyncio.sleep(0)
        for k in range(1, 4):
            log.append(an_item(f"i{k}", at=k))
            await wait_until(lambda k=k: max(woken, default=0) == k)
        await asyncio.gather(*tasks)
    assert woken == [1, 2, 2, 3]


async def test_who_waited_in_vain_is_told_and_forgotten() -> None:
    log = MemoryLog()
    async with following(a_fold(log)) as fold:
        assert not await fold.reached(1, 0.01)
        log.append(an_item("i", at=1))
        assert await fold.reached(1, 10.0)


async def test_waiting_in_vain_again_and_again_takes_no_memory() -> None:
    async with following(a_fold(MemoryLog())) as fold:
        for _ in range(20):
            assert not any(await asyncio.gather(*(fold.reached(2**52, 0.001) for _ in range(100))))
        assert len(fold._waiters) <= 64


async def test_a_place_that_is_passed_already_needs_no_wait() -> None:
    log = fixture_log(10)
    async with following(a_fold(log, target=10)) as fold:
        await fold.caught_up.wait()
        assert await fold.reached(10, 0.0)


async def test_a_snapshot_is_due_after_so_many_events() -> None:
    log = fixture_log(50)
    async with following(a_fold(log, target=50, snapshot_events=60)) as fold:
        await fold.caught_up.wait()
        assert not fold.snapshot_due.is_set()
        for k in range(15):
            log.append(a_click("i1", at=10**9 + k))
        await fold.snapshot_due.wait()
        await wait_until(lambda: fold.unsaved == 65)
        fold.snapshot_taken(60)
        assert not fold.snapshot_due.is_set()
        assert fold.unsaved == 5


async def test_a_log_that_ends_before_the_state_is_another_log() -> None:
    state = await folded(fixture_log(20), VIEW)
    with pytest.raises(LogEndsBefore):
        async with following(a_fold(fixture_log(10), state=state)):
            await asyncio.Event().wait()
