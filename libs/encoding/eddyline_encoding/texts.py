"""The text of an item: what its fields say, in one piece."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

MAX_CHARS = 8_000
"""Of a text: encoders read no further than this."""


def text_of(fields: Mapping[str, Any], names: Sequence[str]) -> str:
    """Texts and lists of texts in the order of ``names``, each a sentence; empty where an item has none of them."""
    return text_of_parts({name: part_of(fields.get(name)) for name in names}, names)


def part_of(value: object) -> str:
    """What one field says, as far as it can matter to `text_of`; empty where that is nothing."""
    if isinstance(value, str):
        said = value.strip()
    elif isinstance(value, list):
        said = ", ".join(member.strip() for member in value if isinstance(member, str))
    else:
        said = ""
    return said[:MAX_CHARS]


def text_of_parts(parts: Mapping[str, str], names: Sequence[str]) -> str:
    """`text_of` fields of which each has been through `part_of`."""
    return ". ".join(part for name in names if (part := parts.get(name, "")))[:MAX_CHARS]


def digest_of(text: str) -> str:
    """sha256 in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
