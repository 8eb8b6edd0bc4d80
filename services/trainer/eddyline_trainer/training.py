"""The learner hosted over the live log: what it reads, when its fold moves, and what becomes of the models.

The trainer keeps nothing of its own. On start it replays the log, meets the same cuts, and finds in the registry what
was made there; only what is missing is made.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from lightgbm.basic import LightGBMError

from eddyline_contracts.bundle import Bundle
from eddyline_contracts.events import ModelPromoted
from eddyline_contracts.record import Batch, Logged, Record, decode_record
from eddyline_eventlog.port import Log
from eddyline_features.state import State
from eddyline_features.view import View
from eddyline_learning.challenger import Challenger, digest_of
from eddyline_learning.cycle import Cut, Learner
from eddyline_learning.gate import decide
from eddyline_learning.onnx_export import ExportError
from eddyline_learning.verification import InexactModel
from eddyline_runtime.clock import Clock
from eddyline_trainer import metrics
from eddyline_trainer.announcing import Announcer
from eddyline_trainer.registry import Registry
from eddyline_trainer.tape import Tape
from eddyline_trainer.worker import Worker

log = logging.getLogger(__name__)
_FOLD_EVERY = 5_000
"""Places by which the fold may stay behind what it may reach, between two cuts."""
_KEPT_EVENTS = 20_000
"""Events kept for the fold: where fewer come within the label window, none is decoded twice."""


class Training:
    """Follows the log and makes the models that it asks for."""

    def __init__(
        self,
        view: View,
        source: Log,
        registry: Registry,
        announcer: Announcer,
        worker: Worker,
        *,
        target: int,
        clock: Clock,
    ) -> None:
        self.learner = Learner(view, State(view))
        self.sequence = 0
        """Log position up to which everything is done."""
        self.caught_up = asyncio.Event()
        """Set once it has reached where the log ended when this process started."""
        self._view = view
        self._log = source
        self._registry = registry
        self._announcer = announcer
        self._worker = worker
        self._target = target
        self._clock = clock
        self._learning = digest_of(view)
        self._tape = Tape(_KEPT_EVENTS)
        self._slates = metrics.Mirror(metrics.SLATES)
        self._interactions = metrics.Mirror(metrics.INTERACTIONS)

    async def run(self) -> None:
        """Follow the log until cancelled.

        Raises
        ------
        LogEndsBefore
            If the log turns out to be another one: what was learnt is of a history that is gone.
        """
        await self._look()
        async with aclosing(self._log.follow(0)) as batches:
            async for batch in batches:
                await self._take(batch)
                await self._look()

    async def _take(self, batch: Batch) -> None:
        events = await self._worker.do(_decoded, batch.records)
        for logged in events:
            if isinstance(logged.event, ModelPromoted):
                self._announcer.seen_in_log(logged.id)
        done = 0
        while done < len(events):
            n_read = await self._worker.do(self.learner.ahead, events[done:])
            self._tape.add(events[done : done + n_read])
            done += n_read
            if self.learner.cut is not None:
                await self._cycle(self.learner.cut)
        if self.learner.fold_until - self.learner.fold_sequence > _FOLD_EVERY:
            await self._move_fold()
        self.sequence = batch.last

    async def _look(self) -> None:
        """Show how far it is, and notice when it has caught up."""
        learner, joiner = self.learner, self.learner.examples.joiner
        metrics.SEQUENCE.set(self.sequence)
        metrics.FOLD_SEQUENCE.set(learner.fold_sequence)
        metrics.PENDING_SLATES.set(joiner.n_pending)
        metrics.EXAMPLE_SLATES.set(len(learner.store))
        metrics.EXAMPLE_ROWS.set(learner.store.n_rows)
        self._slates.show(joiner.slates)
        self._interactions.show(joiner.interactions)
        if not self.caught_up.is_set() and self.sequence >= self._target:
            # First what is left to do, then the word that all is done.
            if learner.champion is not None:
                await self._judge(learner.champion, caught_up=True)
            self._announcer.replayed()
            self.caught_up.set()

    async def _move_fold(self) -> None:
        learner = self.learner
        after, until = learner.fold_sequence, learner.fold_until
        at_hand = self._tape.between(after, until)
        if at_hand is not None:
            await self._worker.do(learner.behind, at_hand)
        else:
            async with aclosing(self._log.read(after, until)) as batches:
                async for batch in batches:
                    await self._worker.do(_fold, learner, batch.records)
        await self._worker.do(learner.collect)

    async def _cycle(self, cut: Cut) -> None:
        """Bring in the model of a cut, made or found."""
        started = time.perf_counter()
        await self._move_fold()
        metrics.CYCLE_SECONDS.labels("fold").inc(time.perf_counter() - started)
        bundle = await self._registry.made_at(self._view.id, cut.sequence, self._learning)
        outcome = "known"
        if bundle is None:
            bundle = await self._make(cut)
            outcome = "failed" if bundle is None else "made"
        metrics.CYCLES.labels(outcome).inc()
        if bundle is None:
            self.learner.pass_over()
            return
        await self._judge(bundle, caught_up=self.caught_up.is_set())
        self.learner.adopt(bundle)

    async def _make(self, cut: Cut) -> Bundle | None:
        try:
            made = await self._worker.do(self.learner.make, time.perf_counter, self._worker.stopping)
        except (InexactModel, ExportError, LightGBMError) as error:
            # The next cut has other examples; the model in service stays.
            log.error("no model at this cut: %s", error, extra={"cut": cut.sequence})
            return None
        for phase, seconds in made.seconds.items():
            metrics.CYCLE_SECONDS.labels(phase).inc(seconds)
        started = time.perf_counter()
        await self._registry.add(made.bundle, self._papers(cut, made), created_at=self._clock())
        metrics.CYCLE_SECONDS.labels("register").inc(time.perf_counter() - started)
        told = {
            "model": made.bundle.model,
            "cut": cut.number,
            "slates": made.bundle.n_slates,
            "seconds": {phase: round(seconds, 3) for phase, seconds in made.seconds.items()},
        }
        log.info("model made", extra=told)
        return made.bundle

    def _papers(self, cut: Cut, made: Challenger) -> dict[str, Any]:
        place = {"number": cut.number, "sequence": cut.sequence, "learning": self._learning}
        return {**made.bundle.metrics, "cut": place, "seconds": made.seconds}

    async def _judge(self, bundle: Bundle, *, caught_up: bool) -> None:
        champion = await self._registry.champion()
        decision = decide(bundle, None if champion is None else champion.as_serving, caught_up=caught_up)
        if decision.promote and await self._registry.promote(
            bundle.model, decision, promoted_at=self._clock()
        ):
            metrics.PROMOTIONS.inc()
            log.info("promoted", extra={"model": bundle.model, "reason": decision.reason})
            self._announcer.poke()


def _decoded(records: Sequence[Record]) -> list[Logged]:
    return [decode_record(record) for record in records]


def _fold(learner: Learner, records: Sequence[Record]) -> None:
    learner.behind(_decoded(records))
