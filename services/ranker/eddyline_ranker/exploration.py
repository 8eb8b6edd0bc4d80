"""For whom the first places of a slate are drawn by chance, and how. Pure.

Both are functions of names: of the person, whether; of the slate, the order. So every replica agrees, and a retry with
the same ``request_id`` gets the same slate (its id follows from the request's).
"""

from __future__ import annotations

from hashlib import blake2b
from random import Random

_PERSON, _SLATE = b"explored ", b"shuffle "


def is_explored(person: str, share: float) -> bool:
    """Whether this user (or session, where there is no user) is of the share."""
    # 48 bits, so that both sides are exact, and a share of 1 is above the largest.
    return share > 0.0 and _number(_PERSON, person) < share * 2**48


def shuffled(order: list[int], places: int, slate: str) -> tuple[list[int], int]:
    """The order with its first ``places`` drawn, all orders of them being equally likely, and how many those are."""
    n = min(places, len(order))
    if n < 2:
        return order, 0
    first = order[:n]
    Random(_number(_SLATE, slate)).shuffle(first)
    return first + order[n:], n


def _number(purpose: bytes, name: str) -> int:
    # Two purposes, two hashes: that of a person must not decide their order, nor who is measured otherwise.
    digest = blake2b(purpose + name.encode("utf-8", "surrogatepass"), digest_size=6).digest()
    return int.from_bytes(digest)
