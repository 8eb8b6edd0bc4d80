"""The trainer's tables written: models and which of them serves, what the gate decided, what each cycle left behind.

Every cycle is one transaction, so a trainer that dies at any moment finds a state it can go on from. Who is champion
follows the order of the log: a decision changes it only if its place lies after that of the newest one before.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import asyncpg
import msgspec

from eddyline_contracts.bundle import Bundle
from eddyline_contracts.events import ModelAdded, ModelPromoted, ModelRolledBack
from eddyline_learning.challenger import OUTSIDE, Challenger
from eddyline_learning.cycle import BY_HAND, KnownCut
from eddyline_learning.gate import PRIORS
from eddyline_runtime.problems import Conflict, NotFound
from eddyline_trainer.crowning import (
    INSERT_DECISION,
    add_model,
    as_json,
    champion_of,
    crown,
    is_pinned,
    note,
    tell,
)
from eddyline_trainer.papers import CHAMPION, FinishedCycle, Told
from eddyline_trainer.patient import with_patience

KEPT_CHALLENGERS = 200
"""So many models that were never promoted are kept; older ones are deleted."""
_STATES = 3
"""States of so many cycles are kept: the last is enough."""
_INSERT_CYCLE = """
INSERT INTO learning_cycles (view, learning, number, sequence, outcome, model, state, cost, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT DO NOTHING RETURNING true
"""
# What was made elsewhere cannot be made again, and a replay of the log asks for it.
_FORGET_CHALLENGERS = f"""
DELETE FROM models WHERE role = 'challenger' AND metrics -> '{OUTSIDE}' IS NULL AND model <> ALL($1::text[])
AND created_at < (
    SELECT created_at FROM models WHERE role = 'challenger' AND metrics -> '{OUTSIDE}' IS NULL
    ORDER BY created_at DESC OFFSET $2 LIMIT 1)
"""


class Registry:
    """Writes the tables, which `Library` reads.

    Waits through outages of the database, unless an answer to a call waits for it.
    """

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
        for row in await with_patience(self._pool, act):
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

        await with_patience(self._pool, act)

    async def finish(self, cycle: FinishedCycle) -> bool:
        """Remember all of a cycle at once, if it is not known yet. True if the champion is another one now."""

        async def act(conn: asyncpg.Connection) -> bool:
            async with conn.transaction():
                return await self._finish(conn, cycle)

        return await with_patience(self._pool, act)

    async def _finish(self, conn: asyncpg.Connection, cycle: FinishedCycle) -> bool:
        cut, now = cycle.cut, cycle.finished_at
        if cycle.made is not None:
            await add_model(conn, cycle.made, cycle.metrics, now)
        new = await conn.fetchval(
            _INSERT_CYCLE,
            cycle.view,
            cycle.learning,
            cut.number,
            cut.sequence,
            cycle.outcome,
            None if cycle.made is None else cycle.made.bundle.model,
            as_json(cycle.state),
            as_json(cycle.cost),
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
                INSERT_DECISION,
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
            return cycle.champion is not None and await crown(
                conn, cycle.champion, cut.sequence, now, takes_over=cycle.takes_over
            )
        row, decision = decided
        rolled_back = decision.outcome == "roll_back"
        before = await champion_of(conn)
        if not await crown(
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
            as_json(decision.as_json()),
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
        await tell(conn, row, event)
        return True

    async def take_over(self, view: str, learning: str, model: str, sequence: int, *, now: int) -> bool:
        """The trainer of a view has caught up: its champion follows on that of another view. True if it did."""

        async def act(conn: asyncpg.Connection) -> bool:
            async with conn.transaction():
                before = await champion_of(conn)
                if before is None or before["view"] == view:
                    return False
                sequence_now = max(sequence, before["decided_at"] or 0)
                if not await crown(conn, model, sequence_now, now, takes_over=True):
                    return False
                decision = {"by": "gate", "outcome": "take_over", "reason": "the champion of the new view"}
                row = await note(
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
                await tell(conn, row, event)
                return True

        return await with_patience(self._pool, act)

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
            if role == CHAMPION and pin == await is_pinned(conn, model):
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
            champion = await champion_of(conn)
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
        before = await champion_of(conn)
        replaced = None if before is None else before["model"]
        # The event's own place is not known yet; all that was decided up to here lies before it.
        sequence = max(last, 0 if before is None else before["decided_at"] or 0)
        await crown(conn, model, sequence, now, takes_over=True, keeps_predecessor=rolls_back)
        reason = "by hand, pinned" if pin else "by hand"
        row = await note(conn, view, learning, sequence, model, replaced or PRIORS, outcome, reason, now)
        event = event_type(
            id=f"by-hand-{uuid4()}",
            occurred_at=now,
            model=model,
            parent=replaced,
            view=view,
            decision={**BY_HAND, "outcome": outcome, **({"pinned": True} if pin else {})},
        )
        await tell(conn, row, event)
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
            await add_model(conn, Challenger(bundle, ""), bundle.metrics, now)
            champion = await champion_of(conn)
            opponent = PRIORS if champion is None else champion["model"]
            row = await note(
                conn, bundle.view, learning, last, bundle.model, opponent, "add", "made elsewhere", now
            )
            await tell(conn, row, event)
        return event.id or ""

    # Models ----------------------------------------------------------------------------------------------
