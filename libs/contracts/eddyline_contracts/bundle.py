"""What the trainer hands to the ranker: a model with all that is needed to serve it, in one checked file."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from msgspec import Struct

_MAGIC = b"eddyline-bundle-1\n"


class CorruptBundle(ValueError):
    """The bytes are no bundle, or not the bundle that was written."""


class Bundle(Struct, frozen=True, kw_only=True):
    """A model and its papers. Its name is the sha256 of the ONNX bytes."""

    model: str
    view: str
    """The feature view that its columns are of."""
    features: list[str]
    """Names of the F columns, in order."""
    objective: str
    onnx: bytes
    """(N, F) float32 → (N,) float64 raw scores; of a model that was made elsewhere also (N, 1), and float32."""
    prior_items: list[str]
    prior_scores: bytes
    """float32, little-endian, one for each of ``prior_items``: the order when nothing else is known."""
    prior_default: float
    """For items that are not listed."""
    priors_sequence: int = 0
    """Log position up to which none of the prior items was removed, or else is back. 0 in bundles of an older
    Eddyline."""
    first_sequence: int
    last_sequence: int
    """Log positions of the oldest and newest training slate; 0 where that is not known."""
    n_slates: int
    n_examples: int
    metrics: dict[str, Any] = {}
    parent: str | None = None
    declaration: str = ""
    """The eddyline.yaml that declares its view, which can so be folded wherever the model is; empty in bundles of an
    older Eddyline."""
    covers: bytes = b""
    """int32, little-endian: of each leaf of its trees, in the order of the graph, how many training rows came there. By
    them its scores are explained; none in bundles of an older Eddyline, and of a model that was made elsewhere."""


class Champion(Struct, frozen=True, kw_only=True):
    """Value of the champion key, as JSON."""

    model: str
    view: str
    promoted_at: int
    """ms since the Unix epoch."""
    last_sequence: int
    parent: str | None = None


def model_name(onnx: bytes) -> str:
    """Name of a model: hex sha256 of its ONNX bytes."""
    return hashlib.sha256(onnx).hexdigest()


def encode_bundle(bundle: Bundle) -> bytes:
    """The bundle as bytes with a checksum in front."""
    body = msgspec.msgpack.encode(bundle)
    return _MAGIC + hashlib.sha256(body).digest() + body


def decode_bundle(raw: bytes) -> Bundle:
    """The inverse of `encode_bundle`.

    Raises
    ------
    CorruptBundle
        If a bit differs from what was written.
    """
    head = len(_MAGIC)
    if raw[:head] != _MAGIC:
        raise CorruptBundle("not a bundle of this version: let the trainer publish it again")
    digest, body = raw[head : head + 32], raw[head + 32 :]
    if hashlib.sha256(body).digest() != digest:
        raise CorruptBundle("the bundle's checksum does not match: the file is damaged or cut short")
    bundle = msgspec.msgpack.decode(body, type=Bundle)
    if model_name(bundle.onnx) != bundle.model:
        raise CorruptBundle("the bundle's name is not the digest of its ONNX bytes")
    return bundle
