"""What people see of the models, and what they may decide about them."""

from __future__ import annotations

import asyncio
from typing import BinaryIO, TypeVar

import msgspec

from eddyline_contracts.bundle import Bundle, model_name
from eddyline_eventlog.port import Log
from eddyline_learning.challenger import OUTSIDE
from eddyline_runtime.clock import Clock
from eddyline_runtime.problems import Conflict, Unavailable
from eddyline_trainer import metrics
from eddyline_trainer.announcing import Announcer
from eddyline_trainer.asking import asked
from eddyline_trainer.library import Library
from eddyline_trainer.papers import Added, ColumnsPapers, CyclePapers, DecisionPapers, ModelPapers, Told
from eddyline_trainer.registry import Registry
from eddyline_trainer.room import Room
from eddyline_trainer.sandbox import Limits, check_small, try_apart
from eddyline_trainer.training import Training
from eddyline_trainer.turn import STANDBY, Turn

T = TypeVar("T")
_NEWEST = 200
_TRIED_ON = 2_000
"""Rows of examples that an added model is tried on."""
_ADDING, _FETCHING = 4, 2
"""Calls at once: one is tried while others come in over the network; examples take disk each."""


class Desk:
    """Answers, and takes decisions by hand: at once in the registry and on the bus, and soon in the log.

    Every method raises `Unavailable` while the database is away; decisions do while another trainer works.
    """

    def __init__(
        self,
        view: str,
        training: Training,
        source: Log,
        registry: Registry,
        library: Library,
        announcer: Announcer,
        turn: Turn,
        *,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self.adding = Room(_ADDING, "models are added", retry_after_s=10)
        """For those who send a model, before it is read."""
        self.fetching = Room(_FETCHING, "examples are fetched", retry_after_s=10)
        self._limits = limits
        self._trying = asyncio.Lock()
        self._view = view
        self._training = training
        self._log = source
        self._registry = registry
        self._library = library
        self._announcer = announcer
        self._turn = turn
        self._clock = clock

    async def look(
        self,
    ) -> tuple[list[ModelPapers], list[DecisionPapers], list[DecisionPapers], list[CyclePapers]]:
        """The newest models, changes of champion, decisions and cycles, the newest first."""
        return (
            await asked(self._library.models(_NEWEST)),
            await asked(self._library.changes(_NEWEST)),
            await asked(self._library.decisions(_NEWEST)),
            await asked(self._library.cycles(_NEWEST)),
        )

    async def promote(self, prefix: str, *, pin: bool = False) -> Told:
        """Make the model whose name begins so champion; see `Registry.promote_by_hand`."""
        self._check_turn()
        last = await asked(self._log.last())
        told = await asked(
            self._registry.promote_by_hand(
                prefix, self._view, self._training.learning, pin=pin, last=last, now=self._clock()
            )
        )
        return self._done(told, "promote")

    def columns(self) -> ColumnsPapers:
        """What a model that is made elsewhere takes and gives."""
        view = self._training.learner.view
        return ColumnsPapers(view=view.id, columns=view.columns, objective=view.learning.objective)

    async def examples(self, n_slates: int) -> BinaryIO:
        """What models are made from, the newest so many slates, as an .npz file that is gone once it is closed."""
        return await self._training.examples(n_slates)

    async def add(self, onnx: bytes, *, name: str, note: str) -> Added:
        """Try a model that was made elsewhere, and let the log tell of it.

        Raises
        ------
        UnfitModel
            If it cannot be compared or served.
        Conflict
            If it is compared or serves already.
        """
        self._check_turn()
        if not self._training.caught_up.is_set():
            raise Unavailable("the trainer still reads the log: add the model once it is ready")
        learner, view, model = self._training.learner, self._training.learner.view, model_name(onnx)
        if model in learner.live or model in learner.waiting:
            raise Conflict(f"model {model} is there already: `eddyline models` tells what became of it")
        check_small(onnx, view.columns)
        # One at a time: each may take as much memory as it is allowed.
        async with self._trying:
            rows = await self._training.newest_rows(_TRIED_ON)
            tried = await try_apart(onnx, view.columns, rows, self._limits)
        priors, now = await self._training.priors(), self._clock()
        told = {"name": name, "note": note, "bytes": len(onnx), **msgspec.to_builtins(tried)}
        bundle = Bundle(
            model=model,
            view=view.id,
            features=view.columns,
            objective=view.learning.objective,
            onnx=onnx,
            prior_items=priors.items,
            prior_scores=priors.scores.astype("<f4").tobytes(),
            prior_default=priors.default,
            priors_sequence=priors.sequence,
            first_sequence=0,
            last_sequence=0,
            n_slates=0,
            n_examples=0,
            metrics={OUTSIDE: told},
            parent=learner.champion_name,
            declaration=self._training.declaration,
        )
        last = await asked(self._log.last())
        event = await asked(self._registry.add(bundle, self._training.learning, last=last, now=now))
        self._announcer.poke()
        metrics.BY_HAND.labels("add").inc()
        return Added(model=model, view=view.id, event=event, p50_us=tried.p50_us, n_rows=tried.n_rows)

    async def roll_back(self) -> Told:
        """Make the champion before this one champion again; see `Registry.roll_back_by_hand`."""
        self._check_turn()
        last = await asked(self._log.last())
        told = await asked(
            self._registry.roll_back_by_hand(
                self._view, self._training.learning, last=last, now=self._clock()
            )
        )
        return self._done(told, "roll_back")

    def _check_turn(self) -> None:
        if self._turn.role == STANDBY:
            raise Unavailable("this trainer stands by while another one works: ask that one")

    def _done(self, told: Told, outcome: str) -> Told:
        self._announcer.poke()
        metrics.PROMOTIONS.inc()
        metrics.BY_HAND.labels(outcome).inc()
        return told
