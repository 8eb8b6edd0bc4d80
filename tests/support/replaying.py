"""What a trainer learns from a log, without the trainer: the learner hosted over any adapter, batch by batch."""

from __future__ import annotations

from contextlib import aclosing

from eddyline_contracts.record import decode_record
from eddyline_eventlog.port import Log
from eddyline_features.state import State
from eddyline_features.view import View
from eddyline_learning.cycle import Learner


async def replayed(log: Log, view: View, until: int) -> Learner:
    """A learner that has read the log to this place and holds all examples that were decided by then."""
    learner = Learner(view, State(view))
    async with aclosing(log.read(0, until)) as batches:
        async for batch in batches:
            events, done = [decode_record(record) for record in batch.records], 0
            while done < len(events):
                done += learner.ahead(events[done:])
                if learner.cut is not None:
                    await catch_up(learner, log)
                    learner.judge()
                    _go_on(learner)
    await catch_up(learner, log)
    return learner


async def catch_up(learner: Learner, log: Log) -> None:
    """Move its fold as far as it may go, and let it hold what is complete then."""
    async with aclosing(log.read(learner.fold_sequence, learner.fold_until)) as batches:
        async for batch in batches:
            learner.behind([decode_record(record) for record in batch.records])
    learner.collect()


def _go_on(learner: Learner) -> None:
    if learner.plan is None:
        learner.pass_over()
    else:
        learner.adopt(learner.make(lambda: 0.0))
