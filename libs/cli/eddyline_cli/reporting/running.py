"""All that a running system tells, gathered once: the log, the trainer's tables, and the services' own words."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import asyncpg

from eddyline_cli.data_folder import RunState
from eddyline_cli.demo.freshness import Freshness, freshness
from eddyline_cli.reading_log import read_only
from eddyline_cli.refusals import Refused
from eddyline_cli.reporting import registry
from eddyline_cli.reporting.slates import Shown, SlateReader
from eddyline_cli.reporting.told import CycleTold, DecisionTold, Mark, VersionTold, marks_of
from eddyline_cli.supervisor.probes import ask_health
from eddyline_contracts.events import ItemUpserted
from eddyline_contracts.record import Record, decode_record
from eddyline_eventlog.postgres import PostgresLog
from eddyline_features.view import View, ViewError, load_view

VERSIONS = 12
"""So many models, the last that served, are looked into."""
MOST_LISTS = 300_000
"""More are not read; the newest are. They take some 200 MB."""
_CURSOR = "SELECT sequence FROM log_cursor"
_BEFORE = "SELECT coalesce(max(sequence), 0) FROM event_log WHERE recorded_at < $1"
# Backwards along the primary key: no more is read than is wanted.
_LISTS_AGO = """
SELECT sequence FROM event_log WHERE sequence > $1 AND type = 'slate' ORDER BY sequence DESC OFFSET $2 LIMIT 1
"""
_RECORDED = "SELECT recorded_at FROM event_log WHERE sequence = $1"
_NEWEST = "SELECT max(recorded_at) FROM event_log"
_ITEMS = """
SELECT sequence, event_id, type, received_at, recorded_at, payload FROM event_log
WHERE type = 'item' AND sequence <= $1 ORDER BY sequence
"""
_AT_ONCE = 2_000


@dataclass(frozen=True, kw_only=True)
class RunningSystem:
    """What there is to draw."""

    view: View
    since_ms: int
    now_ms: int
    newest_ms: int | None
    """When the newest event was recorded; None for an empty log."""
    n_events: int
    """Read."""
    shown: list[Shown]
    n_items: int
    """In the catalogue, or shown without being in it."""
    left_out: dict[str, int]
    lists_from_ms: int | None = None
    """Where lists are read from only, since there are too many; None: all."""
    versions: list[VersionTold]
    decisions: list[DecisionTold]
    cycles: list[CycleTold]
    marks: list[Mark] = field(default_factory=list)
    fresh: Freshness | None = None
    """By the services themselves; None where they were not asked."""
    sources: list[str] = field(default_factory=list)
    """See `SlateReader.sources`."""
    skew: dict[str, Any] | None = None
    """Of the trainer: ``compared``, ``different``, ``largest``, ``columns``."""

    @property
    def champion(self) -> VersionTold | None:
        """The model in service."""
        return next((each for each in self.versions if each.role == "champion"), None)


async def gather(
    url: str,
    view: View | None,
    *,
    state: RunState | None,
    since_ms: int,
    now_ms: int,
    progress: Callable[[int], None],
) -> RunningSystem:
    """Read everything since then.

    Parameters
    ----------
    view
        None: the one that came with the champion.
    progress
        Is told the number of events so far.

    Raises
    ------
    Refused
        If the database does not answer or is none of Eddyline's; or no view is known.
    """
    otherwise = "draw an evaluation with --evaluation FILE"
    async with read_only(url, command="eddyline report", otherwise=otherwise) as pool:
        view = await _view(pool) if view is None else view
        reader = SlateReader(view)
        newest = await pool.fetchval(_NEWEST)
        after, until = await pool.fetchval(_BEFORE, since_ms), await pool.fetchval(_CURSOR)
        lists_from = None
        first = await pool.fetchval(_LISTS_AGO, after, MOST_LISTS)
        if first is not None:
            after, lists_from = first, await pool.fetchval(_RECORDED, first)
        await _catalogue(pool, reader, after)
        async for batch in PostgresLog(pool).read(after, until):
            reader.read([decode_record(record) for record in batch.records])
            progress(reader.n_events)
        models = await registry.versions(pool, since_ms)
        importances = await registry.importances(pool, VERSIONS)
        decisions = await registry.decisions(pool, since_ms)
        cycles = await registry.cycles(pool, since_ms, {each.model: each for each in models})
    fresh, skew = await _services(state)
    shown = reader.finish()
    return RunningSystem(
        view=view,
        since_ms=since_ms,
        now_ms=now_ms,
        newest_ms=newest,
        n_events=reader.n_events,
        shown=shown,
        n_items=len(reader.items) - len(reader.removed),
        left_out=reader.left_out,
        lists_from_ms=lists_from,
        versions=[_with(each, importances.get(each.model)) for each in models],
        decisions=decisions,
        cycles=cycles,
        marks=marks_of(decisions, cycles),
        fresh=fresh,
        sources=reader.sources,
        skew=skew,
    )


def _with(version: VersionTold, importance: dict[str, float] | None) -> VersionTold:
    return version if importance is None else dataclasses.replace(version, importance=importance)


async def _view(pool: asyncpg.Pool) -> View:
    text = await registry.declaration(pool)
    if text:
        with contextlib.suppress(ViewError):
            return load_view(text)
    raise Refused(
        "no model tells which view this log is of: name its eddyline.yaml with --config, which says what actions mean"
    )


async def _catalogue(pool: asyncpg.Pool, reader: SlateReader, until: int) -> None:
    """The items of what is not read."""
    if not until:
        return
    async with pool.acquire() as conn, conn.transaction():
        cursor = await conn.cursor(_ITEMS, until)
        while rows := await cursor.fetch(_AT_ONCE):
            for row in rows:
                event = decode_record(Record(*row)).event
                assert isinstance(event, ItemUpserted)
                reader.know(event)


async def _services(state: RunState | None) -> tuple[Freshness | None, dict[str, Any] | None]:
    if state is None:
        return None, None
    async with aiohttp.ClientSession() as session:
        fresh = await freshness(session, state)
        trainer = state.url("trainer")
        told = None if trainer is None else await ask_health(session, trainer)
    skew = (told or {}).get("details", {}).get("skew")
    return fresh, skew if isinstance(skew, dict) else None
