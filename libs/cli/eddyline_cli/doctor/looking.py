"""Asks everything that runs, once, each with a bounded time."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import asyncpg
import msgspec
import nats
import nats.errors

from eddyline_cli.doctor.place import Place
from eddyline_cli.doctor.seen import Clock, Seen, SeenBus, SeenDatabase, SeenService, SeenStream
from eddyline_cli.report import without_password
from eddyline_cli.sending.log_position import LogPosition
from eddyline_contracts.record import EPOCH_SHIFT
from eddyline_contracts.subjects import (
    BUNDLES_BUCKET,
    CHAMPION_KEY,
    EPOCH_METADATA,
    INBOX_STREAM,
    MODELS_BUCKET,
    REJECTED_STREAM,
)
from eddyline_eventlog.migrate import tables_of

_TIMEOUT_S = 3.0
_HTTP = aiohttp.ClientTimeout(total=_TIMEOUT_S)
FOLLOWERS = ("feature-store", "trainer")


async def look(place: Place) -> Seen:
    """Everything at this moment."""
    async with aiohttp.ClientSession(timeout=_HTTP) as session:
        told = await asyncio.gather(*(_service(session, n, url) for n, url in place.services.items()))
    seen = Seen(services=dict(zip(place.services, told, strict=True)))
    database = await _database(place.database_url, seen) if place.database_url else None
    seen = Seen(services=seen.services, database=database)
    bus = await _bus(place.nats_url, seen.cursor) if place.nats_url else None
    return Seen(services=seen.services, database=database, bus=bus)


async def _service(session: aiohttp.ClientSession, name: str, url: str) -> SeenService:
    began = time.time()
    try:
        async with session.get(f"{url.rstrip('/')}/health/ready") as answer:
            told = msgspec.json.decode(await answer.read())
            date = answer.headers.get("Date")
    except TimeoutError:
        return SeenService(url=url, answered=False, why=f"no answer within {_TIMEOUT_S:.0f} s")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return SeenService(url=url, answered=False, why=str(error) or type(error).__name__)
    except msgspec.DecodeError:
        return SeenService(url=url, answered=False, why="something else than an Eddyline service answers")
    if not isinstance(told, dict) or "status" not in told:
        return SeenService(url=url, answered=False, why="something else than an Eddyline service answers")
    ended = time.time()
    clock = None
    if told.get("now"):
        clock = _clock(told["now"], began, ended)
    elif date:
        # To whole seconds, cut off.
        clock = _clock(parsedate_to_datetime(date).timestamp() * 1_000 + 500, began, ended, grain_ms=500)
    return SeenService(
        url=url,
        answered=True,
        version=told.get("version") or None,
        waiting_for=tuple(told.get("waiting_for", ())),
        details=told.get("details") or {},
        clock=clock,
        cursor=await LogPosition(session, url).now() if name == "log-writer" else None,
    )


def _clock(theirs_ms: float, began_s: float, ended_s: float, *, grain_ms: float = 0.0) -> Clock:
    middle = (began_s + ended_s) * 500
    return Clock(ahead_ms=theirs_ms - middle, within_ms=(ended_s - began_s) * 500 + grain_ms)


async def _database(url: str, seen: Seen) -> SeenDatabase:
    shown = without_password(url)
    try:
        conn = await asyncpg.connect(url, timeout=_TIMEOUT_S, command_timeout=_TIMEOUT_S)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return SeenDatabase(url=shown, fault=f"{error or type(error).__name__}")
    try:
        return await _asked(conn, shown, seen)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return SeenDatabase(url=shown, fault=f"{error or type(error).__name__}")
    finally:
        conn.terminate()


async def _asked(conn: asyncpg.Connection, url: str, seen: Seen) -> SeenDatabase:
    began = time.time()
    now_ms = float(await conn.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8 * 1000"))
    clock = _clock(now_ms, began, time.time())
    n_bytes: int = await conn.fetchval("SELECT pg_database_size(current_database())")
    encoding: str = await conn.fetchval("SHOW server_encoding")
    version: str = await conn.fetchval("SHOW server_version")
    tables = await tables_of(conn)
    cursor, champions, behind = None, dict[str, str](), dict[str, float]()
    if tables.current == tables.newest:
        cursor = await conn.fetchval("SELECT sequence FROM log_cursor")
        rows = await conn.fetch("SELECT view, model FROM models WHERE role = 'champion'")
        champions = {row["view"]: row["model"] for row in rows}
        for name in FOLLOWERS:
            at = seen.place_of(name)
            if at is not None:
                oldest = await conn.fetchval(
                    "SELECT recorded_at FROM event_log WHERE sequence > $1 ORDER BY sequence LIMIT 1", at
                )
                behind[name] = 0.0 if oldest is None else max(0.0, now_ms - oldest)
    return SeenDatabase(
        url=url,
        version=version,
        encoding=encoding,
        n_bytes=n_bytes,
        tables=tables.current,
        newest_tables=tables.newest,
        tables_known=tables.known,
        cursor=cursor,
        epoch=None if cursor is None else cursor >> EPOCH_SHIFT,
        champions=champions,
        clock=clock,
        behind_ms=behind,
    )


async def _bus(url: str, cursor: int | None) -> SeenBus:
    shown = without_password(url)
    try:
        client = await nats.connect(
            [one.strip() for one in url.split(",")],
            name="eddyline doctor",
            connect_timeout=2,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0.1,
            error_cb=_ignored,
        )
    except (OSError, TimeoutError, ValueError, nats.errors.Error) as error:
        return SeenBus(url=shown, fault=f"{error or type(error).__name__}")
    version = str(client._server_info.get("version", ""))
    try:
        return await _asked_bus(client, shown, version, cursor)
    except (OSError, TimeoutError, nats.errors.Error) as error:
        if not client._server_info.get("jetstream", False):
            return SeenBus(url=shown, version=version, jetstream=False)
        return SeenBus(url=shown, version=version, fault=f"{error or type(error).__name__}")
    finally:
        await client.close()


async def _asked_bus(client: Any, url: str, version: str, cursor: int | None) -> SeenBus:
    async def api(call: str, body: Any = None) -> dict[str, Any] | None:
        raw = b"" if body is None else msgspec.json.encode(body)
        answer = await client.request(f"$JS.API.{call}", raw, timeout=_TIMEOUT_S)
        told: dict[str, Any] = msgspec.json.decode(answer.data)
        return None if "error" in told else told

    account = await api("INFO") or {}
    began = time.time()
    inbox = await api(f"STREAM.INFO.{INBOX_STREAM}")
    ended = time.time()
    rejected = await api(f"STREAM.INFO.{REJECTED_STREAM}", {"subjects_filter": ">"})
    clock = _clock(_ms(inbox["ts"]), began, ended) if inbox and "ts" in inbox else None
    champion, bundle_there = None, True
    key = await api(
        f"STREAM.MSG.GET.KV_{MODELS_BUCKET}", {"last_by_subj": f"$KV.{MODELS_BUCKET}.{CHAMPION_KEY}"}
    )
    if key is not None and key["message"].get("data"):
        champion = msgspec.json.decode(msgspec.convert(key["message"]["data"], bytes, strict=False))
        try:
            store = await client.jetstream(timeout=_TIMEOUT_S).object_store(BUNDLES_BUCKET)
            await store.get_info(champion["model"])
        except nats.errors.Error:
            bundle_there = False
    oldest = None
    if inbox is not None and cursor is not None:
        held = _stream(inbox)
        same = held is not None and held.epoch == cursor >> EPOCH_SHIFT
        number = cursor & ((1 << EPOCH_SHIFT) - 1) if same else 0
        if number < inbox["state"]["last_seq"]:
            wanted = {"seq": number + 1, "next_by_subj": "events.>"}
            waiting = await api(f"STREAM.MSG.GET.{INBOX_STREAM}", wanted)
            if waiting is not None and "ts" in inbox:
                oldest = max(0.0, _ms(inbox["ts"]) - _ms(waiting["message"]["time"]))
    return SeenBus(
        url=url,
        version=version,
        inbox=_stream(inbox),
        rejected=_stream(rejected),
        champion=champion,
        bundle_there=bundle_there,
        storage=account.get("storage", 0),
        max_storage=(account.get("limits") or {}).get("max_storage", -1),
        clock=clock,
        oldest_waiting_ms=oldest,
    )


def _stream(info: dict[str, Any] | None) -> SeenStream | None:
    if info is None:
        return None
    state, config = info["state"], info["config"]
    epoch = (config.get("metadata") or {}).get(EPOCH_METADATA, "")
    return SeenStream(
        messages=state["messages"],
        n_bytes=state["bytes"],
        max_bytes=config.get("max_bytes", -1),
        last=state["last_seq"],
        last_at=state.get("last_ts", ""),
        epoch=int(epoch) if epoch.isdigit() else None,
        by_subject=state.get("subjects") or {},
    )


def _ms(text: str) -> float:
    """RFC 3339 with up to nine decimals, in ms since the Unix epoch."""
    whole, _, rest = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(whole + "+00:00").timestamp() * 1_000 + float(f"0.{rest or 0}") * 1_000


async def _ignored(error: Exception) -> None:
    """Faults of the connection are raised where they matter."""
