"""The end of a demo: what was sent is learnt from before anything is counted, or the trainer has had its time."""

from __future__ import annotations

import asyncio

import aiohttp
import asyncpg

from eddyline_cli.demo.pacing import Position
from eddyline_cli.readings import read

_PROMOTIONS = "eddyline_trainer_promotions_total"
_AGE = "eddyline_model_age_seconds"
_EVERY_S = 0.05


async def settled(
    session: aiohttp.ClientSession,
    trainer_url: str,
    ranker_url: str,
    trainer: Position,
    database_url: str,
    sequence: int,
    *,
    patience_s: float = 20.0,
) -> None:
    """Wait until the trainer has read the log up to ``sequence``, the log tells of every promotion, and the ranker
    serves a model if one was promoted; not for ever."""
    conn = await asyncpg.connect(database_url, timeout=10, command_timeout=60)
    try:
        async with asyncio.timeout(patience_s):
            while (await trainer() or 0) < sequence:  # noqa: ASYNC110 - another process's progress
                await asyncio.sleep(_EVERY_S)
            promoted = (await read(session, trainer_url)).value(_PROMOTIONS) or 0
            while await promotions_in(conn) < promoted:  # noqa: ASYNC110
                await asyncio.sleep(_EVERY_S)
            # The ranker hears of a champion on the bus, and fetches and warms it before it serves: the log may tell
            # of the last promotion, or of the only one, before that.
            while promoted and not await _serves(session, ranker_url):  # noqa: ASYNC110
                await asyncio.sleep(_EVERY_S)
    except TimeoutError:
        # Then the figures are of what there is: a trainer that is slow, or away, is no fault of the demo.
        return
    finally:
        await conn.close()


async def _serves(session: aiohttp.ClientSession, ranker_url: str) -> bool:
    age = (await read(session, ranker_url)).value(_AGE)
    return age is not None and age >= 0.0


async def promotions_in(conn: asyncpg.Connection) -> int:
    """How many promotions the log tells of."""
    n: int = await conn.fetchval("SELECT count(*) FROM event_log WHERE type = 'model_promoted'")
    return n
