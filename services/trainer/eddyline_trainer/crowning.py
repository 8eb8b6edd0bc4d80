"""Who is champion, and what is noted of it: changes on a connection, inside of a transaction of `Registry`.

A decision changes the champion only if its place in the log lies after that of the newest one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec

from eddyline_contracts.bundle import Bundle, encode_bundle
from eddyline_contracts.events import ModelAdded, ModelPromoted, ModelRolledBack, encode
from eddyline_learning.challenger import Challenger
from eddyline_trainer.papers import CHAMPION, FORMER

_INSERT_MODEL = """
INSERT INTO models (model, view, parent, objective, first_sequence, last_sequence, n_slates, n_examples,
                    metrics, bundle, booster, created_at, role)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'challenger')
ON CONFLICT (model) DO UPDATE SET booster = excluded.booster
"""
INSERT_DECISION = """
INSERT INTO gate_decisions (view, learning, cut, sequence, challenger, opponent, outcome, reason, n, mean, lower, upper,
                            delta, seconds, decided_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
RETURNING id
"""


async def crown(
    conn: asyncpg.Connection,
    model: str,
    sequence: int,
    now: int,
    *,
    takes_over: bool,
    keeps_predecessor: bool = False,
) -> bool:
    """Make a model champion by a decision at a place of the log, unless a later one, or another view, stands."""
    found = await conn.fetchrow("SELECT view, predecessor FROM models WHERE model = $1", model)
    if found is None:
        return False
    before = await champion_of(conn)
    predecessor = found["predecessor"]
    if before is not None:
        if before["model"] == model:
            await conn.execute(
                "UPDATE models SET decided_at = greatest(decided_at, $2) WHERE model = $1",
                model,
                sequence,
            )
            return False
        if before["decided_at"] is not None and before["decided_at"] > sequence:
            return False
        if before["view"] != found["view"] and not takes_over:
            return False
        if not keeps_predecessor:
            predecessor = before["model"] if before["view"] == found["view"] else None
        await conn.execute("UPDATE models SET role = $2 WHERE model = $1", before["model"], FORMER)
    await conn.execute(
        "UPDATE models SET role = $2, promoted_at = $3, decided_at = $4, predecessor = $5 WHERE model = $1",
        model,
        CHAMPION,
        now,
        sequence,
        predecessor,
    )
    return True


async def add_model(conn: asyncpg.Connection, made: Challenger, metrics: dict[str, Any], now: int) -> None:
    """Have a model; one that is there already gets its booster back."""
    bundle: Bundle = made.bundle
    await conn.execute(
        _INSERT_MODEL,
        bundle.model,
        bundle.view,
        bundle.parent,
        bundle.objective,
        bundle.first_sequence,
        bundle.last_sequence,
        bundle.n_slates,
        bundle.n_examples,
        as_json(metrics),
        encode_bundle(bundle),
        made.booster,
        now,
    )


async def champion_of(conn: asyncpg.Connection) -> Any:
    """The row of the model in service, locked until the transaction ends; None where there is none."""
    return await conn.fetchrow(
        "SELECT model, view, decided_at, predecessor FROM models WHERE role = $1 FOR UPDATE", CHAMPION
    )


async def is_pinned(conn: asyncpg.Connection, champion: str) -> bool:
    """Whether the newest word on the champion is a person's who pinned it."""
    raw = await conn.fetchval(
        "SELECT event FROM gate_decisions WHERE event_id IS NOT NULL AND outcome <> 'add' ORDER BY id DESC LIMIT 1"
    )
    if raw is None:
        return False
    told = msgspec.json.decode(raw)
    return told["model"] == champion and told["decision"].get("pinned") is True


async def note(
    conn: asyncpg.Connection,
    view: str,
    learning: str,
    sequence: int,
    model: str,
    opponent: str,
    outcome: str,
    reason: str,
    now: int,
) -> int:
    """A decision without a comparison."""
    values: Sequence[Any] = (
        view,
        learning,
        None,
        sequence,
        model,
        opponent,
        outcome,
        reason,
        0,
        0.0,
        None,
        None,
        0.0,
        0.0,
        now,
    )
    row: int = await conn.fetchval(INSERT_DECISION, *values)
    return row


async def tell(
    conn: asyncpg.Connection, row: int, event: ModelPromoted | ModelRolledBack | ModelAdded
) -> None:
    """The log is to be told of a decision by this event; whoever announces sends it."""
    await conn.execute(
        "UPDATE gate_decisions SET event_id = $2, event = $3 WHERE id = $1",
        row,
        event.id,
        encode(event),
    )


def as_json(value: Any) -> bytes:
    """As the tables hold it."""
    return msgspec.json.encode(value)
