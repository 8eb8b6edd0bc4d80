"""A log is a log, whichever adapter holds it: order, no gap, no repeat, and nothing left behind."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from eddyline_contracts.record import Batch, Record
from eddyline_eventlog.port import LogEndsBefore
from tests.contract.log_subjects import ALL, LIVE, MAX_BYTES, MAX_ROWS, Opening, Servers, Subject, collect
from tests.support.waiting import wait_until

Opened = tuple[Opening, Servers]


def _with_servers(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    opening: Opening = request.param
    return opening, Servers(tmp_path, **{name: request.getfixturevalue(name) for name in opening.needs})


def _name(opening: Opening) -> str:
    return opening.open.__name__


# Plain fixtures, since the servers that they ask for cannot be started from inside a running loop.
@pytest.fixture(params=ALL, ids=_name)
def any_opening(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    return _with_servers(request, tmp_path)


@pytest.fixture(params=LIVE, ids=_name)
def live_opening(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    return _with_servers(request, tmp_path)


@pytest.fixture
async def subject(any_opening: Opened) -> AsyncIterator[Subject]:
    opening, servers = any_opening
    async with opening.open(servers) as opened:
        yield opened


@pytest.fixture
async def live(live_opening: Opened) -> AsyncIterator[Subject]:
    opening, servers = live_opening
    async with opening.open(servers) as opened:
        yield opened


def an_event(name: str, text: str = "") -> bytes:
    return b'{"type":"item","id":"%s","item":"i","fields":{"title":"%s"}}' % (name.encode(), text.encode())


async def test_everything_written_comes_once_in_order_and_as_it_was_received(subject: Subject) -> None:
    payloads = [an_event(f"e{n}") for n in range(40)]
    last = await subject.write(payloads[:3])
    last = await subject.write(payloads[3:])
    records, _ = await collect(subject.log, 0, last)
    assert [record.payload for record in records] == payloads
    assert [record.event_id for record in records] == [f"e{n}" for n in range(40)]
    assert [record.sequence for record in records] == list(range(1, 41))
    assert {record.type for record in records} == {"item"}
    assert await subject.log.last() == last == 40


async def test_bytes_that_json_allows_stay_as_they_are(subject: Subject) -> None:
    payloads = [
        b'{ "type":"item" , "id":"a b ","item":"i\\u0000","fields":{"x":-0.0},"more":1e400}',
        '{"type":"item","id":"ünï 😀","item":"i"}'.encode(),
        b'{"type":"item","id":"a\\nb","item":"i","twice":1,"twice":2}',
        b'{"event":"item","id":"m","item":"i","timestamp":"7","fields":[]}',
    ]
    last = await subject.write(payloads)
    records, _ = await collect(subject.log, 0, last)
    assert [record.payload for record in records] == payloads
    assert [record.event_id for record in records] == ["a b ", "ünï 😀", "a\nb", "m"]


async def test_following_from_the_middle_gives_the_rest(subject: Subject) -> None:
    last = await subject.write([an_event(f"e{n}") for n in range(30)])
    everything, _ = await collect(subject.log, 0, last)
    for after in (0, 1, MAX_ROWS, 15, 29, 30):
        records, _ = await collect(subject.log, after, last)
        assert records == everything[after:]


async def test_batches_are_bounded_in_rows_and_in_bytes(subject: Subject) -> None:
    long = "x" * 9_000
    last = await subject.write(
        [*(an_event(f"e{n}") for n in range(20)), *(an_event(f"l{n}", long) for n in range(6))]
    )
    records, batches = await collect(subject.log, 0, last)
    assert len(records) == 26
    assert max(len(batch.records) for batch in batches) == MAX_ROWS
    # One row may lead past the bound, since a row is never cut.
    assert max(sum(len(r.payload) for r in batch.records) for batch in batches) <= MAX_BYTES + 10_000


async def test_duplicates_and_refusals_have_a_place_but_no_record(subject: Subject) -> None:
    await subject.write([an_event("a"), an_event("b"), an_event("a"), b"no event", an_event("c")])
    last = await subject.write([an_event("b"), b'{"type":"item","id":"d"}', an_event("c")])
    records, batches = await collect(subject.log, 0, last)
    assert [(record.sequence, record.event_id) for record in records] == [(1, "a"), (2, "b"), (5, "c")]
    assert batches[-1].last == last == 8
    assert await subject.log.last() == 8
    records, batches = await collect(subject.log, 5, last)
    assert records == []
    assert batches[-1].last == 8


async def test_of_events_with_one_id_the_first_counts(subject: Subject) -> None:
    last = await subject.write([an_event("a", "first"), an_event("a", "second")])
    last = await subject.write([an_event("a", "third")])
    records, _ = await collect(subject.log, 0, last)
    assert [record.payload for record in records] == [an_event("a", "first")]


@pytest.mark.parametrize(("after", "until"), [(0, 20), (0, 1), (5, 6), (5, 14), (19, 20), (3, 8), (8, 9)])
async def test_reading_ends_exactly_where_it_was_told_to(subject: Subject, after: int, until: int) -> None:
    payloads = [an_event(f"e{n}") for n in range(20)]
    payloads[7:9] = [b"no event", b"no event"]
    await subject.write(payloads)
    at, records = after, list[Record]()
    async for batch in subject.log.read(after, until):
        assert batch.previous == at
        at = batch.last
        records.extend(batch.records)
    assert at == until
    assert [r.sequence for r in records] == [n for n in range(after + 1, until + 1) if n not in (8, 9)]


async def test_reading_nothing_gives_nothing(subject: Subject) -> None:
    await subject.write([an_event("a")])
    assert [batch async for batch in subject.log.read(1, 1)] == []
    assert [batch async for batch in subject.log.read(1, 0)] == []


async def test_a_place_that_the_log_has_not_reached_belongs_to_another_log(subject: Subject) -> None:
    await subject.write([an_event("a"), an_event("b")])
    with pytest.raises(LogEndsBefore, match="build the state anew"):
        async for _ in subject.log.follow(3):
            pass


async def test_an_empty_log_ends_at_zero(subject: Subject) -> None:
    assert await subject.log.last() == 0


async def test_a_follower_that_is_at_the_end_gets_what_comes(live: Subject) -> None:
    await live.write([an_event("a")])
    async with aclosing(live.log.follow(1)) as following:
        waiting = asyncio.ensure_future(anext(following))
        await live.write([an_event("b"), an_event("c")])
        batch = await asyncio.wait_for(waiting, 5)
        assert [record.event_id for record in batch.records] == ["b", "c"]
        waiting = asyncio.ensure_future(anext(following))
        await live.write([an_event("c")])
        batch = await asyncio.wait_for(waiting, 5)
        assert (batch.previous, batch.last, batch.records) == (3, 4, [])


async def test_reading_waits_for_what_is_not_there_yet(live: Subject) -> None:
    await live.write([an_event("a")])

    async def read() -> list[Record]:
        return [record async for batch in live.log.read(0, 3) for record in batch.records]

    reading = asyncio.ensure_future(read())
    await live.write([an_event("b")])
    await live.write([an_event("c"), an_event("d")])
    assert [r.event_id for r in await asyncio.wait_for(reading, 5)] == ["a", "b", "c"]


async def test_followers_see_the_same_log_while_it_is_written(live: Subject) -> None:
    """Batches of any size, duplicates and refusals among them, followers that start anywhere and at any time."""
    rng = random.Random(7)
    total, written, reached = 1_500, 0, asyncio.Event()
    expected: list[tuple[int, str]] = []
    seen: set[str] = set()

    async def write() -> None:
        nonlocal written
        while written < total:
            payloads = []
            for place in range(written + 1, min(written + rng.choice((1, 2, 5, 40)), total) + 1):
                name = f"e{rng.randrange(900)}"
                if rng.random() < 0.05:
                    payloads.append(b"no event")
                    continue
                payloads.append(an_event(name))
                if name not in seen:
                    seen.add(name)
                    expected.append((place, name))
            written = await live.write(payloads)
            if written > 300:
                reached.set()
            await asyncio.sleep(0)

    async def follow(after: int, *, pause: bool) -> list[tuple[int, str]]:
        if after:
            await reached.wait()
        got, at = [], after
        async with aclosing(live.log.follow(after)) as following:
            async for batch in following:
                assert batch.previous == at
                at = batch.last
                got += [(record.sequence, record.event_id) for record in batch.records]
                if pause and rng.random() < 0.1:
                    # A slow one: others and the writer go on without it.
                    await asyncio.sleep(0.02)
                if at == total:
                    return got
        raise AssertionError("a live log ended")

    starts = [0, 0, 1, 150, 299]
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        followers = [group.create_task(follow(at, pause=n % 2 == 1)) for n, at in enumerate(starts)]
        group.create_task(write())
    for start, follower in zip(starts, followers, strict=True):
        assert follower.result() == [entry for entry in expected if entry[0] > start]


async def test_a_consumer_that_falls_far_behind_still_gets_everything(live: Subject) -> None:
    async with aclosing(live.log.follow(0)) as following:
        await live.write([an_event("first")])
        batches = [await asyncio.wait_for(anext(following), 5)]
        for n in range(100):
            await live.write([an_event(f"e{n}-{m}") for m in range(3)])
        while batches[-1].last < 301:
            batches.append(await asyncio.wait_for(anext(following), 5))
    assert all(a.last == b.previous for a, b in itertools.pairwise(batches))
    assert sum(len(batch.records) for batch in batches) == 301


@pytest.mark.parametrize("news", [False, True])
async def test_a_cancelled_follower_leaves_nothing_behind(live: Subject, news: bool) -> None:
    await live.write([an_event("a")])
    held, tasks = live.held(), asyncio.all_tasks()
    taken: list[Batch] = []

    async def follow() -> None:
        async with aclosing(live.log.follow(0)) as following:
            async for batch in following:
                taken.append(batch)

    followers = [asyncio.ensure_future(follow()) for _ in range(5)]
    await wait_until(lambda: len(taken) == 5)
    if news:
        await live.write([an_event("b")])
    for follower in followers:
        follower.cancel()
    await asyncio.wait(followers)
    assert all(follower.cancelled() for follower in followers)
    await wait_until(lambda: live.held() == held and asyncio.all_tasks() <= tasks)


async def test_a_log_keeps_its_identity_as_it_grows(any_opening: Opened) -> None:
    opening, servers = any_opening
    async with opening.open(servers) as subject:
        identity = await subject.log.identity()
        assert identity
        await subject.write([an_event("a")])
        assert await subject.log.identity() == identity
