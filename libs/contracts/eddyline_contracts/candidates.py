"""Ranker to feature-store: choose candidates from the whole catalogue, and give their vectors in the same answer."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from eddyline_contracts.vectors import VectorsAnswer


class CandidatesRequest(Struct, frozen=True, array_like=True):
    """Ask for at most ``n`` candidates for a person, and their vectors."""

    user: str | None
    session: str | None
    n: int
    context: dict[str, Any] = {}
    at: int | None = None
    """The request's own time in ms since the Unix epoch; none means the store's clock."""
    min_sequence: int = 0
    """Wait until the state has reached this place in the log."""
    wait_ms: int = 0
    """How long to wait for it at most."""
    exclude: list[str] = []
    filters: dict[str, Any] | None = None
    fields: list[str] = []
    """Item fields whose values the ranker needs, for caps and diversity."""
    embeddings: bool = False
    """Whether it needs a vector of each candidate's content or taste, for diversity."""
    deviations: bool = False
    """Whether it needs how uncertain each candidate's rate is, for exploration."""
    priors: bool = True
    """Whether to say how good each item is for anybody, too: needed where no model orders them."""
    explain: list[str] | None = None
    """Item fields that sentences may name, where reasons are to be told; what is not kept of them is passed over."""


class Known(Struct, frozen=True, array_like=True):
    """What sentences about N candidates can say."""

    values: dict[str, list[list[str]]]
    """Of each field that was asked for and is kept: the values of each candidate, as text."""
    recent: list[str]
    """R items that the person acted on lately, the newest first."""
    recent_values: dict[str, list[list[str]]]
    """As ``values``, of these."""
    beside: bytes
    """shape (N,), uint8: which of ``recent`` goes most with each candidate by co-visitation; 255 where none does."""
    near: bytes
    """shape (N,), uint8: which says most what each says, likewise."""
    first_seen: list[int]
    """shape (N,): when each came, in ms since the Unix epoch."""


class CandidatesAnswer(Struct, frozen=True, array_like=True):
    """N candidates, in the order in which they were found, and what is known of them."""

    sequence: int
    """Log position of the state that was read."""
    ranked_at: int
    """Time at which it was read: ms since the Unix epoch, never before the state's newest event."""
    n_features: int
    items: list[str]
    sources: list[str]
    """Names of the sources of retrieval that found any."""
    source: bytes
    """shape (N,), uint8: which of ``sources`` found each candidate first."""
    vectors: bytes
    """shape (N, F), float32, little-endian, row by row."""
    priors: bytes = b""
    """shape (N,), float32, little-endian; none if not asked for."""
    values: list[list[list[str]]] = []
    """Of each field asked for, of each candidate, its values as text."""
    embeddings: bytes = b""
    """shape (N, D), float32, little-endian, of length 1 or 0; none if not asked for, or where there are none."""
    deviations: bytes = b""
    """shape (N,), float32, little-endian: how uncertain each item's rate is, 1 being as of one that was never shown;
    none if not asked for."""
    stale: bool = False
    """``min_sequence`` was not reached in time: this is the newest there is."""
    refused: str | None = None
    """What is wrong with the request, and what to do about it: nothing will make it right but another request."""
    error: str | None = None
    """Why there are no candidates."""
    known: Known | None = None
    """None if not asked for."""


Answered = VectorsAnswer | CandidatesAnswer
"""Whatever brings vectors."""

_request = msgspec.msgpack.Decoder(CandidatesRequest)
_answer = msgspec.msgpack.Decoder(CandidatesAnswer)
_encoder = msgspec.msgpack.Encoder()


def encode(message: CandidatesRequest | CandidatesAnswer) -> bytes:
    """The message as MessagePack."""
    return _encoder.encode(message)


def decode_request(raw: bytes) -> CandidatesRequest:
    """The inverse of `encode` for requests."""
    return _request.decode(raw)


def decode_answer(raw: bytes) -> CandidatesAnswer:
    """The inverse of `encode` for answers."""
    return _answer.decode(raw)
