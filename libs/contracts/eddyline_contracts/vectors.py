"""Ranker to feature-store: one question, one answer, a request."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct


class VectorsRequest(Struct, frozen=True, array_like=True):
    """Ask for the feature vectors of N candidates."""

    user: str | None
    session: str | None
    items: list[str]
    """The candidates, N of them."""
    item_fields: list[dict[str, Any]] | None = None
    """Fields of each candidate in this request only; N of them, or none at all."""
    context: dict[str, Any] = {}
    at: int | None = None
    """The request's own time in ms since the Unix epoch; none means the store's clock."""
    min_sequence: int = 0
    """Wait until the state has reached this place in the log."""
    wait_ms: int = 0
    """How long to wait for it at most."""
    priors: bool = True
    """Whether to say how good each item is for anybody, too: needed where no model orders them."""
    deviations: bool = False
    """Whether it is needed how uncertain each candidate's rate is, for exploration."""


class VectorsAnswer(Struct, frozen=True, array_like=True):
    """The vectors, and the log position and time that they hold for."""

    sequence: int
    """Log position of the state that was read."""
    ranked_at: int
    """Time at which it was read: ms since the Unix epoch, never before the state's newest event."""
    n_features: int
    vectors: bytes
    """shape (N, F), float32, little-endian, row by row."""
    priors: bytes
    """shape (N,), float32, little-endian: how good each item is for anybody, by the state; none if not asked for."""
    stale: bool = False
    """``min_sequence`` was not reached in time: these are the newest there are."""
    error: str | None = None
    """Why there are no vectors."""
    deviations: bytes = b""
    """shape (N,), float32, little-endian: how uncertain each item's rate is, 1 being as of one that was never shown;
    none if not asked for."""


_request = msgspec.msgpack.Decoder(VectorsRequest)
_answer = msgspec.msgpack.Decoder(VectorsAnswer)
_encoder = msgspec.msgpack.Encoder()


def encode(message: VectorsRequest | VectorsAnswer) -> bytes:
    """The message as MessagePack."""
    return _encoder.encode(message)


def decode_request(raw: bytes) -> VectorsRequest:
    """The inverse of `encode` for requests."""
    return _request.decode(raw)


def decode_answer(raw: bytes) -> VectorsAnswer:
    """The inverse of `encode` for answers."""
    return _answer.decode(raw)
