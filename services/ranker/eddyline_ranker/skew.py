"""Which slates are logged with the vectors they were ranked by, for the trainer to compare with its replay. Pure."""

from __future__ import annotations

from hashlib import blake2b

from eddyline_contracts.candidates import Answered
from eddyline_contracts.limits import MAX_STRING_BYTES

_FLOAT_BYTES = 4
_MOST_FEATURES = MAX_STRING_BYTES // 4 * 3 // _FLOAT_BYTES
"""As many as a string of an event can hold in base64."""


def is_chosen(slate: str, share: float) -> bool:
    """Whether this slate is of the share; decided by its id alone, so that every try of a request agrees."""
    if share <= 0.0:
        return False
    digest = blake2b(slate.encode("utf-8", "surrogatepass"), digest_size=6).digest()
    # 48 bits, so that both sides are exact, and a share of 1 is above the largest.
    return int.from_bytes(digest) < share * 2**48


def rows_of(answer: Answered) -> list[bytes] | None:
    """The vectors as they came, of F float32 for each candidate; none where one is longer than an event may tell."""
    if not 0 < answer.n_features <= _MOST_FEATURES:
        return None
    width = answer.n_features * _FLOAT_BYTES
    return [answer.vectors[at : at + width] for at in range(0, len(answer.vectors), width)]
