"""The trainer's tables read: models, who serves, what was decided, and what cycles cost."""

from __future__ import annotations

from typing import Any

import asyncpg
import msgspec

from eddyline_contracts.bundle import decode_bundle
from eddyline_learning.challenger import Challenger
from eddyline_trainer.papers import CHAMPION, CyclePapers, DecisionPapers, ModelPapers
from eddyline_trainer.patient import with_patience

_PAPERS = (
    "model, view, parent, predecessor, objective, first_sequence, last_sequence, n_slates, n_examples, metrics, "
    "created_at, promoted_at, decided_at, role"
)
_DECISIONS = (
    "cut, sequence, challenger, opponent, outcome, reason, n, mean, lower, upper, delta, seconds, decided_at"
)

_CHALLENGER = "SELECT bundle, booster FROM models WHERE model = $1"


class Library:
    """Reads only; waits through outages of the database, unless an answer to a call waits for it."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def challenger(self, model: str) -> Challenger | None:
        """A model with all that is needed to compare and extend it."""

        async def act(conn: asyncpg.Connection) -> Any:
            return await conn.fetchrow(_CHALLENGER, model)

        row = await with_patience(self._pool, act)
        return None if row is None else _challenger(row)

    async def champion(self) -> ModelPapers | None:
        """The model in service."""

        async def act(conn: asyncpg.Connection) -> Any:
            return await conn.fetchrow(f"SELECT {_PAPERS} FROM models WHERE role = $1", CHAMPION)

        row = await with_patience(self._pool, act)
        return None if row is None else _papers(row)

    async def bundle(self, model: str) -> bytes:
        """The bytes of a model's bundle."""

        async def act(conn: asyncpg.Connection) -> bytes:
            raw: bytes = await conn.fetchval("SELECT bundle FROM models WHERE model = $1", model)
            return raw

        return await with_patience(self._pool, act)

    async def promoted(self, limit: int) -> list[ModelPapers]:
        """The models promoted last, the newest first: the champion and those before it."""

        async def act(conn: asyncpg.Connection) -> Any:
            return await conn.fetch(
                f"SELECT {_PAPERS} FROM models WHERE promoted_at IS NOT NULL "
                "ORDER BY role = $2 DESC, decided_at DESC, promoted_at DESC LIMIT $1",
                limit,
                CHAMPION,
            )

        return [_papers(row) for row in await with_patience(self._pool, act)]

    async def events(self, limit: int) -> list[tuple[str, str, bytes]]:
        """Id, type and payload of the newest events that tell of models, the oldest first."""

        async def act(conn: asyncpg.Connection) -> Any:
            return await conn.fetch(
                "SELECT event_id, event FROM gate_decisions WHERE event_id IS NOT NULL ORDER BY id DESC LIMIT $1",
                limit,
            )

        rows = await with_patience(self._pool, act)
        return [
            (row["event_id"], msgspec.json.decode(row["event"])["type"], row["event"])
            for row in reversed(rows)
        ]

    # For answers: these do not wait through an outage ----------------------------------------------------

    async def challenger_now(self, model: str) -> Challenger | None:
        """As `challenger`."""
        row = await self._pool.fetchrow(_CHALLENGER, model)
        return None if row is None else _challenger(row)

    async def models(self, limit: int) -> list[ModelPapers]:
        """The newest models, the newest first."""
        rows = await self._pool.fetch(
            f"SELECT {_PAPERS} FROM models ORDER BY created_at DESC, last_sequence DESC, model LIMIT $1",
            limit,
        )
        return [_papers(row) for row in rows]

    async def decisions(self, limit: int) -> list[DecisionPapers]:
        """The newest decisions, the newest first."""
        rows = await self._pool.fetch(
            f"SELECT {_DECISIONS} FROM gate_decisions ORDER BY id DESC LIMIT $1", limit
        )
        return [DecisionPapers(**row) for row in rows]

    async def changes(self, limit: int) -> list[DecisionPapers]:
        """The newest decisions that changed the champion, the newest first; of each, against whom it took over from."""
        rows = await self._pool.fetch(
            f"SELECT {_DECISIONS} FROM gate_decisions WHERE event_id IS NOT NULL AND outcome <> 'add' "
            "ORDER BY id DESC LIMIT $1",
            limit,
        )
        return [DecisionPapers(**row) for row in rows]

    async def cycles(self, limit: int) -> list[CyclePapers]:
        """The newest cycles, the newest first."""
        rows = await self._pool.fetch(
            "SELECT number, sequence, outcome, model, cost, created_at FROM learning_cycles "
            "ORDER BY created_at DESC, number DESC LIMIT $1",
            limit,
        )
        return [CyclePapers(**{**row, "cost": msgspec.json.decode(row["cost"])}) for row in rows]


def _papers(row: Any) -> ModelPapers:
    return ModelPapers(**{**row, "metrics": msgspec.json.decode(row["metrics"])})


def _challenger(row: Any) -> Challenger:
    return Challenger(decode_bundle(row["bundle"]), row["booster"] or "")
