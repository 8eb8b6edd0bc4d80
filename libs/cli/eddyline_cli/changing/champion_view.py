"""Which view the champion is of, and what declares that view: the registry has it, in the champion's bundle."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

from eddyline_contracts.bundle import CorruptBundle, decode_bundle
from eddyline_eventlog.database import connect
from eddyline_features.view import ViewError, load_view


@dataclass(frozen=True, slots=True)
class ChampionView:
    """The view of the model in service."""

    view: str
    """Its id."""
    declaration: str | None
    """The eddyline.yaml of it; None where it cannot be had, and then `why` says so."""
    why: str = ""


async def champion_view(database_url: str) -> ChampionView | None:
    """Ask the registry; None while no model serves. The tables must be there."""
    conn = await connect(database_url, name="eddyline-up")
    try:
        row = await conn.fetchrow("SELECT view, bundle FROM models WHERE role = 'champion'")
    finally:
        await conn.close()
    return None if row is None else _read(row)


def _read(row: asyncpg.Record) -> ChampionView:
    view: str = row["view"]
    try:
        text = decode_bundle(row["bundle"]).declaration
        if not text:
            return ChampionView(view, None, "its model was made by an older Eddyline, which did not keep it")
        found = load_view(text).id
    except CorruptBundle as error:
        return ChampionView(view, None, str(error))
    except ViewError as error:
        return ChampionView(view, None, f"this Eddyline cannot read it: {error}")
    if found != view:
        # The same words fold to something else: the fold's format has changed with the version.
        return ChampionView(view, None, "this version of Eddyline computes features otherwise")
    return ChampionView(view, text)
