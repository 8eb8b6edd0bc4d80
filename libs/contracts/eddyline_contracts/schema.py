"""JSON Schema of the events, from the types that validate them: ``python -m eddyline_contracts.schema > FILE``."""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from eddyline_contracts.events import Event
from eddyline_contracts.metarank import MetarankEvent

_REFS = "#/$defs/{name}"


def event_schema() -> dict[str, Any]:
    """One schema for both forms. Limits that JSON Schema cannot say (bytes, depth) are in its description."""
    (native, metarank), components = msgspec.json.schema_components(
        (Event, MetarankEvent), ref_template=_REFS
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Eddyline event",
        "description": (
            "An event in the native form (by `type`) or in the Metarank form (by `event`). Members that are not "
            "listed are kept and ignored. At most 1 MiB an event, 32 KiB of UTF-8 a string, 64 levels of nesting."
        ),
        "anyOf": [native, metarank],
        "$defs": components,
    }


def encoded_schema() -> bytes:
    """The schema as the file that is published."""
    return msgspec.json.format(msgspec.json.encode(event_schema(), order="sorted"), indent=2) + b"\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(encoded_schema())
