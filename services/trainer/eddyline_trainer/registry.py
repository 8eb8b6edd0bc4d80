"""The trainer's tables: models and which of them serves, what the gate decided, and what each cycle left behind.

Every cycle is one transaction, so a trainer that dies at any moment finds a state it can go on from. Who is champion
follows the order of the log: a decision changes it only if its place lies after that of the newest one before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg
import msgspec

from eddyline_contracts.bundle import Bundle, decode_bundle, encode_bundle
from eddyline_contracts.events import ModelAdded, ModelPromoted, ModelRolledBack, encode
from eddyline_eventlog.database import is_transient
from eddyline_eventlog.patience import Patience
from eddyline_learning.challenger import OUTSIDE, Challenger
from eddyline_learning.cycle import BY_HAND, KnownCut
from eddyline_learning.gate import PRIORS
from eddyline_runtime.problems import Conflict, NotFound
from eddyline_trainer.papers import (
    CHALLENGER,
    CHAMPION,
    FORMER,
    CyclePapers,
    DecisionPapers,
    FinishedCycle,
    ModelPapers,
    Told,
)

T = TypeVar("T")
KEPT_CHALLENGERS = 200
"""So many models that were never promoted are kept; older ones are deleted."""
_STATES = 3
"""States of so many cycles are kept: the last is enough."""
_PAPERS = (
    "model, view, parent, predecessor, objective, first_sequence, last_sequence, n_slates, n_examples, metrics, "
    "created_at, promoted_at, decided_at, role"
)
_INSERT_MODEL = """
INSERT INTO models (model, view, parent, objective, first_sequence, last_sequence, n_slates, n_examples,
                    metrics, bundle, booster, created_at, role)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'challenger')
