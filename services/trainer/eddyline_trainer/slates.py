"""What became of a slate, and why its items stood where they did."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec
import numpy as np
from numpy.typing import NDArray

from eddyline_contracts.api import Explanation
from eddyline_contracts.bundle import Bundle
from eddyline_contracts.events import SlateItem, SlateServed
from eddyline_contracts.record import Logged, decode_record
from eddyline_eventlog.finding import find_record
from eddyline_eventlog.port import Log
from eddyline_features.declarations.content import queries_of
from eddyline_features.view import View
from eddyline_learning.challenger import Challenger, with_covers
from eddyline_learning.explaining.explanations import EXPLAINED, LANGUAGE, ModelExplainer, explanations
from eddyline_learning.explaining.sentences import Speaker, Words, texts_of
from eddyline_learning.pending import PendingSlate, pending_of
from eddyline_runtime.clock import Clock
from eddyline_runtime.problems import NotFound
from eddyline_trainer.asking import asked
from eddyline_trainer.following import Following
from eddyline_trainer.library import Library
from eddyline_trainer.slate_papers import ShownItem, SlatePapers
from eddyline_trainer.training import Training

LOOKED_THROUGH = 100_000
"""Places in the log after a slate that are looked through for what followed, at most."""
LOOKED_BACK = 10_000
"""Places before it that are looked through for clicks that overtook it, at most: its ranker waits behind an outage."""
_LATE_MS = 60_000
"""So much later than the label window the log may get what happened within it."""
_PATIENCE_S = 5.0
"""A cycle takes longer, and nobody should wait for its end."""
_PRIORS = ("live-priors", "bundle-priors", "request-order")
"""Policies that order without the model's scores."""
SERVED, REPLAYED = "served", "replayed"
_BUSY = "the trainer is in the midst of a cycle: ask again"
_GONE = (
    "the features that it was ranked by are not at hand: not replayed yet, or not held any more; "
    "EDDYLINE_SKEW_SHARE of the ranker lets slates carry them"
)
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Known:
    """The vectors of a slate's shown items."""

    rows: dict[str, Vectors]
    """By item, shape (F,)."""
    where: str


class Slates:
    """Looks at slates of the log."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        source: Log,
        library: Library,
        training: Training,
        speaker: Speaker,
        *,
        clock: Clock,
    ) -> None:
        self._pool = pool
        self._log = source
        self._library = library
        self._training = training
        self._speaker = speaker
        self._clock = clock

    async def look(self, name: str, accepted: str) -> SlatePapers:
        """The slate of this id; ``accepted`` is the request's ``Accept-Language``.

        Raises
        ------
        NotFound
            If the log has no slate of this id.
        Unavailable
            While the database does not answer.
        """
        record = await asked(find_record(self._pool, name))
        if record is None:
            raise NotFound(
                f"the log has no slate {name[:128]!r}; the ranker's reach it within a second, unless `log` was false"
            )
        logged = decode_record(record)
        event = logged.event
        if not isinstance(event, SlateServed):
            raise NotFound(f"{name!r} is the id of another event ({record.type}), not of a slate")
        slate = pending_of(logged, event)
        following, until, complete = await self._follow(slate, logged)
        told, where = await self._explain(slate, event, accepted)
        items = [
            ShownItem(
                item=shown.item,
                position=position,
                score=shown.score,
                propensity=shown.propensity,
                source=shown.source,
                fields=shown.fields,
                explanation=told[position] if position < len(told) else None,
            )
            for position, shown in enumerate(event.items)
        ]
        return SlatePapers(
            slate=logged.id,
            sequence=logged.sequence,
            occurred_at=logged.occurred_at,
            recorded_at=logged.recorded_at,
            user=event.user,
            session=event.session,
            context=event.context,
            policy=event.policy,
            model=event.model,
            view=event.view,
            features_sequence=event.features_sequence,
            ranked_at=event.ranked_at,
            items=items,
            n_candidates=len(slate.candidates),
            vectors=where,
            interactions=following.found,
            looked_until=until,
            complete=complete,
        )

    async def _follow(self, slate: PendingSlate, logged: Logged) -> tuple[Following, int, bool]:
        """What followed, up to which place was looked, and whether that was to the end of the window."""
        window_ms = self._training.learner.view.label_window_ms
        following = Following(slate, window_ms)
        last = await asked(self._log.last())
        until = min(last, slate.sequence + LOOKED_THROUGH)
        over_at = logged.recorded_at + window_ms + _LATE_MS
        after = max(slate.features_sequence, slate.sequence - LOOKED_BACK)
        async with aclosing(self._log.read(after, until)) as batches:
            async for batch in batches:
                await asyncio.to_thread(following.read, batch.records)
                if batch.records and batch.records[-1].recorded_at > over_at:
                    return following, batch.last, True
        return following, until, until == last and self._clock() > over_at

    async def _explain(
        self, slate: PendingSlate, event: SlateServed, accepted: str
    ) -> tuple[list[Explanation], str | None]:
        """Why each of the first items stood where it did, and where the vectors of that are from."""
        shown = event.items[:EXPLAINED]
        made, known, missing = None, None, None
        if event.model is not None and event.policy not in _PRIORS:
            made = await asked(self._library.challenger_now(event.model))
            missing = "the model that gave the scores is not in the registry any more"
        if made is not None:
            known, missing = await self._vectors(slate, event, made.bundle)
        told = await asyncio.to_thread(
            _explained,
            made,
            None if known is None else np.stack([known.rows[item.item] for item in shown]),
            self._training.learner.view,
            self._speaker,
            self._speaker.language(event.context.get(LANGUAGE), accepted),
            shown,
            event.context,
        )
        if missing is not None:
            told = [msgspec.structs.replace(one, missing=missing) for one in told]
        return told, None if known is None else known.where

    async def _vectors(
        self, slate: PendingSlate, event: SlateServed, bundle: Bundle
    ) -> tuple[_Known | None, str | None]:
        """The vectors, or why they are not known."""
        width = 4 * len(bundle.features)
        served = event.served_vectors
        if served is not None and len(served) == len(slate.candidates) and {*map(len, served)} == {width}:
            rows = [np.frombuffer(raw, "<f4") for raw in served]
            return _Known(dict(zip(slate.candidates, rows, strict=True)), SERVED), None
        view = self._training.learner.view.id
        if bundle.view != view:
            return (
                None,
                f"the model is of the view {bundle.view}, and the trainer holds vectors of {view} only",
            )
        try:
            async with asyncio.timeout(_PATIENCE_S):
                vectors = await self._training.vectors_of(slate)
        except TimeoutError:
            return None, _BUSY
        if vectors is None:
            return None, _GONE
        items = [slate.candidates[row] for row in slate.shown_rows]
        return _Known(dict(zip(items, vectors, strict=True)), REPLAYED), None


def _explained(
    made: Challenger | None,
    vectors: Vectors | None,
    view: View,
    speaker: Speaker,
    language: str,
    shown: Sequence[SlateItem],
    context: Mapping[str, Any],
) -> list[Explanation]:
    return explanations(
        None if made is None else ModelExplainer(with_covers(made), view),
        vectors,
        speaker=speaker,
        language=language,
        sources=[item.source for item in shown],
        words=[Words(texts_of(item.fields)) for item in shown],
        context=context,
        queries=queries_of(view.features),
    )
