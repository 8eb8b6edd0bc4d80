"""A ranking request in Metarank's form to candidates, and a ranking to its answer. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from eddyline_contracts.api import RankItem, RankRequest
from eddyline_contracts.decoding import refusal_by_limit
from eddyline_contracts.limits import InvalidEvent, Malformed, check_depth
from eddyline_contracts.metarank import fields_of, item_fields_of, millis, visit_of
from eddyline_contracts.metarank_api import (
    MetarankFeature,
    MetarankRanked,
    MetarankRankRequest,
    MetarankScore,
)
from eddyline_contracts.vectors import VectorsAnswer
from eddyline_ranker.candidates import Candidates, checked_candidates
from eddyline_ranker.slate import Ranking

_request = msgspec.json.Decoder(MetarankRankRequest)


@dataclass(frozen=True, slots=True)
class Options:
    """What the query says."""

    explain: bool = False
    """Answer with the features, too."""
    log: bool = True
    """Log the slate; without, the client's own ranking event is the slate."""
    min_sequence: int = 0
    """Wait (bounded) until the features reflect this place in the log."""


def read_options(query: Mapping[str, str]) -> Options:
    """The options of a request; what is not known is ignored.

    Raises
    ------
    InvalidEvent
        For a value that is none.
    """
    said = query.get("min_sequence", "0")
    if not (said.isascii() and said.isdigit() and len(said) <= 16 and int(said) < 2**53):
        raise InvalidEvent(
            f"`min_sequence` is {said[:40]!r}; a `sequence` that /feedback has answered is expected"
        )
    return Options(_flag(query, "explain", False), _flag(query, "log", True), int(said))


def _flag(query: Mapping[str, str], name: str, default: bool) -> bool:
    said = query.get(name)
    if said is None:
        return default
    if said not in ("true", "false"):
        raise InvalidEvent(f"`{name}` is {said[:40]!r}; write {name}=true or {name}=false")
    return said == "true"


def read_ranking(body: bytes, options: Options, now: int) -> Candidates:
    """Decode and check a ``POST /rank/{model}`` that came at ``now`` (ms since the Unix epoch).

    A time to come is taken for now: the form demands a timestamp, so it also comes from clocks that are fast.

    Raises
    ------
    Refusal, msgspec.MsgspecError, UnicodeDecodeError, RecursionError
        As `candidates.read_candidates`.
    """
    body.decode()
    check_depth(body)
    try:
        told = _request.decode(body)
        items = [RankItem(item=item.id, fields=item_fields_of(item)) for item in told.items]
        context = fields_of(told.fields)
    except msgspec.ValidationError as error:
        if str(error).startswith("Expected `object`") and "at `" not in str(error):
            raise Malformed("a ranking request is a JSON object") from error
        refusal = refusal_by_limit(error)
        if refusal is None:
            raise
        raise refusal from error
    if "\0" in told.id:
        raise InvalidEvent("`id` holds a NUL character, which the log cannot index: use a printable id")
    at = millis(told.timestamp)
    request = RankRequest(
        items=list(items),
        user=told.user,
        session=visit_of(told.user, told.session, told.id),
        context=context,
        occurred_at=at,
        min_sequence=options.min_sequence,
        log=options.log,
    )
    return checked_candidates(request, body, None if at is None else min(at, now), told.id)


def answer(
    ranking: Ranking, features: Sequence[list[MetarankFeature]] | None, took_ms: float
) -> MetarankRanked:
    """What the client gets; ``features`` are of the candidates in their order."""
    items, scores = ranking.candidates.items, ranking.scores.tolist()
    return MetarankRanked(
        took=round(took_ms),
        items=[
            MetarankScore(item=items[i], score=scores[i], features=None if features is None else features[i])
            for i in ranking.order
        ],
        model=ranking.model,
        degraded=ranking.degraded,
    )


def named(vectors: VectorsAnswer, columns: Sequence[str]) -> list[list[MetarankFeature]]:
    """The columns of each candidate by name."""
    table = np.frombuffer(vectors.vectors, "<f4").reshape(-1, vectors.n_features).astype(np.float64)
    return [
        [
            MetarankFeature(name, value if np.isfinite(value) else None)
            for name, value in zip(columns, row, strict=True)
        ]
        for row in table.tolist()
    ]
