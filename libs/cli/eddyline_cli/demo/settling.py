"""The end of a demo: what was sent is learnt from before anything is counted, or the trainer has had its time."""

from __future__ import annotations

import asyncio

import aiohttp
import asyncpg

from eddyline_cli.demo.pacing import Position
from eddyline_cli.readings import read

_PROMOTIONS = "eddyline_trainer_promotions_total"
_EVERY_S = 0.05


async def settled(
    session: aiohttp.ClientSession,
    trainer_url: str,
    trainer: Position,
    database_url: str,
    sequence: int,
    *,
    patience_s: float = 20.0,
) -> None:
    """Wait until the trainer has read the log up to ``sequence`` and the log tells of every promotion; not for ever."""
    conn = await asyncpg.connect(database_url, timeout=10, command_timeout=60)
    try:
        async with asyncio.timeout(patience_s):
            while (await trainer() or 0) < sequence:  # noqa: ASYNC110 - another process's progress
                await asyncio.sleep(_EVERY_S)
            promoted = (await read(session, trainer_url)).value(_PROMOTIONS) or 0
            while await promotions_in(conn) < promoted:  # noqa: ASYNC110
                await asyncio.sleep(_EVERY_S)
    except TimeoutError:
        # Then the figures are of what there is: a trainer that is slow, or away, is no fault of the demo.
        return
    finally:
        await conn.close()


async def promotions_in(conn: asyncpg.Connection) -> int:
    """How many promotions the log tells of."""
    n: int = await conn.fetchval("SELECT count(*) FROM event_log WHERE type = 'model_promoted'")
    return n
