"""What the services themselves say while people are simulated: read from their metrics now and then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import aiohttp
import msgspec
from msgspec import Struct

from eddyline_cli.readings import read
from eddyline_cli.simulating.target import Target

_EVERY_S = 2.0
_TIMEOUT = aiohttp.ClientTimeout(total=2)
_KEPT = 3


class Verdict(Struct, frozen=True):
    """A decision of the gate that changed something."""

    decided_at: int
    """ms since the Unix epoch."""
    outcome: str
    challenger: str
    opponent: str
    mean: float
    n: int


class Watch:
    """The newest figures; each None while nobody tells it."""

    def __init__(self, session: aiohttp.ClientSession, target: Target) -> None:
        self._session, self._target = session, target
        self._before: tuple[float, float] | None = None
        self.events_per_s: float | None = None
        self.logged: int | None = None
        """Places of the log that were decided since its beginning."""
        self.model_age_s: float | None = None
        self.holds = False
        """Whether the trainer learns nothing now, since clicks have stalled."""
        self.decisions: dict[str, int] = {}
        """Of the gate so far, by outcome."""
        self.verdicts: Sequence[Verdict] = ()
        """The last ones that changed something, the newest first."""

    async def run(self) -> None:
        """Keep asking until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_EVERY_S)

    async def look(self) -> None:
        """Ask once."""
        url = self._target.url
        log_writer, trainer, ranker, verdicts = await asyncio.gather(
            read(self._session, url("log-writer")),
            read(self._session, url("trainer")),
            read(self._session, url("ranker")),
            self._verdicts(url("trainer")),
        )
        self._count(log_writer.value("eddyline_log_cursor"))
        age = ranker.value("eddyline_model_age_seconds")
        self.model_age_s = None if age is None or age < 0 else age
        self.holds = bool(trainer.value("eddyline_trainer_breaker_open"))
        found = trainer.by("outcome", "eddyline_trainer_decisions_total")
        self.decisions = {what: int(n) for what, n in found.items()} or self.decisions
        if verdicts is not None:
            self.verdicts = verdicts

    def _count(self, cursor: float | None) -> None:
        now = time.monotonic()
        if cursor is None:
            self.events_per_s = self._before = None
            return
        if self._before is not None:
            then, before = self._before
            self.events_per_s = max(0.0, cursor - before) / (now - then)
        self._before = now, cursor
        # Within an epoch, places count from 1.
        self.logged = int(cursor) % (1 << 40)

    async def _verdicts(self, trainer: str | None) -> list[Verdict] | None:
        if trainer is None:
            return None
        try:
            async with self._session.get(f"{trainer}/v1/models", timeout=_TIMEOUT) as answer:
                told: dict[str, Any] = msgspec.json.decode(await answer.read())
            found = [
                Verdict(
                    d["decided_at"], d["outcome"], d["challenger"], d["opponent"], d["mean"] or 0.0, d["n"]
                )
                for d in told["decisions"]
                if d["outcome"] != "wait"
            ]
        except (aiohttp.ClientError, TimeoutError, OSError, msgspec.MsgspecError, KeyError):
            return None
        # A challenger has a row for each opponent: the first is the one that served.
        first: dict[tuple[int, str], Verdict] = {}
        for verdict in found:
            first.setdefault((verdict.decided_at, verdict.challenger), verdict)
        return list(first.values())[:_KEPT]
