"""The log, each budget with its floor measured in the same run: ``python -m benchmarks.log``.

Ingest and the log writer run as processes of their own, on a real nats-server and PostgreSQL that sync to disk.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence

import aiohttp
import asyncpg
import msgspec
import uvloop
from nats.aio.client import Client
from nats.aio.msg import Msg

from benchmarks.area import alone
from benchmarks.processes import Servers, servers
from benchmarks.report import Figure, at_least, at_most, told
from eddyline_contracts.record import EPOCH_SHIFT, Record, decode_batch, sequence_of
from eddyline_contracts.subjects import COMMITTED, MSG_ID, message_id
from eddyline_eventlog.admission import admit
from eddyline_eventlog.appending import Appender
from eddyline_eventlog.migrate import migrate
from eddyline_runtime.bus import connected

BATCH = 1_000
UNACKNOWLEDGED = 1_000
EVENTS_PER_SECOND = 2_500
"""So many events are sent for each second that measuring may take."""
_ROUNDS = 3


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


async def measure_ingest(using: Servers, n: int) -> list[Figure]:
    """HTTP → inbox; in turns with the floor, since the machine is never the same for long."""
    floors: list[float] = []
    rates: dict[str, list[float]] = {}
    batches, whole, singly = (
        f"durable ingest, NDJSON of {BATCH:,}",
        f"durable ingest, one body of {n:,}",
        "durable ingest, one event a request, 64 clients",
    )

    async def send(what: str, bodies: Sequence[bytes], n_events: int, clients: int) -> None:
        rates.setdefault(what, []).append(n_events / await posted(service.url, bodies, clients))

    with using.service("eddyline_ingest") as service:
        for number in range(_ROUNDS):
            async with connected(using.nats.url, "bench") as bus:
                floors.append(n / await pipelined(bus, events(n, f"floor{number}")))
            for clients in (1, 4):
                run = events(n, f"batch{clients}-{number}")
                bodies = [b"\n".join(run[at : at + BATCH]) for at in range(0, n, BATCH)]
                await send(f"{batches}, {clients} client{'s' * (clients > 1)}", bodies, n, clients)
            await send(whole, [b"\n".join(events(n, f"whole{number}"))], n, 1)
            singles = events(n // 10, f"single{number}")
            await send(singly, singles, len(singles), 64)
    floor = statistics.median(floors)
    figures = [told("bare pipelined JetStream publishing", floor, "events/s")]
    for what, of_rounds in rates.items():
        rate = statistics.median(of_rounds)
        figures.append(at_least(what, rate, "events/s", None if what == singly else 10_000, floor))
        if what.startswith(batches):
            figures.append(at_least(f"{what} ÷ bare publishing", rate / floor, "×", 0.5))
    return figures


async def measure_writer(using: Servers, n: int) -> Figure:
    """Inbox → log, from a full inbox; the floor is the same rows into a database of its own, without a bus."""
    conn = await asyncpg.connect(using.postgres.url)
    async with connected(using.nats.url, "bench") as bus:
        await pipelined(bus, events(n, "drain"))
        info = msgspec.json.decode((await bus.request("$JS.API.STREAM.INFO.EVENTS", timeout=5)).data)
    last = sequence_of(int(info["config"]["metadata"]["eddyline_epoch"]), info["state"]["last_seq"])
    floor = await appended(using, n)
    with using.service("eddyline_ingest.log_writer"):
        first = max(await cursor(conn), sequence_of(last >> EPOCH_SHIFT, 0))
        started = time.perf_counter()
        while (at := await cursor(conn)) < last:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        rate = (at - first) / (time.perf_counter() - started)
    await conn.close()
    return at_least("log writer (floor: bare append)", rate, "rows/s", 20_000, floor)


async def appended(using: Servers, n: int) -> float:
    """Decoded rows a second."""
    admin = await asyncpg.connect(using.postgres.url)
    await admin.execute("CREATE DATABASE floor")
    await admin.close()
    url = using.postgres.url.rsplit("/", 1)[0] + "/floor"
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
    rate = n / (time.perf_counter() - started)
    await appender.close()
    return rate


async def cursor(conn: asyncpg.Connection) -> int:
    """How far the log is."""
    value: int = await conn.fetchval("SELECT sequence FROM log_cursor")
    return value


async def measure_latency(using: Servers, n: int) -> list[Figure]:
    """One event at a time: request sent → answered, → pushed to the followers."""
    pushed: asyncio.Queue[Record] = asyncio.Queue()
    took: dict[str, list[float]] = {"answered": [], "pushed to followers": []}

    async def take(message: Msg) -> None:
        for record in decode_batch(message.data).records:
            pushed.put_nowait(record)

    with using.service("eddyline_ingest.log_writer"), using.service("eddyline_ingest") as service:
        async with connected(using.nats.url, "bench") as bus, aiohttp.ClientSession() as http:
            await bus.subscribe(COMMITTED, cb=take)
            await bus.flush()
            for payload in events(n, "latency"):
                started = time.perf_counter()
                async with http.post(f"{service.url}/v1/events", data=payload) as answer:
                    await answer.read()
                took["answered"].append(1e3 * (time.perf_counter() - started))
                await pushed.get()
                took["pushed to followers"].append(1e3 * (time.perf_counter() - started))
    return [
        at_most(f"one event: request → {what}, {name}", sorted(ms)[int(len(ms) * share)], "ms", None)
        for what, ms in took.items()
        for name, share in (("p50", 0.5), ("p99", 0.99))
    ]


async def _measured(seconds: float) -> list[Figure]:
    n = max(2 * BATCH, round(EVENTS_PER_SECOND * seconds) // BATCH * BATCH)
    with servers() as using:
        # Once, to make the inbox and the tables.
        with using.service("eddyline_ingest.log_writer"):
            pass
        figures = await measure_ingest(using, max(2 * BATCH, n // 2 // BATCH * BATCH))
        figures.append(await measure_writer(using, n))
        return figures + await measure_latency(using, 500)


def measure(seconds: float) -> list[Figure]:
    """All figures."""
    return uvloop.run(_measured(seconds))


if __name__ == "__main__":
    alone(__doc__, measure)
