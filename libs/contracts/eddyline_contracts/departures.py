"""Ranker to feature-store: which of these items are not in the catalogue any more."""

from __future__ import annotations

import msgspec
from msgspec import Struct


class DeparturesRequest(Struct, frozen=True, array_like=True):
    """Ask of so many items as fit into a message."""

    items: list[str]
    min_sequence: int = 0
    """Wait until the state has reached this place in the log."""
    wait_ms: int = 0
    """How long to wait for it at most."""


class DeparturesAnswer(Struct, frozen=True, array_like=True):
    """Those that were removed, or that the state does not know."""

    sequence: int
    """Log position of the state that was read."""
    gone: list[str]
    stale: bool = False
    """``min_sequence`` was not reached in time."""
    error: str | None = None
    """Why there is no answer."""


_request = msgspec.msgpack.Decoder(DeparturesRequest)
_answer = msgspec.msgpack.Decoder(DeparturesAnswer)
_encoder = msgspec.msgpack.Encoder()


def encode(message: DeparturesRequest | DeparturesAnswer) -> bytes:
    """The message as MessagePack."""
    return _encoder.encode(message)


def decode_request(raw: bytes) -> DeparturesRequest:
    """The inverse of `encode` for requests."""
    return _request.decode(raw)


def decode_answer(raw: bytes) -> DeparturesAnswer:
    """The inverse of `encode` for answers."""
    return _answer.decode(raw)
