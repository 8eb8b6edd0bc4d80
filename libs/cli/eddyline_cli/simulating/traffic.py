"""Simulated people at a running Eddyline: they come, look at what its ranker shows over HTTP, and click.

Requests that fail are repeated with the same ids until they are answered, so an outage delays people and loses nothing
that was acknowledged.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Sequence

import aiohttp
import msgspec
import numpy as np

from eddyline_cli.sending.ingest_client import IngestClient
from eddyline_cli.simulating.behaviour import (
    AFTER,
    BEFORE,
    appeal,
    chance_of_any,
    click_probabilities,
    ndcg_in_truth,
)
from eddyline_cli.simulating.catalogue import Catalogue
from eddyline_cli.simulating.outcomes import Outcomes, Shown
from eddyline_cli.simulating.people import People
from eddyline_cli.simulating.phases import Phases
from eddyline_cli.simulating.target import Target
from eddyline_cli.supervisor.ports import FROZEN_RANKER
from eddyline_contracts.api import RankRequest, Slate
from eddyline_contracts.api_recommend import RecommendRequest
from eddyline_contracts.events import InteractionRecorded, ItemUpserted

_RECOMMEND = "/v1/recommend"
_CANDIDATES = 20
_PAGES = 3
"""Lists that a visit has on average."""
_THINKING_S, _CLICKING_S = (0.3, 1.2), (0.2, 1.2)
_MOST_UNDERWAY = 200
_TENTH = 10
_PROBE_EVERY_S = 0.5
_BATCH = 500
_AGAIN_S = 0.1
_TIMEOUT = aiohttp.ClientTimeout(total=10)
_HEADERS = {"Content-Type": "application/json"}
_slate = msgspec.json.Decoder(Slate)
_encode = msgspec.json.Encoder().encode


class RankRefused(RuntimeError):
    """The ranker does not take a request, and will not if it is repeated."""


def is_frozen(user: str) -> bool:
    """Whether this user is of the tenth whom the frozen ranker serves: a hash tells, in every run the same."""
    return hashlib.sha256(user.encode()).digest()[0] % _TENTH == 0


def is_recommended(user: str, share: float) -> bool:
    """Whether lists for this user are chosen from the whole catalogue; told as `is_frozen` is, by another byte."""
    return hashlib.sha256(user.encode()).digest()[1] < 256 * share


class Traffic:
    """One simulation.

    Parameters
    ----------
    rate
        Lists a second, on average.
    seed
        Of arrivals, candidates and clicks. Ids of events are unique to a run.
    recommend
        Share of the people for whom ``/v1/recommend`` chooses from all items, instead of ``/v1/rank`` from twenty.
    on_acknowledged
        Called with the ids of events that ingest has acknowledged.
    on_wait
        Called with the reason before a failed request is repeated.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        target: Target,
        catalogue: Catalogue,
        people: People,
        phases: Phases,
        *,
        rate: float,
        seed: int,
        recommend: float = 0.0,
        on_acknowledged: Callable[[Sequence[str]], None] = lambda ids: None,
        on_wait: Callable[[str], None] = lambda why: None,
    ) -> None:
        self._session, self._target = session, target
        self._catalogue, self._people, self.phases = catalogue, people, phases
        self._rate, self._on_acknowledged, self._on_wait = rate, on_acknowledged, on_wait
        self._recommend = recommend
        self._numbers = {catalogue.item(index): index for index in range(len(catalogue))}
        self._rng = np.random.default_rng([seed, 3])
        self._run = uuid.uuid4().hex[:8]
        self._ingest = IngestClient(session, lambda: target.ingest_url, on_wait=on_wait)
        self._clicks: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self._room = asyncio.Semaphore(_MOST_UNDERWAY)
        self._n_slates = 0
        self._began: float | None = None
        self.began_at = 0
        """When people began to come, in ms since the Unix epoch."""
        self._has_frozen = target.has_frozen
        self.outcomes = Outcomes()
        self.event_to_slate_ms: list[float] = []
        self.rank_ms: deque[float] = deque(maxlen=2_000)
        self.recommend_ms: deque[float] = deque(maxlen=2_000)
        self.sources: Counter[str] = Counter()
        """Of the items that were chosen from the whole catalogue, by where they were found."""
        self.degraded: Counter[str] = Counter()
        self.models: dict[str, float] = {}
        """Models that served people, each with when it was first seen."""
        self.acknowledged = 0
        """Events of ours that ingest has acknowledged."""
        self.sequence = 0
        """Place in the log of the newest of them."""
        self.repeated = 0
        """Requests to the ranker that had to be repeated."""

    @property
    def seconds(self) -> float:
        """Since people began to come; 0 before."""
        return 0.0 if self._began is None else time.monotonic() - self._began

    async def run(self) -> None:
        """Send the catalogue, then let people come until the end; returns when the last click is acknowledged.

        Raises
        ------
        IngestAway, IngestRefused, RankRefused
            If a service cannot do its part for too long.
        """
        await self._send_catalogue()
        self._began = time.monotonic()
        self.began_at = time.time_ns() // 1_000_000
        async with asyncio.TaskGroup() as tasks:
            sender = tasks.create_task(self._send_clicks())
            async with asyncio.TaskGroup() as visits:
                while (now := self.seconds) < self.phases.end:
                    wait = self._rng.exponential(_PAGES / self._rate)
                    await asyncio.sleep(min(wait, self.phases.end - now))
                    await self._room.acquire()
                    visits.create_task(self._visit())
            await self._clicks.join()
            sender.cancel()

    async def _send_catalogue(self) -> None:
        events = []
        for index in range(len(self._catalogue)):
            event_id = f"sim-{self._run}-item-{index}"
            event = ItemUpserted(
                id=event_id, item=self._catalogue.item(index), fields=self._catalogue.fields(index)
            )
            events.append((event_id, _encode(event)))
        for first in range(0, len(events), _BATCH):
            await self._post(events[first : first + _BATCH])

    async def _post(self, events: Sequence[tuple[str, bytes]]) -> None:
        receipt = await self._ingest.send([raw for _, raw in events])
        refused = {rejection.index for rejection in receipt.rejected}
        kept = [event_id for index, (event_id, _) in enumerate(events) if index not in refused]
        self.acknowledged += len(kept)
        self.sequence = max(self.sequence, receipt.sequence or 0)
        self._on_acknowledged(kept)

    async def _send_clicks(self) -> None:
        """One request at a time, each with all that has come up meanwhile."""
        probed = 0.0
        while True:
            batch = [await self._clicks.get()]
            while len(batch) < _BATCH and not self._clicks.empty():
                batch.append(self._clicks.get_nowait())
            await self._post(batch)
            accepted_at = time.perf_counter()
            if accepted_at - probed > _PROBE_EVERY_S:
                probed = accepted_at
                await self._probe(accepted_at)
            for _ in batch:
                self._clicks.task_done()

    async def _probe(self, accepted_at: float) -> None:
        """How long until a list reflects what ingest has just acknowledged?"""
        items = [self._catalogue.item(index) for index in range(min(_CANDIDATES, len(self._catalogue)))]
        told = RankRequest(items=list(items), user="sim-probe", min_sequence=self.sequence, log=False)
        answer = await self._ask("ranker", _encode(told), tries=1)
        if answer is not None and (answer.features_sequence or 0) >= self.sequence:
            self.event_to_slate_ms.append((time.perf_counter() - accepted_at) * 1_000)

    async def _visit(self) -> None:
        try:
            person = int(self._rng.choice(len(self._people), p=self._people.activity))
            session = f"sim-{self._run}-visit-{uuid.uuid4().hex[:12]}"
            for page in range(int(self._rng.geometric(1.0 / _PAGES))):
                if page:
                    await asyncio.sleep(self._rng.uniform(*_THINKING_S))
                if self.seconds >= self.phases.end:
                    return
                await self._look(person, session)
        finally:
            self._room.release()

    async def _look(self, person: int, session: str) -> None:
        """One list: asked for, looked at, clicked or not."""
        catalogue, user = self._catalogue, self._people.user(person)
        n = min(_CANDIDATES, len(catalogue))
        candidates = self._rng.choice(len(catalogue), n, replace=False)
        self._n_slates += 1
        number = self._n_slates
        frozen = self._has_frozen and is_frozen(user)
        chosen = not frozen and is_recommended(user, self._recommend)
        name = f"sim-{self._run}-list-{number}"
        asked = time.perf_counter()
        if chosen:
            wanted = RecommendRequest(user=user, session=session, n=n, request_id=name)
            answer = await self._ask("ranker", _encode(wanted), path=_RECOMMEND)
        else:
            items = [catalogue.item(int(index)) for index in candidates]
            told = RankRequest(items=list(items), user=user, session=session, request_id=name)
            answer = await self._ask(FROZEN_RANKER if frozen else "ranker", _encode(told))
        assert answer is not None
        (self.recommend_ms if chosen else self.rank_ms).append((time.perf_counter() - asked) * 1_000)
        self.degraded.update(answer.degraded)
        if answer.model is not None and not frozen:
            self.models.setdefault(answer.model, self.seconds)
        shown = np.array([self._numbers.get(ranked.item, -1) for ranked in answer.items], np.int64)
        at = self.seconds
        shift = self.phases.shift_at
        mood = BEFORE if shift is None or at < shift else AFTER
        appeals = appeal(catalogue, self._people, person, shown, mood)
        # A catalogue that others have added to: nobody here wants theirs.
        appeals[shown < 0] = -np.inf
        clicked = np.flatnonzero(self._rng.random(len(shown)) < click_probabilities(appeals))
        best = appeals
        if chosen:
            self.sources.update(ranked.source or "unknown" for ranked in answer.items)
            best = appeal(catalogue, self._people, person, np.arange(len(catalogue)), mood)
        (self.outcomes.recommended if chosen else self.outcomes.shown).append(
            Shown(
                at,
                person,
                frozen,
                bool(len(clicked)),
                chance_of_any(np.sort(best)[::-1][:n]),
                chance_of_any(appeal(catalogue, self._people, person, candidates, mood)),
                chance_of_any(appeals),
                ndcg_in_truth(appeals),
            )
        )
        for place in clicked:
            await asyncio.sleep(self._rng.uniform(*_CLICKING_S) / len(clicked))
            event_id = f"sim-{self._run}-click-{number}-{place}"
            click = InteractionRecorded(
                id=event_id,
                occurred_at=time.time_ns() // 1_000_000,
                user=user,
                session=session,
                item=catalogue.item(int(shown[place])),
                slate=answer.slate,
            )
            self._clicks.put_nowait((event_id, _encode(click)))

    async def _ask(
        self, ranker: str, body: bytes, *, path: str = "/v1/rank", tries: int | None = None
    ) -> Slate | None:
        """The ranker's answer; the same question again while nobody answers. None after so many tries."""
        n_tries = 0
        while True:
            n_tries += 1
            try:
                url = self._target.url(ranker)
                if url is None:
                    raise aiohttp.ClientConnectionError("nothing runs there now")
                async with self._session.post(
                    f"{url}{path}", data=body, headers=_HEADERS, timeout=_TIMEOUT
                ) as answer:
                    raw = await answer.read()
                if answer.status == 200:
                    return _slate.decode(raw)
                why = f"{url}{path} answered {answer.status}: {raw[:300].decode(errors='replace')}"
                if answer.status < 500 and answer.status not in (408, 429):
                    raise RankRefused(why)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                why = f"the ranker does not answer: {error or type(error).__name__}"
            if tries is not None and n_tries >= tries:
                return None
            self.repeated += 1
            self._on_wait(why)
            await asyncio.sleep(_AGAIN_S)
