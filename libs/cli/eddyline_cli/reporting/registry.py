"""What the trainer's tables tell, read and not changed: models, decisions, cycles."""

from __future__ import annotations

from typing import Any

import asyncpg
import msgspec

from eddyline_cli.reporting.told import CycleTold, DecisionTold, VersionTold
from eddyline_contracts.bundle import CorruptBundle, decode_bundle

MOST_CYCLES, MOST_DECISIONS, MOST_MODELS = 20_000, 50_000, 2_000
"""More are not read; the newest are."""
_MODELS = """
SELECT model, role, created_at, promoted_at, n_slates, metrics FROM models
WHERE role <> 'challenger' OR created_at >= $1 ORDER BY created_at DESC LIMIT $2
"""
_DECISIONS = """
SELECT cut, challenger, opponent, outcome, reason, n, mean, lower, upper, delta, decided_at FROM gate_decisions
WHERE decided_at >= $1 ORDER BY id DESC LIMIT $2
"""
_CYCLES = """
SELECT number, outcome, model, cost, created_at FROM learning_cycles
WHERE created_at >= $1 ORDER BY created_at DESC, number DESC LIMIT $2
"""
_BOOSTERS = """
SELECT model, booster, bundle FROM models WHERE promoted_at IS NOT NULL
ORDER BY role = 'champion' DESC, promoted_at DESC LIMIT $1
"""
_DECLARED = "SELECT bundle FROM models ORDER BY role = 'champion' DESC, created_at DESC LIMIT 1"


async def versions(pool: asyncpg.Pool, since_ms: int) -> list[VersionTold]:
    """Champions and those before it, and challengers since then; in the order in which they were made."""
    found = []
    for row in await pool.fetch(_MODELS, since_ms, MOST_MODELS):
        papers = _decoded(row["metrics"])
        made = papers.get("made") or {}
        found.append(
            VersionTold(
                model=row["model"],
                role=row["role"],
                made_at=row["created_at"],
                promoted_at=row["promoted_at"],
                labelled_at=papers.get("labelled_at") or None,
                strategy=made.get("strategy"),
                n_trees=made.get("n_trees"),
                n_slates=row["n_slates"],
            )
        )
    return found[::-1]


async def decisions(pool: asyncpg.Pool, since_ms: int) -> list[DecisionTold]:
    """Those since then, the oldest first."""
    rows = (await pool.fetch(_DECISIONS, since_ms, MOST_DECISIONS))[::-1]
    found, told = [], set[tuple[int, str]]()
    for row in rows:
        # A challenger has a row for each opponent, the first of them against the champion.
        key = (row["decided_at"], row["challenger"])
        found.append(
            DecisionTold(
                at_ms=row["decided_at"],
                challenger=row["challenger"],
                opponent=row["opponent"],
                outcome=row["outcome"],
                reason=row["reason"],
                n=row["n"],
                mean=row["mean"] if row["n"] else None,
                lower=row["lower"],
                upper=row["upper"],
                delta=row["delta"],
                against_champion=key not in told,
            )
        )
        told.add(key)
    return found


async def cycles(pool: asyncpg.Pool, since_ms: int, made: dict[str, VersionTold]) -> list[CycleTold]:
    """Those since then, the oldest first; ``made`` are the models by name."""
    found: list[CycleTold] = []
    drifts: int | None = None
    for row in (await pool.fetch(_CYCLES, since_ms, MOST_CYCLES))[::-1]:
        cost = _decoded(row["cost"])
        model = made.get(row["model"] or "")
        found.append(
            CycleTold(
                number=row["number"],
                at_ms=row["created_at"],
                outcome=row["outcome"],
                strategy=None if model is None else model.strategy,
                model=row["model"],
                seconds=_numbers(cost.get("wall_seconds")),
                joules=cost.get("joules"),
                joules_by=cost.get("joules_by", ""),
                slates=cost.get("slates", 0),
                loss=cost.get("loss"),
                # Counted since the start of the log: one more than at the cut before, wherever reading begins.
                drift=drifts is not None and cost.get("drifts", 0) > drifts,
            )
        )
        drifts = cost.get("drifts", 0)
    return found


async def importances(pool: asyncpg.Pool, n: int) -> dict[str, dict[str, float]]:
    """What the last models that served look at, by their name, the newest first; without those that have no trees."""
    from eddyline_learning.importance import gain_shares

    found = {}
    for row in await pool.fetch(_BOOSTERS, n):
        if not row["booster"]:
            continue
        try:
            columns = decode_bundle(row["bundle"]).features
        except CorruptBundle:
            continue
        found[row["model"]] = gain_shares(row["booster"], columns)
    return found


async def declaration(pool: asyncpg.Pool) -> str:
    """The eddyline.yaml that came with the champion, or else with the newest model; empty where there is none."""
    raw = await pool.fetchval(_DECLARED)
    if raw is None:
        return ""
    try:
        return decode_bundle(raw).declaration
    except CorruptBundle:
        return ""


def _decoded(raw: Any) -> dict[str, Any]:
    found = msgspec.json.decode(raw) if raw is not None else {}
    return found if isinstance(found, dict) else {}


def _numbers(told: Any) -> dict[str, float]:
    if not isinstance(told, dict):
        return {}
    return {str(name): float(value) for name, value in told.items() if isinstance(value, int | float)}
