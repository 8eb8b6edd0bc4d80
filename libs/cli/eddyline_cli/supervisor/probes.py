"""How to ask a process whether it is ready."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import msgspec

from eddyline_cli.servers.processes import answers
from eddyline_cli.supervisor.spec import Probe, Waiting

_TIMEOUT = aiohttp.ClientTimeout(total=2.0)


async def ask_health(session: aiohttp.ClientSession, url: str) -> dict[str, Any] | None:
    """The answer of ``/health/ready`` whatever its status; None when there is none."""
    try:
        async with session.get(f"{url}/health/ready", timeout=_TIMEOUT) as answer:
            told = msgspec.json.decode(await answer.read())
    except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError):
        return None
    return told if isinstance(told, dict) else None


def health_probe(session: aiohttp.ClientSession, url: str) -> Probe:
    """For services: ``/health/ready`` says what they wait for."""

    async def probe() -> Waiting:
        told = await ask_health(session, url)
        if told is None:
            return Waiting(waiting_for=("an answer",))
        return Waiting(waiting_for=tuple(str(reason) for reason in told.get("waiting_for", ())))

    return probe


def port_probe(port: int, accepts: Callable[[int], bool] = lambda port: True) -> Probe:
    """For servers: something listens on the port, and ``accepts(port)``."""

    async def probe() -> Waiting:
        await asyncio.sleep(0)
        if answers(port) and accepts(port):
            return Waiting()
        return Waiting(waiting_for=("connections",))

    return probe
