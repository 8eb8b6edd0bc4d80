"""What a running Eddyline says about itself, gathered from its services."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
from msgspec import Struct

from eddyline_cli.data_folder import ProcessState, RunState
from eddyline_cli.sending.log_position import LogPosition
from eddyline_cli.servers.processes import answers
from eddyline_cli.supervisor.probes import ask_health

_TIMEOUT = aiohttp.ClientTimeout(total=2.0)
SEQUENCE = "sequence"
"""The member of a follower's readiness details that holds the place in the log that it has reached."""


class ProcessReport(Struct, frozen=True, kw_only=True):
    """One process."""

    pid: int
    url: str
    live: bool
    ready: bool
    waiting_for: list[str]
    restarts: int
    details: dict[str, Any] = {}
    """What it tells beside the verdict."""


class Report(Struct, frozen=True, kw_only=True):
    """All of it."""

    running: bool = True
    ready: bool
    view: str
    former_view: str | None = None
    """The view before, while its models still serve."""
    processes: dict[str, ProcessReport]
    log_position: int | None
    """The newest place in the log that is decided."""
    lag: dict[str, int]
    """How many places each follower is behind."""
    champion: str | None


async def report_on(session: aiohttp.ClientSession, state: RunState) -> Report:
    """Ask every process of the running Eddyline."""
    names = list(state.processes)
    told = await asyncio.gather(*(_ask(session, state.processes[name]) for name in names))
    processes = dict(zip(names, told, strict=True))
    log_writer = state.url("log-writer")
    position = await LogPosition(session, log_writer).now() if log_writer else None
    followers = {name: _place(processes[name]) for name in ("feature-store", "trainer") if name in processes}
    trainer = state.url("trainer")
    return Report(
        ready=state.phase == "ready" and all(process.ready for process in told),
        view=state.view,
        former_view=state.former_view,
        processes=processes,
        log_position=position,
        lag={
            n: max(0, position - at) for n, at in followers.items() if at is not None and position is not None
        },
        champion=await _champion(session, trainer) if trainer else None,
    )


async def _ask(session: aiohttp.ClientSession, process: ProcessState) -> ProcessReport:
    if not process.url.startswith("http"):
        port = urlsplit(process.url).port
        up = bool(process.pid) and port is not None and answers(port)
        waiting = [] if up else ["connections"]
        return _report(process, live=up, waiting=waiting)
    told = await ask_health(session, process.url)
    if told is None:
        return _report(process, live=False, waiting=["an answer"])
    return _report(process, live=True, waiting=told.get("waiting_for", []), details=told.get("details", {}))


def _report(
    process: ProcessState, *, live: bool, waiting: list[str], details: dict[str, Any] | None = None
) -> ProcessReport:
    return ProcessReport(
        pid=process.pid,
        url=without_password(process.url),
        live=live,
        ready=live and not waiting,
        waiting_for=waiting,
        restarts=process.restarts,
        details=details or {},
    )


def without_password(url: str) -> str:
    """The address as it may be shown."""
    parts = urlsplit(url)
    return url.replace(f":{parts.password}@", ":***@") if parts.password else url


def _place(process: ProcessReport) -> int | None:
    place = process.details.get(SEQUENCE)
    return place if isinstance(place, int) else None


async def _champion(session: aiohttp.ClientSession, url: str) -> str | None:
    models = await models_of(session, url)
    return next((str(model["model"]) for model in models if model.get("role") == "champion"), None)


async def models_of(session: aiohttp.ClientSession, url: str) -> list[dict[str, Any]]:
    """The trainer's registry; empty when it does not answer."""
    try:
        async with session.get(f"{url}/v1/models", timeout=_TIMEOUT) as answer:
            if answer.status != 200:
                return []
            told = msgspec.json.decode(await answer.read())
    except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError):
        return []
    models = told.get("models", []) if isinstance(told, dict) else told
    return [m for m in models if isinstance(m, dict)]
