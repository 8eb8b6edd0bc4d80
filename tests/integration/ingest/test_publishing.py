"""Both ways of storing, atomic and message by message, keep order and ids, and say only what is true."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from nats.aio.client import Client

from eddyline_cli.servers.nats_server import NatsServer, start_nats
from eddyline_ingest.checking import Checker, Message
from eddyline_ingest.costs import Costs
from eddyline_ingest.inbox import Inbox
from eddyline_ingest.publishing import Publisher, Stored
from eddyline_runtime.bus import connected
from eddyline_runtime.health import Readiness
from eddyline_runtime.problems import Unavailable
from tests.support.waiting import wait_until


class Always(Costs):
    """Takes one way whatever it takes."""

    def __init__(self, *, atomic: bool) -> None:
        super().__init__()
        self._atomic = atomic

    def prefer_atomic(self, n: int) -> bool:
        return self._atomic and n > 1


BOTH = pytest.mark.parametrize("atomic", [True, False], ids=["atomic", "single"])


async def make_inbox(bus: Client, **config: object) -> None:
    told = {"name": "EVENTS", "subjects": ["events.>"], "allow_atomic": True, "discard": "new"}
    told |= {"metadata": {"eddyline_epoch": "1"}, **config}
    answer = await bus.request("$JS.API.STREAM.CREATE.EVENTS", json.dumps(told).encode())
    assert b"error" not in answer.data, answer.data


@asynccontextmanager
async def publishing(
    url: str, *, atomic: bool, patience_s: float = 5.0
) -> AsyncIterator[tuple[Publisher, Client]]:
    async with connected(url, "test") as bus:
        publisher = Publisher(
            bus,
            Inbox(bus, Readiness()),
            max_pending_bytes=10**8,
            patience_s=patience_s,
            costs=Always(atomic=atomic),
        )
        running = asyncio.ensure_future(publisher.run())
        try:
            yield publisher, bus
        finally:
            running.cancel()
            await asyncio.wait({running})


def messages(*names: str) -> Sequence[Message]:
    events = [b'{"type":"user","id":"%s","user":"u"}' % name.encode() for name in names]
    return Checker(1, lambda _: "never", 10**7).check(events, 0).messages


async def stored(bus: Client) -> list[str]:
    js = bus.jetstream()
    last = (await js.stream_info("EVENTS")).state.last_seq
    return [json.loads((await js.get_msg("EVENTS", n)).data or b"")["id"] for n in range(1, last + 1)]


@BOTH
async def test_submissions_are_stored_in_their_order_and_told_their_place(
    nats_server: NatsServer, atomic: bool
) -> None:
    async with publishing(nats_server.url, atomic=atomic) as (publisher, bus):
        await make_inbox(bus)
        names = [[f"s{s}-{n}" for n in range(1 + s % 7)] for s in range(60)]
        told = await asyncio.gather(*(publisher.submit(messages(*each), 100) for each in names))
        everything = await stored(bus)
        assert everything == [name for each in names for name in each]
        for each, answer in zip(names, told, strict=True):
            assert answer == Stored(len(each), 0, everything.index(each[-1]) + 1)


@BOTH
async def test_one_known_id_among_many_is_told_and_the_rest_is_stored(
    nats_server: NatsServer, atomic: bool
) -> None:
    async with publishing(nats_server.url, atomic=atomic) as (publisher, bus):
        await make_inbox(bus)
        await publisher.submit(messages("a", "b"), 10)
        told = await asyncio.gather(
            publisher.submit(messages("c", "a", "d"), 10),
            publisher.submit(messages("e"), 10),
            publisher.submit(messages("b", "a"), 10),
        )
        assert list(told) == [Stored(2, 1, 4), Stored(1, 0, 5), Stored(0, 2, 2)]
        assert await stored(bus) == ["a", "b", "c", "d", "e"]


@BOTH
async def test_a_full_inbox_is_told_at_once(nats_server: NatsServer, atomic: bool) -> None:
    async with publishing(nats_server.url, atomic=atomic, patience_s=60) as (publisher, bus):
        await make_inbox(bus, max_msgs=3)
        await publisher.submit(messages("a", "b", "c"), 10)
        with pytest.raises(Unavailable) as caught:
            await asyncio.wait_for(publisher.submit(messages("d", "e"), 10), 5)
        assert "the inbox is full" in caught.value.detail


@BOTH
async def test_without_a_stream_it_says_what_makes_one(nats_server: NatsServer, atomic: bool) -> None:
    async with publishing(nats_server.url, atomic=atomic, patience_s=0.1) as (publisher, _):
        with pytest.raises(Unavailable) as caught:
            await asyncio.wait_for(publisher.submit(messages("a", "b"), 10), 5)
        assert "start the log writer" in caught.value.detail


async def test_a_stream_that_takes_no_atomic_batches_is_filled_message_by_message(
    nats_server: NatsServer,
) -> None:
    async with publishing(nats_server.url, atomic=True) as (publisher, bus):
        await make_inbox(bus, allow_atomic=False)
        assert await publisher.submit(messages("a", "b"), 10) == Stored(2, 0, 2)
        assert await stored(bus) == ["a", "b"]


@BOTH
async def test_a_bus_killed_again_and_again_ends_with_everything_once(
    nats_server: NatsServer, atomic: bool
) -> None:
    server = nats_server
    accepted: list[str] = []

    async def send(publisher: Publisher, client: int) -> None:
        for n in range(30):
            names = [f"c{client}-{n}-{k}" for k in range(20)]
            told = await publisher.submit(messages(*names), 10)
            # An answer that was lost is asked again, and one's own first try is no duplicate.
            assert (told.n_accepted, told.n_duplicates) == (20, 0)
            accepted.extend(names)

    async with publishing(server.url, atomic=atomic, patience_s=30) as (publisher, bus):
        await make_inbox(bus)
        sending = [asyncio.ensure_future(send(publisher, client)) for client in range(5)]
        try:
            for n_before in (300, 1_000, 2_000):
                await wait_until(lambda n=n_before: len(accepted) > n, 30)  # type: ignore[misc]
                server.kill()
                server = start_nats(server.folder, port=server.port)
            await asyncio.gather(*sending)
            # On a line of its own: a question on one that is just being mended may be lost, and nobody repeats it.
            async with connected(server.url, "reader") as reader:
                everything = await stored(reader)
            assert sorted(everything) == sorted(accepted)
            assert len(everything) == 3_000
            for client in range(5):
                mine = [name for name in everything if name.startswith(f"c{client}-")]
                order = [int(name.split("-")[1]) for name in mine]
                assert order == sorted(order)
        finally:
            for each in sending:
                each.cancel()
            await asyncio.wait(sending)
            await bus.close()
            server.stop()


async def test_what_waits_is_bounded(nats_server: NatsServer) -> None:
    async with connected(nats_server.url, "test") as bus:
        # Nobody runs it.
        publisher = Publisher(bus, Inbox(bus, Readiness()), max_pending_bytes=1_000, patience_s=1)
        publisher.submit(messages("a"), 600)
        publisher.check(400)
        with pytest.raises(Unavailable, match="too many events wait"):
            publisher.submit(messages("b"), 401)
