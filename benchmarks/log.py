"""Budgets of the log (DESIGN §9), each with its floor measured in the same run: ``python benchmarks/log.py``.

Ingest and the log writer run as processes of their own, on a real nats-server and PostgreSQL that sync to disk.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import asyncpg
import msgspec
import uvloop
from nats.aio.client import Client
from nats.aio.msg import Msg

from eddyline_cli.servers.nats_server import NatsServer, start_nats
from eddyline_cli.servers.postgres import PostgresServer, start_postgres
from eddyline_cli.servers.processes import free_port, start, stop
from eddyline_contracts.record import EPOCH_SHIFT, Record, decode_batch, sequence_of
from eddyline_contracts.subjects import COMMITTED, MSG_ID, message_id
from eddyline_eventlog.admission import admit
from eddyline_eventlog.appending import Appender
from eddyline_eventlog.migrate import migrate
from eddyline_runtime.bus import connected

BATCH = 1_000
UNACKNOWLEDGED = 1_000


@dataclass
class Figures:
    """What was measured."""

    rows: list[tuple[str, str, str]]

    def add(self, what: str, value: str, budget: str = "") -> None:
        self.rows.append((what, value, budget))
        print(f"{what:<58}{value:>24}   {budget}", flush=True)


def click(number: int, run: str) -> bytes:
    """An interaction, as most events are."""
    return (
        b'{"type":"interaction","id":"%s-%d","occurred_at":1795488060123,"user":"u%d","session":"x7",'
        b'"item":"i%d","slate":"s1","action":"click","value":1.0}'
        % (run.encode(), number, number % 5_000, number % 900)
    )


def slate(number: int, run: str) -> bytes:
    """A slate of 24 items."""
    items = b",".join(b'{"item":"i%d"}' % ((number * 7 + n) % 900) for n in range(24))
    return b'{"type":"slate","id":"%s-%d","user":"u%d","items":[%s]}' % (
        run.encode(),
        number,
        number % 5_000,
        items,
    )


def events(n: int, run: str) -> list[bytes]:
    """Six of seven are clicks, as on RankLens."""
    return [slate(k, run) if k % 7 == 0 else click(k, run) for k in range(n)]


@asynccontextmanager
async def a_service(module: str, environ: dict[str, str], log: Path) -> AsyncIterator[str]:
    """Run ``python -m module`` and yield its URL when it is ready."""
    port = free_port()
    with log.open("ab") as sink:
        process = start(
            [sys.executable, "-m", module],
            log=sink,
            environ=os.environ | environ | {"EDDYLINE_PORT": str(port)},
        )
    url = f"http://127.0.0.1:{port}"
    try:
        async with aiohttp.ClientSession() as http:
            while True:
                try:
                    async with http.get(f"{url}/health/ready") as answer:
                        if answer.status == 200:
                            break
                except aiohttp.ClientError:
                    pass
                if process.poll() is not None:
                    raise SystemExit(f"{module} ended, see {log}")
                await asyncio.sleep(0.02)
        yield url
    finally:
        stop(process)


async def pipelined(bus: Client, payloads: Sequence[bytes]) -> float:
    """Floor: JetStream publishes with at most 1,000 unacknowledged, a message each; seconds."""
    inbox = bus.new_inbox()
    room, done, n_acknowledged = asyncio.Semaphore(UNACKNOWLEDGED), asyncio.Event(), 0

    async def acknowledged(message: Msg) -> None:
        nonlocal n_acknowledged
        n_acknowledged += 1
        room.release()
        if n_acknowledged == len(payloads):
            done.set()

    subscription = await bus.subscribe(inbox, cb=acknowledged)
    started = time.perf_counter()
    for number, payload in enumerate(payloads):
        await room.acquire()
        await bus.publish(
            "events.interaction",
            payload,
            reply=inbox,
            headers={MSG_ID: message_id(f"floor-{number}-{started}")},
        )
    await done.wait()
    seconds = time.perf_counter() - started
    await subscription.unsubscribe()
    return seconds


async def posted(url: str, bodies: Sequence[bytes], clients: int) -> float:
    """Seconds for all bodies, each answered with 200."""
    waiting = list(reversed(bodies))

    async def client(http: aiohttp.ClientSession) -> None:
        while waiting:
            body = waiting.pop()
            async with http.post(
                f"{url}/v1/events", data=body, headers={"Content-Type": "application/x-ndjson"}
            ) as answer:
                told = await answer.read()
                if answer.status != 200:
                    raise SystemExit(f"ingest answered {answer.status}: {told.decode()}")

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        started = time.perf_counter()
        await asyncio.gather(*(client(http) for _ in range(clients)))
        return time.perf_counter() - started


async def cursor(conn: asyncpg.Connection) -> int:
    value: int = await conn.fetchval("SELECT sequence FROM log_cursor")
    return value


async def measure_ingest(
    figures: Figures, folder: Path, nats: NatsServer, environ: dict[str, str], n: int
) -> None:
    """HTTP → inbox."""
    async with a_service("eddyline_ingest", environ, folder / "ingest.log") as url:
        async with connected(nats.url, "bench") as bus:
            floor = n / await pipelined(bus, events(n, "floor"))
        figures.add("bare pipelined JetStream publishing", f"{floor:,.0f} events/s")
        for clients in (1, 4):
            run = events(n, f"batch{clients}")
            bodies = [b"\n".join(run[at : at + BATCH]) for at in range(0, n, BATCH)]
            rate = n / await posted(url, bodies, clients)
            figures.add(
                f"durable ingest, NDJSON of {BATCH:,}, {clients} client(s)",
                f"{rate:,.0f} events/s",
                f"{rate / floor:.2f} x floor; budget 10,000 and 0.5 x floor",
            )
        rate = n / await posted(url, [b"\n".join(events(n, "whole"))], 1)
        figures.add(
            f"durable ingest, one body of {n:,}", f"{rate:,.0f} events/s", f"{rate / floor:.2f} x floor"
        )
        singles = events(n // 10, "single")
        rate = len(singles) / await posted(url, singles, 64)
        figures.add(
            "durable ingest, one event a request, 64 clients", f"{rate:,.0f} events/s", "budget 2,000"
        )


async def measure_writer(
    figures: Figures,
    folder: Path,
    nats: NatsServer,
    postgres: PostgresServer,
    environ: dict[str, str],
    n: int,
) -> None:
    """Inbox → log, from a full inbox."""
    conn = await asyncpg.connect(postgres.url)
    async with connected(nats.url, "bench") as bus:
        await pipelined(bus, events(n, "drain"))
        info = msgspec.json.decode((await bus.request("$JS.API.STREAM.INFO.EVENTS", timeout=5)).data)
    last = sequence_of(int(info["config"]["metadata"]["eddyline_epoch"]), info["state"]["last_seq"])
    before = await conn.fetchval("SELECT count(*) FROM event_log")
    async with a_service("eddyline_ingest.log_writer", environ, folder / "writer.log"):
        first = max(await cursor(conn), sequence_of(last >> EPOCH_SHIFT, 0))
        started = time.perf_counter()
        while (at := await cursor(conn)) < last:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        rate = (at - first) / (time.perf_counter() - started)
    rows = await conn.fetchval("SELECT count(*) FROM event_log") - before
    figures.add(f"log writer, draining {rows:,} rows", f"{rate:,.0f} rows/s", "budget 20,000")
    await conn.close()


async def measure_append(figures: Figures, postgres: PostgresServer, n: int) -> None:
    """Floor of the log writer: decoded rows into a database of its own, without a bus."""
    admin = await asyncpg.connect(postgres.url)
    await admin.execute("CREATE DATABASE floor")
    url = postgres.url.rsplit("/", 1)[0] + "/floor"
    await migrate(url)
    appender = await Appender.acquire(url)
    assert appender is not None
    admitted = [
        admit(k, raw, assigned_id=None, received_at=None, recorded_at=1)
        for k, raw in enumerate(events(n, "a"), 1)
    ]
    started = time.perf_counter()
    for at in range(0, n, 2_000):
        part = admitted[at : at + 2_000]
        await appender.append(part[-1].record.sequence, 1, part)
    figures.add("bare append of decoded rows", f"{n / (time.perf_counter() - started):,.0f} rows/s")
    await appender.close()
    await admin.close()


async def measure_latency(
    figures: Figures, folder: Path, nats: NatsServer, environ: dict[str, str], n: int
) -> None:
    """One event at a time: request sent → pushed to the followers."""
    seconds: list[float] = []
    pushed: asyncio.Queue[Record] = asyncio.Queue()

    async def take(message: Msg) -> None:
        for record in decode_batch(message.data).records:
            pushed.put_nowait(record)

    async with (
        a_service("eddyline_ingest.log_writer", environ, folder / "writer.log"),
        a_service("eddyline_ingest", environ, folder / "ingest.log") as url,
        connected(nats.url, "bench") as bus,
        aiohttp.ClientSession() as http,
    ):
        await bus.subscribe(COMMITTED, cb=take)
        await bus.flush()
        answered: list[float] = []
        for payload in events(n, "latency"):
            started = time.perf_counter()
            async with http.post(f"{url}/v1/events", data=payload) as answer:
                await answer.read()
            answered.append(time.perf_counter() - started)
            await pushed.get()
            seconds.append(time.perf_counter() - started)
    for what, values in (("answered", sorted(answered)), ("pushed to followers", sorted(seconds))):
        p50, p99 = values[len(values) // 2], values[len(values) * 99 // 100]
        figures.add(f"one event: request → {what}, p50 · p99", f"{p50 * 1e3:.2f} · {p99 * 1e3:.2f} ms")


async def main(n: int) -> None:
    """Measure everything in a temporary folder."""
    figures = Figures([])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        nats, postgres = start_nats(folder / "nats"), start_postgres(folder / "postgres")
        environ = {"EDDYLINE_NATS_URL": nats.url, "EDDYLINE_DATABASE_URL": postgres.url}
        try:
            # Once, to make the inbox and the tables.
            async with a_service("eddyline_ingest.log_writer", environ, folder / "writer.log"):
                pass
            await measure_ingest(figures, folder, nats, environ, n)
            await measure_append(figures, postgres, n)
            await measure_writer(figures, folder, nats, postgres, environ, n)
            await measure_latency(figures, folder, nats, environ, 500)
        finally:
            postgres.stop()
            nats.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=50_000)
    uvloop.run(main(parser.parse_args().events))
