"""The table of models: the memory of which cut gave which model and which of them is champion.

Every change is one transaction, so a trainer that dies between two of them finds a state it can go on from.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg
import msgspec
from msgspec import Struct

from eddyline_contracts.bundle import Bundle, Champion, decode_bundle, encode_bundle
from eddyline_eventlog.database import is_transient
from eddyline_eventlog.patience import Patience
from eddyline_learning.gate import Decision, Serving

T = TypeVar("T")
CHALLENGER, CHAMPION, FORMER = "challenger", "champion", "former"
_PAPERS = (
    "model, view, parent, objective, first_sequence, last_sequence, n_slates, n_examples, metrics, "
    "created_at, promoted_at, role"
)
_INSERT = """
INSERT INTO models (model, view, parent, objective, first_sequence, last_sequence, n_slates, n_examples,
                    metrics, bundle, created_at, promoted_at, role)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, NULL, 'challenger')
ON CONFLICT (model) DO NOTHING
"""
_BY_CUT = """
SELECT bundle FROM models
WHERE view = $1 AND (metrics #>> '{cut,sequence}')::bigint = $2 AND metrics #>> '{cut,learning}' = $3
"""


class ModelPapers(Struct, frozen=True, kw_only=True):
    """A model, as the registry knows it."""

    model: str
    view: str
    parent: str | None
    objective: str
    first_sequence: int
    last_sequence: int
    n_slates: int
    n_examples: int
    metrics: dict[str, Any]
    """``cut``: where it was made; ``seconds``: by phase; ``decision``; ``ndcg@10`` of the champion before."""
    created_at: int
    """ms since the Unix epoch."""
    promoted_at: int | None
    role: str
    """``challenger`` (never promoted), ``champion`` or ``former``."""

    @property
    def as_champion(self) -> Champion:
        """What the champion key says of it."""
        assert self.promoted_at is not None
        return Champion(
            model=self.model,
            view=self.view,
            promoted_at=self.promoted_at,
            last_sequence=self.last_sequence,
            parent=self.parent,
        )

    @property
    def as_serving(self) -> Serving:
        """What the gate must know of it."""
        return Serving(self.model, self.view, self.last_sequence)


class Registry:
    """Reads and writes the table; waits through outages of the database."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def add(self, bundle: Bundle, metrics: dict[str, Any], *, created_at: int) -> None:
        """Remember a model; nothing happens if it is there already."""
        told, raw = msgspec.json.encode(metrics), encode_bundle(bundle)

        async def act(conn: asyncpg.Connection) -> None:
            await conn.execute(
                _INSERT,
                bundle.model,
                bundle.view,
                bundle.parent,
                bundle.objective,
                bundle.first_sequence,
                bundle.last_sequence,
                bundle.n_slates,
                bundle.n_examples,
                told,
                raw,
                created_at,
            )

        await self._with_patience(act)

    async def made_at(self, view: str, cut: int, learning: str) -> Bundle | None:
        """The model that was made at this place of the log, in this way; none if there is none."""

        async def act(conn: asyncpg.Connection) -> bytes | None:
            found: bytes | None = await conn.fetchval(_BY_CUT, view, cut, learning)
            return found

        raw = await self._with_patience(act)
        return None if raw is None else decode_bundle(raw)

    async def promote(self, model: str, decision: Decision, *, promoted_at: int) -> bool:
        """Make a model champion, once: False if it has been promoted before."""
        told = msgspec.json.encode(decision.as_json())

        async def act(conn: asyncpg.Connection) -> bool:
            async with conn.transaction():
                new = await conn.fetchval(
                    "SELECT true FROM models WHERE model = $1 AND promoted_at IS NULL FOR UPDATE", model
                )
                if not new:
                    return False
                await conn.execute("UPDATE models SET role = $1 WHERE role = $2", FORMER, CHAMPION)
                await conn.execute(
                    "UPDATE models SET role = $2, promoted_at = $3, "
                    "metrics = (metrics::jsonb || jsonb_build_object('decision', $4::json))::json "
                    "WHERE model = $1",
                    model,
                    CHAMPION,
                    promoted_at,
                    told,
                )
                return True

        return await self._with_patience(act)

    async def champion(self) -> ModelPapers | None:
        """The model in service."""

        async def act(conn: asyncpg.Connection) -> Any:
            return await conn.fetchrow(f"SELECT {_PAPERS} FROM models WHERE role = $1", CHAMPION)

        row = await self._with_patience(act)
        return None if row is None else _papers(row)

    async def bundle(self, model: str) -> bytes:
        """The bytes of a model's bundle."""

        async def act(conn: asyncpg.Connection) -> bytes:
            raw: bytes = await conn.fetchval("SELECT bundle FROM models WHERE model = $1", model)
            return raw

        return await self._with_patience(act)

    async def models(self, limit: int) -> list[ModelPapers]:
        """The newest models, the newest first. Does not wait through an outage."""
        rows = await self._pool.fetch(
            f"SELECT {_PAPERS} FROM models ORDER BY created_at DESC, last_sequence DESC, model LIMIT $1",
            limit,
        )
        return [_papers(row) for row in rows]

    async def promoted(self, limit: int) -> list[ModelPapers]:
        """The models promoted last, the newest first: the champion and those before it."""

        async def act(conn: asyncpg.Connection) -> Any:
            return await conn.fetch(
                f"SELECT {_PAPERS} FROM models WHERE promoted_at IS NOT NULL "
                "ORDER BY role = $2 DESC, promoted_at DESC, last_sequence DESC LIMIT $1",
                limit,
                CHAMPION,
            )

        return [_papers(row) for row in await self._with_patience(act)]

    async def _with_patience(self, act: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        patience = Patience("registry of models")
        while True:
            try:
                async with self._pool.acquire() as conn:
                    done = await act(conn)
            except Exception as error:
                if not is_transient(error) or self._pool.is_closing():
                    raise
                await patience.wait(error)
            else:
                patience.over()
                return done


def _papers(row: Any) -> ModelPapers:
    return ModelPapers(**{**row, "metrics": msgspec.json.decode(row["metrics"])})
