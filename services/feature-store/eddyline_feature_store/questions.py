"""The questions of the ranker, and how each is read, answered from a state, and refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from prometheus_client import Histogram

from eddyline_contracts import candidates, departures, vectors
from eddyline_contracts.candidates import CandidatesAnswer, CandidatesRequest, Known
from eddyline_contracts.departures import DeparturesAnswer, DeparturesRequest
from eddyline_contracts.subjects import candidates_subject, departures_subject, vectors_subject
from eddyline_contracts.vectors import VectorsAnswer, VectorsRequest
from eddyline_feature_store import metrics
from eddyline_features.entities import FIRST_SEEN
from eddyline_features.filters.masks import Filters
from eddyline_features.filters.reading import InvalidFilter
from eddyline_features.item_fields import UnknownField
from eddyline_features.kernel import Ints
from eddyline_features.state import NoRetrieval, State
from eddyline_runtime.clock import Clock


class Waits(Protocol):
    """A request that may have to wait for its place in the log."""

    @property
    def min_sequence(self) -> int: ...
    @property
    def wait_ms(self) -> int: ...


@dataclass(frozen=True)
class Question:
    """A kind of question."""

    what: str
    subject: str
    decode: Callable[[bytes], Any]
    answer: Callable[[Any], VectorsAnswer | CandidatesAnswer | DeparturesAnswer]
    """From a request: what is known right now."""
    refuse: Callable[[str], VectorsAnswer | CandidatesAnswer | DeparturesAnswer]
    """Why there is no answer."""
    encode: Callable[[Any], bytes]
    seconds: Histogram
    first: Callable[[], Any]
    """A request that takes the code which others will take: compiled code is loaded when it is first called."""


def questions(state: State, clock: Clock) -> list[Question]:
    """All that can be asked of a state."""
    filters = Filters(state)

    def anybody() -> str:
        return next(iter(state.users.rows), "")

    return [
        Question(
            "vectors",
            vectors_subject(state.view.id),
            vectors.decode_request,
            lambda request: vectors_of(state, request, clock()),
            lambda why: VectorsAnswer(state.sequence, 0, 0, b"", b"", error=why),
            vectors.encode,
            metrics.VECTORS_SECONDS,
            lambda: VectorsRequest(anybody(), None, state.items.ids[:2] or [""]),
        ),
        Question(
            "candidates",
            candidates_subject(state.view.id),
            candidates.decode_request,
            lambda request: candidates_of(state, filters, request, clock()),
            lambda why: _no_candidates(state, error=why),
            candidates.encode,
            metrics.CANDIDATES_SECONDS,
            lambda: CandidatesRequest(anybody(), None, 2),
        ),
        Question(
            "departures",
            departures_subject(state.view.id),
            departures.decode_request,
            lambda request: departures_of(state, request),
            lambda why: DeparturesAnswer(state.sequence, [], error=why),
            departures.encode,
            metrics.DEPARTURES_SECONDS,
            lambda: DeparturesRequest([]),
        ),
    ]


def vectors_of(state: State, request: VectorsRequest, now: int) -> VectorsAnswer:
    """Vectors of the candidates that the request names."""
    items, fields = request.items, request.item_fields
    if fields is not None and len(fields) != len(items):
        raise ValueError(f"{len(items)} items have {len(fields)} item_fields")
    at = state.time_of(request.at, now)
    found = priors = deviations = b""
    if items:
        found = _singles(state.vectors(request.user, request.session, items, fields, request.context, at))
        if request.priors:
            priors = _singles(state.first_scores(request.user, request.session, items, at))
        if request.deviations:
            deviations = _singles(state.deviations(items, at))
    stale = request.min_sequence > state.sequence
    return VectorsAnswer(
        state.sequence, at, len(state.view.columns), found, priors, stale, deviations=deviations
    )


def departures_of(state: State, request: DeparturesRequest) -> DeparturesAnswer:
    """Which of the items that the request names are not in the catalogue."""
    gone = [item for item in request.items if not state.has_item(item)]
    return DeparturesAnswer(state.sequence, gone, request.min_sequence > state.sequence)


def candidates_of(state: State, filters: Filters, request: CandidatesRequest, now: int) -> CandidatesAnswer:
    """Candidates from the whole catalogue, with all that the request wants to know of them.

    A request that no state of this view can answer is refused.
    """
    at = state.time_of(request.at, now)
    user, session = request.user, request.session
    try:
        found = state.candidates(
            user,
            session,
            request.context,
            at,
            request.n,
            allowed=filters.allowed(request.filters),
            exclude=request.exclude,
        )
        values = [state.fields.texts(name, found.rows) for name in request.fields]
    except (NoRetrieval, InvalidFilter, UnknownField) as error:
        return _no_candidates(state, refused=str(error))
    items, rows = found.items, found.rows
    embeddings = state.embeddings(rows) if request.embeddings else None
    return CandidatesAnswer(
        sequence=state.sequence,
        ranked_at=at,
        n_features=len(state.view.columns),
        items=items,
        sources=list(found.sources),
        source=found.source.tobytes(),
        vectors=_singles(state.vectors(user, session, items, None, request.context, at)),
        priors=_singles(state.first_scores(user, session, items, at)) if request.priors else b"",
        values=values,
        embeddings=b"" if embeddings is None else _singles(embeddings),
        deviations=_singles(state.deviations_of(rows, at)) if request.deviations else b"",
        stale=request.min_sequence > state.sequence,
        known=None if request.explain is None else _known(state, user, session, rows, request.explain),
    )


def _known(state: State, user: str | None, session: str | None, rows: Ints, fields: Sequence[str]) -> Known:
    because = state.because(user, session, rows)
    kept = [name for name in fields if state.fields.keeps(name)]
    return Known(
        values={name: state.fields.texts(name, rows) for name in kept},
        recent=[state.items.ids[row] for row in because.recent.tolist()],
        recent_values={name: state.fields.texts(name, because.recent) for name in kept},
        beside=because.beside.tobytes(),
        near=because.near.tobytes(),
        first_seen=state.items.meta[rows, FIRST_SEEN].tolist(),
    )


def _no_candidates(state: State, *, refused: str | None = None, error: str | None = None) -> CandidatesAnswer:
    return CandidatesAnswer(
        state.sequence, 0, len(state.view.columns), [], [], b"", b"", refused=refused, error=error
    )


def _singles(array: NDArray[Any]) -> bytes:
    return np.ascontiguousarray(array, "<f4").tobytes()
