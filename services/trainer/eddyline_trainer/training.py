"""The learner hosted over the live log: what it reads, when its fold moves, and what becomes of the models.

The trainer keeps nothing of its own. On start it replays the log, meets the same cuts, and goes on from what the
registry remembers of the last of them; only what is missing is compared and made.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, aclosing
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
from lightgbm.basic import LightGBMError

from eddyline_contracts.events import ModelAdded, ModelPromoted, ModelRolledBack
from eddyline_contracts.record import Batch, Logged, Record, decode_record
from eddyline_eventlog.port import Log
from eddyline_features.state import State
from eddyline_features.view import View
from eddyline_learning.challenger import Challenger, Priors, digest_of
from eddyline_learning.comparison import Decision
from eddyline_learning.cycle import Cut, KnownCut, KnownDiffers, Learner
from eddyline_learning.drift import load_detectors
from eddyline_learning.explaining.lately import LatelyServed
from eddyline_learning.fold import Vectors
from eddyline_learning.lineup import ModelLost
from eddyline_learning.onnx_export import ExportError
from eddyline_learning.pending import PendingSlate
from eddyline_learning.verification import InexactModel
from eddyline_runtime.clock import Clock
from eddyline_runtime.cost import Energy, Meter
from eddyline_runtime.problems import Unavailable
from eddyline_trainer import metrics
from eddyline_trainer.announcing import Announcer
from eddyline_trainer.fetching import Fetching
from eddyline_trainer.library import Library
from eddyline_trainer.papers import FinishedCycle
from eddyline_trainer.registry import Registry
from eddyline_trainer.skew_watch import SkewWatch
from eddyline_trainer.tape import Tape
from eddyline_trainer.worker import Worker

log = logging.getLogger(__name__)
_FOLD_EVERY = 5_000
"""Places by which the fold may stay behind what it may reach, between two cuts."""
HELD = "held"
"""How the outcome of a cycle begins at which clicks were found to have stalled; the reason follows."""
_KEPT_EVENTS = 20_000
"""Events kept for the fold: where fewer come within the label window, none is decoded twice."""


class Training:
    """Follows the log and does what it asks for.

    Parameters
    ----------
    declaration
        The text that the view was read from; it goes with every model.
    folder
        Scratch, for the ring of examples; memory where none is given.
    explained_impressions
        Of the newest slates of the ranker, whose vectors are kept to explain them.
    """

    def __init__(
        self,
        view: View,
        source: Log,
        registry: Registry,
        library: Library,
        announcer: Announcer,
        worker: Worker,
        *,
        declaration: str,
        folder: Path | None,
        explained_impressions: int,
        clock: Clock,
    ) -> None:
        self.learning = digest_of(view)
        """Digest of the settings that models are made by."""
        self.sequence = 0
        """Log position up to which everything is done."""
        self.caught_up = asyncio.Event()
        """Set once it has reached where the log ended when its work began."""
        self.target = 0
        """Where the log ended then."""
        self._view = view
        self.declaration = declaration
        """The text that the view was read from."""
        self._log = source
        self._registry = registry
        self._library = library
        self._announcer = announcer
        self._worker = worker
        self._folder = folder
        self._explained_impressions = explained_impressions
        self._clock = clock
        self._energy = Energy()
        self._slates = metrics.Mirror(metrics.SLATES)
        self._interactions = metrics.Mirror(metrics.INTERACTIONS)
        self._skew = SkewWatch()
        self._was_held = False
        self._fetch = Fetching(library, worker)
        self._begin([], folder=None)

    async def run(self, known: Sequence[KnownCut], *, target: int) -> None:
        """Follow the log until cancelled.

        Parameters
        ----------
        known
            What the registry remembers of the cycles of this view and its settings.
        target
            Where the log ends now.

        Raises
        ------
        LogEndsBefore
            If the log turns out to be another one: what was learnt is of a history that is gone.
        """
        self.target = target
        await self._worker.do(load_detectors, self._view.learning.policy)
        self._begin(known, folder=self._folder)
        while True:
            try:
                await self._follow()
                return
            except (KnownDiffers, ModelLost) as error:
                log.warning("the log is read from its beginning once more: %s", error)
                await self._registry.forget(self._view.id, self.learning)
                self.learner.store.close()
                self._begin([], folder=self._folder)

    def _begin(self, known: Sequence[KnownCut], *, folder: Path | None) -> None:
        self._lately = LatelyServed(self._explained_impressions)
        self.learner = Learner(
            self._view,
            State(self._view),
            folder=folder,
            fetch=self._fetch,
            known=known,
            on_taken=self._lately.keep,
            take_barren=self._lately.wants,
        )
        self.sequence = 0
        self._tape = Tape(_KEPT_EVENTS)

    async def _follow(self) -> None:
        await self._look()
        async with aclosing(self._log.follow(0)) as batches:
            async for batch in batches:
                await self._take(batch)
                await self._look()

    async def _take(self, batch: Batch) -> None:
        events = await self._worker.do(_decoded, batch.records)
        for logged in events:
            if isinstance(logged.event, ModelPromoted | ModelRolledBack | ModelAdded):
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

    async def newest_rows(self, n: int) -> Vectors:
        """Vectors of at most so many rows of the newest examples, shape (R, F), the oldest first."""
        return await self._worker.do(lambda: self.learner.store.table().vectors[-n:].copy())

    async def vectors_of(self, slate: PendingSlate) -> Vectors | None:
        """Vectors of a slate's shown items, shape (N, F) in the order of `PendingSlate.shown_rows`; None where they are
        not at hand: not replayed yet, or held no more.
        """
        return await self._worker.do(_vectors_of, self.learner, self._lately, slate)

    async def examples(self, n_slates: int) -> BinaryIO:
        """The newest so many examples as an .npz file on disk, that is gone once it is closed.

        Raises
        ------
        Unavailable
            If the disk has no room for it.
        """
        try:
            return await self._worker.do(_as_npz, self.learner, n_slates, self._folder)
        except OSError as error:
            raise Unavailable(
                f"the examples cannot be put together on disk ({error.strerror or error}): make room, or ask for fewer "
                "slates",
                retry_after_s=60,
            ) from error

    async def priors(self) -> Priors:
        """How good each item is for anybody; see `Learner.priors`."""
        return await self._worker.do(self.learner.priors)

    async def _look(self) -> None:
        """Show how far it is, and notice when it has caught up."""
        learner, joiner = self.learner, self.learner.examples.joiner
        metrics.SEQUENCE.set(self.sequence)
        metrics.FOLD_SEQUENCE.set(learner.fold_sequence)
        metrics.PENDING_SLATES.set(joiner.n_pending)
        metrics.EXAMPLE_SLATES.set(len(learner.store))
        metrics.EXAMPLE_ROWS.set(learner.store.n_rows)
        metrics.CONTENDERS.set(len(learner.contenders))
        metrics.DRIFTS.set(learner.n_drifts)
        self._slates.show(joiner.slates)
        self._interactions.show(joiner.interactions)
        self._skew.look(learner, time.monotonic())
        self._look_at_breaker()
        if not self.caught_up.is_set() and self.sequence >= self.target:
            # First what is left to do, then the word that all is done.
            champion = learner.champion_name
            if champion is not None and await self._registry.take_over(
                self._view.id, self.learning, champion, self.sequence, now=self._clock()
            ):
                metrics.PROMOTIONS.inc()
            self._announcer.replayed()
            self.caught_up.set()

    def _look_at_breaker(self) -> None:
        held = self.learner.held is not None
        metrics.BREAKER_OPEN.set(held)
        if self._was_held and not held:
            log.warning("clicks come again: learning goes on", extra={"sequence": self.learner.sequence})
        self._was_held = held

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
        """Do all that is due at a cut, or go on from what is known of it."""
        learner, meter = self.learner, Meter(self._energy)
        with meter.phase("fold"):
            await self._move_fold()
        metrics.CYCLE_SECONDS.labels("fold").inc(meter.wall["fold"])
        if learner.is_known:
            await self._worker.do(learner.recall)
            metrics.CYCLES.labels("known").inc()
            return
        before = learner.champion_name
        with meter.phase("gate"):
            decisions = await self._worker.do(learner.judge)
        loss, n_drifts, plan = learner.loss, learner.n_drifts, learner.plan
        for model, why in learner.lost.items():
            log.error(
                "a model that was added here is not compared any more: %s; make it for the versions in use, and add it "
                "again",
                why,
                extra={"model": model},
            )
        learner.lost.clear()
        made, outcome = await self._make(cut, meter)
        if made is None:
            await self._worker.do(learner.pass_over)
        else:
            await self._worker.do(learner.adopt, made)
            decisions = learner.decisions
        champion = learner.champion_name
        cost = meter.cost(n_slates=len(learner.store), n_examples=learner.store.n_rows)
        cost |= {"loss": None if loss is None else loss.mean, "drifts": n_drifts}
        cost |= (
            {"strategy": None, "due": None}
            if plan is None
            else {"strategy": plan.strategy, "due": plan.reason}
        )
        started = time.perf_counter()
        switched = await self._registry.finish(
            FinishedCycle(
                view=self._view.id,
                learning=self.learning,
                cut=cut,
                outcome=outcome,
                made=made,
                metrics={} if made is None else self._papers(cut, made),
                decisions=decisions,
                champion=None if champion == before else champion,
                takes_over=self.caught_up.is_set(),
                live=learner.live,
                state=learner.state,
                cost=cost,
                gate_seconds=meter.wall["gate"],
                finished_at=self._clock(),
            )
        )
        metrics.CYCLE_SECONDS.labels("register").inc(time.perf_counter() - started)
        if plan is not None:
            metrics.STRATEGIES.labels(plan.strategy, plan.reason).inc()
        if loss is not None:
            metrics.CHAMPION_LOSS.set(loss.mean)
        self._show(outcome, decisions, meter)
        if switched:
            self._announcer.poke()
            metrics.PROMOTIONS.inc()
            await self._show_freshness()
            log.info("champion", extra={"model": champion, "before": before, "cut": cut.number})

    async def _make(self, cut: Cut, meter: Meter) -> tuple[Challenger | None, str]:
        plan = self.learner.plan
        if cut.held is not None:
            log.warning(
                "clicks have stalled, so nothing is learnt: %s", cut.held, extra={"sequence": cut.sequence}
            )
            return None, f"{HELD}: {cut.held}"
        if plan is None:
            return None, "nothing_due" if cut.order is None else "order"
        try:
            made = await self._worker.do(
                self.learner.make, time.perf_counter, self._worker.stopping, cpu=time.process_time
            )
        except (InexactModel, ExportError, LightGBMError) as error:
            # The next cut has other examples; the model in service stays.
            log.error("no model at this cut: %s", error, extra={"cut": cut.sequence})
            return None, "failed"
        bundle = msgspec.structs.replace(made.bundle, declaration=self.declaration)
        made = dataclasses.replace(made, bundle=bundle)
        for phase, seconds in made.seconds.items():
            meter.add(phase, seconds, made.cpu_seconds[phase])
        told = {
            "model": made.bundle.model,
            "cut": cut.number,
            "strategy": plan.strategy,
            "due": plan.reason,
            "slates": made.bundle.n_slates,
            "seconds": {phase: round(seconds, 3) for phase, seconds in made.seconds.items()},
        }
        log.info("model made", extra=told)
        return made, "made"

    def _papers(self, cut: Cut, made: Challenger) -> dict[str, Any]:
        place = {"number": cut.number, "sequence": cut.sequence, "learning": self.learning}
        return {
            **made.bundle.metrics,
            "cut": place,
            "seconds": made.seconds,
            "labelled_at": made.labelled_at,
        }

    async def _show_freshness(self) -> None:
        """How old the newest event is that the new champion knows; of history that is replayed it says nothing."""
        papers = await self._library.champion()
        labelled_at = 0 if papers is None else papers.metrics.get("labelled_at", 0)
        if self.caught_up.is_set() and labelled_at:
            metrics.EVENT_TO_SERVED.observe((self._clock() - labelled_at) / 1_000)

    def _show(self, outcome: str, decisions: Sequence[Decision], meter: Meter) -> None:
        # The reason has numbers in it, and is told in the registry and the journal.
        metrics.CYCLES.labels(HELD if outcome.startswith(HELD) else outcome).inc()
        for phase, seconds in meter.wall.items():
            if phase != "fold":
                metrics.CYCLE_SECONDS.labels(phase).inc(seconds)
        # A challenger has a row for each opponent; what is counted is what became of it.
        for _, became in sorted({(decision.challenger, decision.outcome) for decision in decisions}):
            metrics.DECISIONS.labels(became).inc()


def _vectors_of(learner: Learner, lately: LatelyServed, slate: PendingSlate) -> Vectors | None:
    for held in (lately.of(slate.id), learner.store.vectors_of(slate.sequence)):
        if held is not None:
            return held
    waiting = learner.examples.joiner.pending(slate.id)
    return None if waiting is None or waiting.vectors is None else waiting.vectors[slate.shown_rows]


def _as_npz(learner: Learner, n_slates: int, folder: Path | None) -> BinaryIO:
    table = learner.store.table(newest=n_slates)
    with ExitStack() as stack:
        # On disk: the ring may be larger than the memory that is free, and whoever reads it may be slow.
        file = stack.enter_context(tempfile.TemporaryFile(dir=folder))
        np.savez(
            file,
            columns=np.array(learner.view.columns),
            vectors=table.vectors,
            labels=table.labels,
            positions=table.positions,
            sizes=table.sizes,
            sequences=table.sequences,
        )
        file.seek(0)
        stack.pop_all()
        return file


def _decoded(records: Sequence[Record]) -> list[Logged]:
    return [decode_record(record) for record in records]


def _fold(learner: Learner, records: Sequence[Record]) -> None:
    learner.behind(_decoded(records))
