"""What is asked: whose vectors, of which items, with what the request itself would bring along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from eddyline_cli.refusals import Refused
from eddyline_contracts.api import RankItem
from eddyline_contracts.limits import MAX_ITEMS

_items = msgspec.json.Decoder(list[str | RankItem])
_object = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class Question:
    """One request for vectors."""

    user: str | None
    session: str | None
    items: Sequence[str]
    """N candidates, each once."""
    item_fields: list[dict[str, Any]] | None
    """Of each candidate in this request only; N of them, or none."""
    context: dict[str, Any]


def question_of(user: str | None, session: str | None, items: str, context: str | None) -> Question:
    """From the options.

    ``items`` is ``i1,i2``, or a JSON list as in ``POST /v1/rank``: ``["i1", {"item": "i2", "fields": {…}}]``.

    Raises
    ------
    Refused
        If something cannot be read, or an item is named twice.
    """
    names, fields = _read_items(items)
    if not names:
        raise Refused("--items names no item: give some, as --items i1,i2")
    if len(names) > MAX_ITEMS:
        raise Refused(f"--items names {len(names):,} items: give at most {MAX_ITEMS:,}")
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise Refused(f"--items names {twice!r} twice: give each item once")
    return Question(user, session, names, fields if any(fields) else None, _read_context(context))


def _read_items(text: str) -> tuple[list[str], list[dict[str, Any]]]:
    if not text.lstrip().startswith("["):
        names = [name.strip() for name in text.split(",") if name.strip()]
        return names, [{}] * len(names)
    try:
        told = _items.decode(text)
    except msgspec.MsgspecError as error:
        raise Refused(
            f'--items is no list of items ({error}): give it as i1,i2 or as ["i1", {{"item": "i2", "fields": {{}}}}]'
        ) from error
    return (
        [item if isinstance(item, str) else item.item for item in told],
        [{} if isinstance(item, str) else item.fields for item in told],
    )


def _read_context(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    try:
        return _object.decode(text)
    except msgspec.MsgspecError as error:
        raise Refused(
            f'--context is no JSON object ({error}): give it as --context \'{{"device": "phone"}}\''
        ) from error
