"""One trainer at a time: the next one stands by, follows on when the first ends, and a changed view then takes over."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from nats.aio.client import Client
from prometheus_client import REGISTRY

from eddyline_cli.servers.nats_server import NatsServer
from eddyline_features.view import load_view
from eddyline_runtime.alongside import end
from eddyline_runtime.bus import connected
from eddyline_trainer.service import RunningTrainer
from eddyline_trainer.turn import ACTIVE, STANDBY, AnotherTrainer, Turn
from tests.support.database_log import writing
from tests.support.serving import CONFIG, make_inbox
from tests.support.training import LINES, a_trainer, bundle_of, champion_of, get, post, rows_of
from tests.support.waiting import wait_until


@pytest.fixture
async def bus(nats_server: NatsServer) -> AsyncIterator[Client]:
    """A client of the test's own, with the log writer's stream in place."""
    async with connected(nats_server.url, "test") as client:
        await make_inbox(client)
        yield client


@asynccontextmanager
async def _beside(part: Coroutine[Any, Any, Any]) -> AsyncIterator[asyncio.Task[Any]]:
    task = asyncio.create_task(part)
    try:
        yield task
    finally:
        await end([task])


async def role(trainer: RunningTrainer) -> str:
    """What it says of itself."""
    _, told = await get(trainer.url + "/health/ready")
    said: str = told["details"]["role"]
    return said


async def test_a_trainer_with_another_view_stands_by_and_takes_over_for_good_when_the_first_one_ends(
    tmp_path: Path, nats_server: NatsServer, database_url: str, bus: Client
) -> None:
    other = tmp_path / "eddyline.yaml"
    other.write_text(CONFIG.read_text().replace("view: fixture", "view: newer"))
    url = nats_server.url
    n_first = len(LINES) * 3 // 4
    async with writing(database_url, bus) as log:
        await log.append(LINES[:n_first])
        async with AsyncExitStack() as first:
            old = await first.enter_async_context(a_trainer(url, database_url))
            await wait_until(old.training.caught_up.is_set, 60)
            async with a_trainer(url, database_url, config=other) as new:

                async def stands_by() -> bool:
                    return await role(new) == STANDBY

                await wait_until(stands_by)
                assert REGISTRY.get_sample_value("eddyline_trainer_active") == 0
                # Ready: a rolling replacement ends the old one only once the new one is.
                assert (await get(new.url + "/health/ready"))[0] == 200
                assert (await post(new.url + "/v1/models/rollback"))[0] == 503
                # The old one goes on learning and promoting meanwhile.
                await log.append(LINES[n_first:])
                await wait_until(lambda: old.training.sequence == len(LINES), 60)
                assert {row["view"] for row in await rows_of(database_url)} == {old.training.learner.view.id}

                await first.aclose()
                await wait_until(new.training.caught_up.is_set, 60)
                assert await role(new) == ACTIVE
                assert REGISTRY.get_sample_value("eddyline_trainer_active") == 1

                async def taken_over() -> bool:
                    champion = await champion_of(bus)
                    return champion is not None and champion.model == new.training.learner.champion_name

                await wait_until(taken_over)
                newest = new.training.learner.champion_name

                # What comes back, as a crashed one does, stands by in its turn and takes nothing from anybody.
                async with a_trainer(url, database_url) as again:

                    async def waits() -> bool:
                        return await role(again) == STANDBY

                    await wait_until(waits)
                    champion = await champion_of(bus)
                    assert champion is not None
                    assert champion.model == newest
        assert newest is not None
        bundle = await bundle_of(bus, newest)
        assert bundle.declaration == other.read_text()
        assert load_view(bundle.declaration).id == bundle.view == champion.view


async def test_who_loses_the_database_takes_the_turn_again_unless_somebody_else_has_it(
    database_url: str,
) -> None:
    one, two = Turn(database_url), Turn(database_url)
    conn = await asyncpg.connect(database_url)

    async def cut() -> None:
        await conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'trainer-turn' AND datname = current_database()"
        )

    async def holder() -> int | None:
        pid: int | None = await conn.fetchval(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return pid

    try:
        await one.take()
        async with _beside(one.hold()) as held:
            before = await holder()
            await cut()

            async def is_back() -> bool:
                return await holder() not in (None, before)

            await wait_until(is_back)
            assert not held.done()
        await one.give_back()
        await two.take()
        # As if the first had lost it unnoticed.
        assert two.role == ACTIVE
        one._lost.set()
        with pytest.raises(AnotherTrainer):
            await one.hold()
    finally:
        await one.give_back()
        await two.give_back()
        await conn.close()


async def test_who_is_cut_off_without_a_word_notices_it(database_url: str) -> None:
    async with _silenced(database_url) as (through, silence):
        one = Turn(through, check_every_s=0.1, checked_within_s=0.2)
        two = Turn(database_url)
        conn = await asyncpg.connect(database_url)
        try:
            await one.take()
            async with _beside(one.hold()) as held:
                silence()
                # The server gives up on a silent connection in its own time, and nobody hears it.
                await conn.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = 'trainer-turn' AND datname = current_database()"
                )
                await two.take()
                await wait_until(held.done)
                assert isinstance(held.exception(), AnotherTrainer)
        finally:
            await one.give_back()
            await two.give_back()
            await conn.close()


@asynccontextmanager
async def _silenced(database_url: str) -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """The database through a relay, and what makes the relay swallow all that the connections of now still say."""
    told = urlsplit(database_url)
    silent: list[asyncio.StreamWriter] = []
    ends: list[asyncio.StreamWriter] = []
    tasks: list[asyncio.Task[None]] = []

    async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while part := await source.read(65_536):
                if sink not in silent:
                    sink.write(part)
        if sink not in silent:
            sink.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection(told.hostname, told.port)
        ends.extend((writer, forth))
        tasks.extend(asyncio.create_task(carry(*pair)) for pair in ((reader, forth), (back, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield (
            f"postgresql://{told.username}@127.0.0.1:{port}{told.path}",
            lambda: silent.extend(ends),
        )
    finally:
        server.close()
        await end(tasks)
        for writer in ends:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
