"""Vectors as events of the log: int8, with an id that makes sending them twice harmless."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

import numpy as np

from eddyline_contracts.events import ItemEmbedded
from eddyline_encoding.encoder import Encoder, Vectors
from eddyline_encoding.shelf import Unread


def facts_of(encoder: Encoder, unread: Sequence[Unread]) -> list[ItemEmbedded]:
    """Read texts and say what they are. Blocks for as long as that takes.

    What says nothing any more is a vector of 0, which takes away the one before: a model would make something of it.
    """
    vectors = np.zeros((len(unread), encoder.dims), np.float32)
    said = [at for at, one in enumerate(unread) if one.text]
    vectors[said] = encoder.embed([unread[at].text for at in said])
    return [
        fact_of(one.item, encoder.id, one.digest, vector, replaces=one.replaces)
        for one, vector in zip(unread, vectors, strict=True)
    ]


def fact_of(item: str, encoder: str, text: str, vector: Vectors, *, replaces: str = "") -> ItemEmbedded:
    """The event that says what an item's text is.

    Parameters
    ----------
    text
        sha256 of the text, in hex.
    vector
        shape (dims,).
    replaces
        Id of the event that said so of the item before; of the item's own event for the first. It is a part of the id:
        an item whose text, or encoder, changes back to what it was, or that had been forgotten, says something new,
        though its vector was said before.
    """
    largest = float(np.abs(vector).max(initial=0.0))
    scale = largest / 127.0 if largest > 0.0 else 1.0
    # In double: the step of a tiny vector is nothing in single.
    numbers = np.rint(vector.astype(np.float64) / scale).astype(np.int8)
    return ItemEmbedded(
        id=fact_id(item, encoder, text, replaces),
        item=item,
        encoder=encoder,
        dims=len(vector),
        scale=scale,
        vector=numbers.tobytes(),
        text=text,
    )


def fact_id(item: str, encoder: str, text: str, replaces: str) -> str:
    """Id of the event, see `fact_of`: it is known before the text is read."""
    # Lengths in front: no two different lists of parts are one text.
    parts = "".join(f"{len(part)}:{part}" for part in (encoder, item, text, replaces))
    return f"embedded-{hashlib.sha256(parts.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"


def text_vector(encoder: str, vector: Vectors) -> str:
    """A vector as a request's context carries it: ``<encoder>:<base64>``."""
    fact = fact_of("", encoder, "", vector)
    return f"{encoder}:{base64.b64encode(fact.vector).decode()}"
