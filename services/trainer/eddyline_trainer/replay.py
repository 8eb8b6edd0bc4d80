"""Slates and their vectors, replayed from the log by the code that makes training vectors.

For whoever wants to know what a slate was ranked by: to compare it with what was served, or to explain it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Container
from contextlib import aclosing

from eddyline_contracts.events import SlateServed
from eddyline_contracts.record import decode_record
from eddyline_eventlog.port import Log
from eddyline_features.state import State
from eddyline_features.view import View
from eddyline_learning.pending import PendingSlate, pending_of
from eddyline_learning.taking import VectorTaker


async def replay_slates(
    log: Log, view: View, until: int, *, only: Container[str] | None = None
) -> AsyncIterator[PendingSlate]:
    """Yield slates whose ``vectors`` are taken, shape (N, F) over ``candidates``, by ``features_sequence``.

    Reads the log twice from its beginning, as the trainer does: once ahead for the slates, once behind for the state.

    Parameters
    ----------
    until
        Log position up to which slates are looked for.
    only
        Ids of the slates to yield; all where none are given. Those that the ranker ordered without features have no
        vectors and are left out.
    """
    wanted: list[PendingSlate] = []
    async with aclosing(log.read(0, until)) as batches:
        async for batch in batches:
            for logged in map(decode_record, batch.records):
                event = logged.event
                if not isinstance(event, SlateServed) or (only is not None and logged.id not in only):
                    continue
                slate = pending_of(logged, event)
                if not slate.blind and slate.features_sequence < slate.sequence:
                    wanted.append(slate)
    taken: list[PendingSlate] = []
    taker = VectorTaker(State(view), taken.append)
    taker.want(wanted)
    newest = max((slate.features_sequence for slate in wanted), default=0)
    async with aclosing(log.read(0, newest)) as batches:
        async for batch in batches:
            taker.move([decode_record(record) for record in batch.records])
            for slate in taken:
                yield slate
            taken.clear()
    taker.finish()
    for slate in taken:
        yield slate
