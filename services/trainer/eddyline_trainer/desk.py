"""What people see of the models, and what they may decide about them."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from eddyline_eventlog.database import is_transient
from eddyline_eventlog.port import Log, LogUnavailable
from eddyline_runtime.clock import Clock
from eddyline_runtime.problems import Unavailable
from eddyline_trainer import metrics
from eddyline_trainer.announcing import Announcer
from eddyline_trainer.papers import CyclePapers, DecisionPapers, ModelPapers, Told
from eddyline_trainer.registry import Registry
from eddyline_trainer.training import Training
from eddyline_trainer.turn import STANDBY, Turn

T = TypeVar("T")
_NEWEST = 200


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
        announcer: Announcer,
        turn: Turn,
        *,
        clock: Clock,
    ) -> None:
        self._view = view
        self._training = training
        self._log = source
        self._registry = registry
        self._announcer = announcer
        self._turn = turn
        self._clock = clock

    async def look(
        self,
    ) -> tuple[list[ModelPapers], list[DecisionPapers], list[DecisionPapers], list[CyclePapers]]:
        """The newest models, changes of champion, decisions and cycles, the newest first."""
        return (
            await _asked(self._registry.models(_NEWEST)),
            await _asked(self._registry.changes(_NEWEST)),
            await _asked(self._registry.decisions(_NEWEST)),
            await _asked(self._registry.cycles(_NEWEST)),
        )

    async def promote(self, prefix: str, *, pin: bool = False) -> Told:
        """Make the model whose name begins so champion; see `Registry.promote_by_hand`."""
        self._check_turn()
        last = await _asked(self._log.last())
        told = await _asked(
            self._registry.promote_by_hand(
                prefix, self._view, self._training.learning, pin=pin, last=last, now=self._clock()
            )
        )
        return self._done(told, "promote")

    async def roll_back(self) -> Told:
        """Make the champion before this one champion again; see `Registry.roll_back_by_hand`."""
        self._check_turn()
        last = await _asked(self._log.last())
        told = await _asked(
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


async def _asked(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except Exception as error:
        if isinstance(error, LogUnavailable) or is_transient(error):
            raise Unavailable(f"the database does not answer: {error or type(error).__name__}") from error
        raise
