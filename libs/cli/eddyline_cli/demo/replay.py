"""The demo's client: for each slate, what came before it is sent, then the ranker is asked, then the slate is sent."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp
import msgspec

from eddyline_cli.demo.history import pieces
from eddyline_cli.demo.pacing import Pacing
from eddyline_cli.demo.prequential import Prequential
from eddyline_cli.sending.ingest_client import IngestClient
from eddyline_cli.sending.tally import Tally
from eddyline_contracts.api import RankItem, RankRequest, Slate
from eddyline_contracts.events import InteractionRecorded, SlateServed, to_millis

_TIMEOUT = aiohttp.ClientTimeout(total=30)
_RANK_AGAIN_EVERY = 10
_LOOK_EVERY = 50
_slate = msgspec.json.Decoder(Slate)
_encode = msgspec.json.Encoder().encode


class RankFailed(RuntimeError):
    """The ranker did not answer a request, which it always should."""


@dataclass
class Measured:
    """What was seen on the way."""

    event_to_slate_ms: list[float] = field(default_factory=list)
    rank_ms: list[float] = field(default_factory=list)
    degraded: Counter[str] = field(default_factory=Counter)
    models: set[str] = field(default_factory=set)
    """Names of the models that answered."""


class Replay:
    """Sends one history.

    Parameters
    ----------
    judged
        Gets every slate with the ranker's order of it, and every interaction.
    on_step
        Called after each slate.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        ingest: IngestClient,
        ranker_url: str,
        judged: Prequential,
        pacing: Pacing,
        on_step: Callable[[], None],
    ) -> None:
        self._session = session
        self._ingest = ingest
        self._url = f"{ranker_url}/v1/rank"
        self.judged = judged
        self._pacing = pacing
        self._on_step = on_step
        self.tally = Tally()
        self.measured = Measured()

    async def send(self, path: str) -> None:
        """Send the file to its end.

        Raises
        ------
        IngestAway, IngestRefused, RankFailed
            If a service cannot do its part.
        """
        for piece in pieces(path):
            accepted_at, fresh = 0.0, False
            if piece.lines:
                receipt = await self._ingest.send([line.raw for line in piece.lines])
                accepted_at, fresh = time.perf_counter(), receipt.sequence is not None
                self.tally.add(path, piece.lines, receipt)
            for event in piece.events:
                if isinstance(event, InteractionRecorded):
                    self.judged.interaction(event)
            if piece.slate is not None:
                await self._rank(piece.slate, accepted_at if fresh else None)
                self._on_step()

    async def _rank(self, slate: SlateServed, accepted_at: float | None) -> None:
        newest = self.tally.sequence
        body = _encode(_request(slate, newest))
        answer = await self._ask(body)
        answered_at = time.perf_counter()
        reflects = answer.features_sequence is not None and answer.features_sequence >= newest
        if accepted_at is not None and reflects:
            self.measured.event_to_slate_ms.append((answered_at - accepted_at) * 1_000)
        self.measured.degraded.update(answer.degraded)
        if answer.model is not None:
            self.measured.models.add(answer.model)
        n = self.judged.n_slates
        if n % _RANK_AGAIN_EVERY == 0:
            # The same question again: nothing has to be waited for now, so this is the ranker's own time.
            began = time.perf_counter()
            await self._ask(body)
            self.measured.rank_ms.append((time.perf_counter() - began) * 1_000)
        self.judged.slate(slate, [ranked.item for ranked in answer.items])
        if n % _LOOK_EVERY == 0:
            await self._pacing.keep(newest)

    async def _ask(self, body: bytes) -> Slate:
        headers = {"Content-Type": "application/json"}
        try:
            async with self._session.post(self._url, data=body, headers=headers, timeout=_TIMEOUT) as answer:
                raw = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise RankFailed(f"{self._url} did not answer: {error or type(error).__name__}") from error
        if answer.status != 200:
            raise RankFailed(f"{self._url} answered {answer.status}: {raw[:300].decode(errors='replace')}")
        return _slate.decode(raw)


def _request(slate: SlateServed, newest: int) -> RankRequest:
    """What a shop would have asked just before it showed this slate."""
    return RankRequest(
        items=[
            RankItem(item=shown.item, fields=shown.fields) if shown.fields else shown.item
            for shown in slate.items
        ],
        user=slate.user,
        session=slate.session,
        context=slate.context,
        occurred_at=None if slate.occurred_at is None else to_millis(slate.occurred_at),
        min_sequence=newest,
        log=False,
    )
