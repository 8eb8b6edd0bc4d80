"""The text of an item: what its fields say, in one piece."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

MAX_CHARS = 8_000
"""Of a text: encoders read no further than this."""


def text_of(fields: Mapping[str, Any], names: Sequence[str]) -> str:
    """Texts and lists of texts in the order of ``names``, each a sentence; empty where an item has none of them."""
    found: list[str] = []
    for name in names:
        value = fields.get(name)
        if isinstance(value, str):
            found.append(value.strip())
        elif isinstance(value, list):
            found.append(", ".join(member.strip() for member in value if isinstance(member, str)))
    return ". ".join(part for part in found if part)[:MAX_CHARS]


def digest_of(text: str) -> str:
    """sha256 in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