ON CONFLICT (model) DO UPDATE SET booster = excluded.booster
"""
_INSERT_CYCLE = """
INSERT INTO learning_cycles (view, learning, number, sequence, outcome, model, state, cost, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT DO NOTHING RETURNING true
"""
_INSERT_DECISION = """
INSERT INTO gate_decisions (view, learning, cut, sequence, challenger, opponent, outcome, reason, n, mean, lower, upper,
                            delta, seconds, decided_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
RETURNING id
"""
_DECISIONS = (
    "cut, sequence, challenger, opponent, outcome, reason, n, mean, lower, upper, delta, seconds, decided_at"
)
# What was made elsewhere cannot be made again, and a replay of the log asks for it.
_FORGET_CHALLENGERS = f"""
DELETE FROM models WHERE role = 'challenger' AND metrics -> '{OUTSIDE}' IS NULL AND model <> ALL($1::text[])
AND created_at < (
    SELECT created_at FROM models WHERE role = 'challenger' AND metrics -> '{OUTSIDE}' IS NULL
    ORDER BY created_at DESC OFFSET $2 LIMIT 1)
"""


class Registry:
    """Reads and writes the tables; waits through outages of the database, unless an answer to a call waits for it."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    # Cycles ----------------------------------------------------------------------------------------------

    async def known_cuts(self, view: str, learning: str) -> list[KnownCut]:
        """The cycles of a view and its settings, from the first one on, without a gap."""

        async def act(conn: asyncpg.Connection) -> Any:
            return await conn.fetch(
                "SELECT number, sequence, model, state FROM learning_cycles "
                "WHERE view = $1 AND learning = $2 ORDER BY number",
                view,
                learning,
            )

        known: list[KnownCut] = []
        for row in await self._with_patience(act):
            if row["number"] != len(known) + 1:
                break
            state = None if row["state"] is None else msgspec.json.decode(row["state"])
            known.append(KnownCut(row["number"], row["sequence"], row["model"], state))
        while known and known[-1].state is None:
            known.pop()
        return known

    async def forget(self, view: str, learning: str) -> None:
        """Nothing is known of the cycles any more."""

        async def act(conn: asyncpg.Connection) -> None:
            await conn.execute(
                "DELETE FROM learning_cycles WHERE view = $1 AND learning = $2", view, learning
            )
            # They are decided once more; those that changed the champion happened, and stay.
            await conn.execute(
                "DELETE FROM gate_decisions WHERE view = $1 AND learning = $2 AND cut IS NOT NULL "
                "AND event_id IS NULL",
                view,
                learning,
            )

        await self._with_patience(act)

    async def finish(self, cycle: FinishedCycle) -> bool:
        """Remember all of a cycle at once, if it is not known yet. True if the champion is another one now."""

        async def act(conn: asyncpg.Connection) -> bool:
            async with conn.transaction():
                return await self._finish(conn, cycle)

        return await self._with_patience(act)

    async def _finish(self, conn: asyncpg.Connection, cycle: FinishedCycle) -> bool:
        cut, now = cycle.cut, cycle.finished_at
        if cycle.made is not None:
            await _add(conn, cycle.made, cycle.metrics, now)
        new = await conn.fetchval(
            _INSERT_CYCLE,
            cycle.view,
            cycle.learning,
            cut.number,
            cut.sequence,
            cycle.outcome,
            None if cycle.made is None else cycle.made.bundle.model,
            _json(cycle.state),
            _json(cycle.cost),
            now,
        )
        if not new:
            return False
        await conn.execute(
            "UPDATE learning_cycles SET state = NULL WHERE view = $1 AND learning = $2 AND number <= $3",
            cycle.view,
            cycle.learning,
            cut.number - _STATES,
        )
        decided = None
        for decision in cycle.decisions:
            row = await conn.fetchval(
                _INSERT_DECISION,
                cycle.view,
                cycle.learning,
                cut.number,
                cut.sequence,
                decision.challenger,
                decision.opponent,
                decision.outcome,
                decision.reason,
                decision.n,
                decision.mean,
                decision.lower,
                decision.upper,
                decision.delta,
                cycle.gate_seconds,
                now,
            )
            if decided is None and decision.challenger == cycle.champion:
                decided = row, decision
        await conn.execute(_FORGET_CHALLENGERS, cycle.live, KEPT_CHALLENGERS)
        if cycle.champion is None or decided is None:
            # An order that came with the log: whoever gave it has recorded it.
            return cycle.champion is not None and await self._crown(
                conn, cycle.champion, cut.sequence, now, takes_over=cycle.takes_over
            )
        row, decision = decided
        rolled_back = decision.outcome == "roll_back"
        before = await _champion(conn)
        if not await self._crown(
            conn,
            cycle.champion,
            cut.sequence,
            now,
            takes_over=cycle.takes_over,
            keeps_predecessor=rolled_back,
        ):
            return False
        await conn.execute(
            "UPDATE models SET metrics = (metrics::jsonb || jsonb_build_object('decision', $2::json))::json "
            "WHERE model = $1",
            cycle.champion,
            _json(decision.as_json()),
        )
        name = f"rolled-back-{cut.sequence}-{cycle.champion}" if rolled_back else f"promoted-{cycle.champion}"
        if await conn.fetchval("SELECT true FROM gate_decisions WHERE event_id = $1 LIMIT 1", name[:128]):
            # One that was made elsewhere can be added and promoted anew: the log takes an id once, and this is news.
            name = f"promoted-{cut.sequence}-{cycle.champion}"
        event = (ModelRolledBack if rolled_back else ModelPromoted)(
            id=name[:128],
            occurred_at=now,
            model=cycle.champion,
            parent=None if before is None else before["model"],
            view=cycle.view,
            decision=decision.as_json(),
        )
        await _tell(conn, row, event)
        return True

    async def take_over(self, view: str, learning: str, model: str, sequence: int, *, now: int) -> bool:
        """The trainer of a view has caught up: its champion follows on that of another view. True if it did."""

        async def act(conn: asyncpg.Connection) -> bool:
            async with conn.transaction():
                before = await _champion(conn)
                if before is None or before["view"] == view:
                    return False
                sequence_now = max(sequence, before["decided_at"] or 0)
                if not await self._crown(conn, model, sequence_now, now, takes_over=True):
                    return False
                decision = {"by": "gate", "outcome": "take_over", "reason": "the champion of the new view"}
                row = await _note(
                    conn,
                    view,
                    learning,
                    sequence_now,
                    model,
                    before["model"],
                    "take_over",
                    decision["reason"],
                    now,
                )
                event = ModelPromoted(
                    # It may have been promoted before, when its view was the one in use: this is another fact.
                    id=f"taken-over-{sequence_now}-{row}-{model}"[:128],
                    occurred_at=now,
                    model=model,
                    parent=before["model"],
                    view=view,
                    decision=decision,
                )
                await _tell(conn, row, event)
                return True

        return await self._with_patience(act)

    # By hand ---------------------------------------------------------------------------------------------

    async def promote_by_hand(
        self, prefix: str, view: str, learning: str, *, pin: bool, last: int, now: int
    ) -> Told:
        """Make a model champion because a person says so.

        Parameters
        ----------
        prefix
            Of its name; must fit one model only.
        pin
            Whether it stays until a person says otherwise. The champion itself may be pinned so, and released.
        last
            Where the log ends now.

        Raises
        ------
        NotFound, Conflict
            No model of that name, or several; or it serves already, or is of another view than the one in use.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            found = await conn.fetch(
                "SELECT model, view, role FROM models WHERE starts_with(model, $1) LIMIT 2", prefix
            )
            if not found:
                raise NotFound(f"no model's name begins with {prefix!r}: GET /v1/models lists them")
            if len(found) > 1:
                raise Conflict(f"several models' names begin with {prefix!r}: give more of it")
            model, of_view, role = found[0]
            if role == CHAMPION and pin == await _is_pinned(conn, model):
                raise Conflict(f"model {model} serves already" + (", and is pinned" if pin else ""))
            if of_view != view:
                raise Conflict(f"model {model} is of the view {of_view}, and {view} is in use")
            outcome = "promote" if role != CHAMPION else "pin" if pin else "release"
            return await self._by_hand(
                conn, ModelPromoted, model, view, learning, outcome=outcome, pin=pin, last=last, now=now
            )

    async def roll_back_by_hand(self, view: str, learning: str, *, last: int, now: int) -> Told:
        """Make the champion's predecessor champion again.

        Raises
        ------
        Conflict
            If there is none.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            champion = await _champion(conn)
            if champion is None:
                raise Conflict("no model serves: there is nothing to roll back")
            before = champion["predecessor"]
            if before is None:
                raise Conflict(f"model {champion['model']} has no predecessor: promote one by its name")
            of_view = await conn.fetchval("SELECT view FROM models WHERE model = $1", before)
            if of_view != view:
                raise Conflict(f"the predecessor {before} is of another view than {view}, which is in use")
            return await self._by_hand(
                conn, ModelRolledBack, before, view, learning, outcome="roll_back", last=last, now=now
            )

    async def _by_hand(
        self,
        conn: asyncpg.Connection,
        event_type: type[ModelPromoted] | type[ModelRolledBack],
        model: str,
        view: str,
        learning: str,
        *,
        outcome: str,
        pin: bool = False,
        last: int,
        now: int,
    ) -> Told:
        rolls_back = event_type is ModelRolledBack
        before = await _champion(conn)
        replaced = None if before is None else before["model"]
        # The event's own place is not known yet; all that was decided up to here lies before it.
        sequence = max(last, 0 if before is None else before["decided_at"] or 0)
        await self._crown(conn, model, sequence, now, takes_over=True, keeps_predecessor=rolls_back)
        reason = "by hand, pinned" if pin else "by hand"
        row = await _note(conn, view, learning, sequence, model, replaced or PRIORS, outcome, reason, now)
        event = event_type(
            id=f"by-hand-{uuid4()}",
            occurred_at=now,
            model=model,
            parent=replaced,
            view=view,
            decision={**BY_HAND, "outcome": outcome, **({"pinned": True} if pin else {})},
        )
        await _tell(conn, row, event)
        return Told(model=model, replaced=replaced, event=event.id or "")

    # From outside ----------------------------------------------------------------------------------------

    async def add(self, bundle: Bundle, learning: str, *, last: int, now: int) -> str:
        """Have a model that was made elsewhere; returns the id of the event that the log is told of it by.

        Parameters
        ----------
        last
            Where the log ends now.

        Raises
        ------
        Conflict
            If Eddyline has made this model itself.
        """
        told = bundle.metrics[OUTSIDE]
        event = ModelAdded(
            id=f"added-{uuid4()}",
            occurred_at=now,
            model=bundle.model,
            view=bundle.view,
            name=told["name"],
            note=told["note"],
        )
        async with self._pool.acquire() as conn, conn.transaction():
            found = await conn.fetchrow(
                f"SELECT metrics -> '{OUTSIDE}' IS NOT NULL AS outside, view, role FROM models WHERE model = $1",
                bundle.model,
            )
            if found is not None and not found["outside"]:
                raise Conflict(
                    f"model {bundle.model} was made here: `eddyline models promote` makes it champion by hand"
                )
            if found is not None and found["view"] != bundle.view:
                if found["role"] == CHAMPION:
                    raise Conflict(
                        f"model {bundle.model} still serves the view {found['view']}: add it to {bundle.view} once "
                        "another model serves"
                    )
                # Its columns are of this view from here on: as one of the former it would be served without features.
                await conn.execute("DELETE FROM models WHERE model = $1", bundle.model)
            await _add(conn, Challenger(bundle, ""), bundle.metrics, now)
            champion = await _champion(conn)
            opponent = PRIORS if champion is None else champion["model"]
            row = await _note(
                conn, bundle.view, learning, last, bundle.model, opponent, "add", "made elsewhere", now
            )
            await _tell(conn, row, event)
        return event.id or ""

    # Models ----------------------------------------------------------------------------------------------

    async def _crown(
        self,
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
        before = await _champion(conn)
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

    async def challenger(self, model: str) -> Challenger | None:
        """A model with all that is needed to compare and extend it."""

        async def act(conn: asyncpg.Connection) -> Any:
            return await conn.fetchrow("SELECT bundle, booster FROM models WHERE model = $1", model)

        row = await self._with_patience(act)
        return None if row is None else Challenger(decode_bundle(row["bundle"]), row["booster"] or "")

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

    async def promoted(self, limit: int) -> list[ModelPapers]:
        """The models promoted last, the newest first: the champion and those before it."""

        async def act(conn: asyncpg.Connection) -> Any:
            return await conn.fetch(
                f"SELECT {_PAPERS} FROM models WHERE promoted_at IS NOT NULL "
                "ORDER BY role = $2 DESC, decided_at DESC, promoted_at DESC LIMIT $1",
                limit,
                CHAMPION,
            )

        return [_papers(row) for row in await self._with_patience(act)]

    async def events(self, limit: int) -> list[tuple[str, str, bytes]]:
        """Id, type and payload of the newest events that tell of models, the oldest first."""

        async def act(conn: asyncpg.Connection) -> Any:
            return await conn.fetch(
                "SELECT event_id, event FROM gate_decisions WHERE event_id IS NOT NULL ORDER BY id DESC LIMIT $1",
                limit,
            )

        rows = await self._with_patience(act)
        return [
            (row["event_id"], msgspec.json.decode(row["event"])["type"], row["event"])
            for row in reversed(rows)
        ]

    # For answers: these do not wait through an outage ----------------------------------------------------

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


async def _add(conn: asyncpg.Connection, made: Challenger, metrics: dict[str, Any], now: int) -> None:
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
        _json(metrics),
        encode_bundle(bundle),
        made.booster,
        now,
    )


async def _champion(conn: asyncpg.Connection) -> Any:
    return await conn.fetchrow(
        "SELECT model, view, decided_at, predecessor FROM models WHERE role = $1 FOR UPDATE", CHAMPION
    )


async def _is_pinned(conn: asyncpg.Connection, champion: str) -> bool:
    """Whether the newest word on the champion is a person's who pinned it."""
    raw = await conn.fetchval(
        "SELECT event FROM gate_decisions WHERE event_id IS NOT NULL AND outcome <> 'add' ORDER BY id DESC LIMIT 1"
    )
    if raw is None:
        return False
    told = msgspec.json.decode(raw)
    return told["model"] == champion and told["decision"].get("pinned") is True


async def _note(
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
    row: int = await conn.fetchval(_INSERT_DECISION, *values)
    return row


async def _tell(
    conn: asyncpg.Connection, row: int, event: ModelPromoted | ModelRolledBack | ModelAdded
) -> None:
    await conn.execute(
        "UPDATE gate_decisions SET event_id = $2, event = $3 WHERE id = $1",
        row,
        event.id,
        encode(event),
    )


def _json(value: Any) -> bytes:
    return msgspec.json.encode(value)


def _papers(row: Any) -> ModelPapers:
    return ModelPapers(**{**row, "metrics": msgspec.json.decode(row["metrics"])})


__all__ = ["CHALLENGER", "CHAMPION", "FORMER", "Registry"]
