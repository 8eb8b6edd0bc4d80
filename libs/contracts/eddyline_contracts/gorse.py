"""The JSON lines of Gorse's export (items, users, feedback; also as its REST API takes them) as events. Pure.

``FeedbackType`` is the action and ``Value`` the value; ``IsHidden`` says removed; labels become fields, categories a
field of that name. A feedback is one row for each type, user and item there, so a history is as long as Gorse kept it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from eddyline_contracts.csv_table import BadRow, CsvCounts, CsvEvent, RowIds
from eddyline_contracts.csv_times import TimeForm
from eddyline_contracts.limits import MAX_ID_CHARS

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_UNSET = "0001-01-01"
"""How Gorse writes that there is no time."""


def looks_like(raw: bytes) -> bool:
    """Whether a line is of that form rather than an event."""
    try:
        told = _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return "type" not in told and "event" not in told and ("ItemId" in told or "UserId" in told)


class GorseLines:
    """Reads lines as events; those that lack something are counted by reason."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self.counts = CsvCounts()
        self._lines = lines
        self._ids = RowIds("gorse")

    def __iter__(self) -> Iterator[CsvEvent]:
        for number, raw in enumerate(self._lines, 1):
            if not (line := raw.strip()):
                continue
            self.counts.rows += 1
            try:
                told = _told(line)
                event = _event(told)
            except BadRow as bad:
                self.counts.refuse(bad.detail, number)
                continue
            self.counts.events += 1
            # When Gorse last wrote the row is no part of what happened: another export gives the same id.
            told.pop("Updated", None)
            event["id"] = self._ids.id_of([msgspec.json.encode(told).decode()])
            yield CsvEvent(number, event.get("occurred_at"), msgspec.json.encode(event))


def _told(line: bytes) -> dict[str, Any]:
    try:
        line.decode()
        return _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRow("not a JSON object in UTF-8: one is expected on each line") from error


def _event(told: dict[str, Any]) -> dict[str, Any]:
    if "FeedbackType" in told:
        return _feedback(told)
    if "ItemId" in told:
        return _item(told)
    if "UserId" in told:
        return {"type": "user", "user": _name(told, "UserId"), "fields": _fields(told)}
    raise BadRow("neither FeedbackType nor ItemId nor UserId: export users, items or feedback")


def _feedback(told: dict[str, Any]) -> dict[str, Any]:
    at = _moment(told)
    if at is None:
        raise BadRow("no Timestamp: without a time a feedback has no place in a history")
    event = {
        "type": "interaction",
        "occurred_at": at,
        "user": _name(told, "UserId"),
        "item": _name(told, "ItemId"),
        "action": _name(told, "FeedbackType"),
    }
    value = told.get("Value")
    if value is not None:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise BadRow("Value is no number")
        event["value"] = value
    if comment := told.get("Comment"):
        event["fields"] = {"comment": comment}
    return event


def _item(told: dict[str, Any]) -> dict[str, Any]:
    fields = _fields(told)
    if categories := told.get("Categories"):
        fields["categories"] = categories
    event: dict[str, Any] = {"type": "item", "item": _name(told, "ItemId"), "fields": fields}
    at = _moment(told)
    if at is not None:
        event["occurred_at"] = at
    if told.get("IsHidden") is True:
        event["removed"] = True
    return event


def _fields(told: dict[str, Any]) -> dict[str, Any]:
    """Labels by their names; a bare list of labels is a field of that name."""
    labels = told.get("Labels")
    fields: dict[str, Any] = {}
    if isinstance(labels, dict):
        fields = {str(name): value for name, value in labels.items() if value is not None}
    elif labels:
        fields = {"labels": labels}
    if comment := told.get("Comment"):
        fields.setdefault("comment", comment)
    return fields


def _name(told: dict[str, Any], member: str) -> str:
    value = told.get(member)
    # Numbers as ids are seen in hand-made exports.
    word = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(word, str) or not word:
        raise BadRow(f"no {member}")
    if len(word) > MAX_ID_CHARS:
        raise BadRow(f"{member} has more than {MAX_ID_CHARS} characters")
    return word


def _moment(told: dict[str, Any]) -> int | None:
    """Milliseconds since 1970; None where Gorse knows no time."""
    stamp = told.get("Timestamp")
    if stamp is None or stamp == "" or str(stamp).startswith(_UNSET):
        return None
    form = TimeForm.of(str(stamp))
    at = form.read(str(stamp)) if form else None
    if at is None:
        raise BadRow("Timestamp is no time from 1970 on (RFC 3339 expected)")
    return at
