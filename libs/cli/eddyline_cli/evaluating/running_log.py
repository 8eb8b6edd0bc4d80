"""Off-policy estimates of the log of a running system, read from its database."""

from __future__ import annotations

from collections.abc import Callable

import asyncpg

from eddyline_cli.evaluating.hosting import Asked
from eddyline_cli.evaluating.off_policy import Estimated, of_slates, wanted_of
from eddyline_cli.reading_log import read_only
from eddyline_cli.refusals import Refused
from eddyline_cli.reporting import registry
from eddyline_contracts.record import decode_record
from eddyline_eventlog.postgres import PostgresLog
from eddyline_features.view import View, ViewError, load_view
from eddyline_learning.off_policy.slates import EDDYLINE, SlateLog

_CURSOR = "SELECT coalesce(max(sequence), 0) FROM event_log"


async def of_running(
    url: str, view: View | None, asked: Asked, progress: Callable[[int], None]
) -> tuple[Estimated, int]:
    """The estimate, and the number of events that were read.

    Parameters
    ----------
    view
        None: the one that came with the newest model.

    Raises
    ------
    Refused
        If the database does not answer or is none of Eddyline's; no view is known; or no slate says anything.
    """
    wanted = wanted_of(asked)
    if wanted.policy == EDDYLINE:
        raise Refused(
            "--target eddyline learns from files of events: for a running system use --target greedy, the order by its "
            "own models"
        )
    n = 0
    async with read_only(url, command="eddyline evaluate", otherwise="name files of events") as pool:
        slates = SlateLog(await _view(pool) if view is None else view, wanted)
        async for batch in PostgresLog(pool).read(0, await pool.fetchval(_CURSOR)):
            for record in batch.records:
                slates.add(decode_record(record))
            n += len(batch.records)
            progress(n)
    return of_slates(slates, asked), n


async def _view(pool: asyncpg.Pool) -> View:
    text = await registry.declaration(pool)
    try:
        if text:
            return load_view(text)
    except ViewError:
        pass
    raise Refused(
        "no model tells which view this log is of: name its eddyline.yaml with --config, which says what actions mean"
    )
