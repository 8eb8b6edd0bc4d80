"""JSON Schema of the events, from the types that validate them: ``python -m eddyline_contracts.schema > FILE``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from inspect import cleandoc
from typing import Any

import msgspec
from msgspec import inspect

from eddyline_contracts.api import RankRequest
from eddyline_contracts.api_predict import PredictPair
from eddyline_contracts.api_recommend import RecommendRequest
from eddyline_contracts.events import Event, InteractionRecorded, SlateServed
from eddyline_contracts.field_docs import field_docs
from eddyline_contracts.metarank import MetarankEvent, MetarankInteraction, MetarankRanking

_REFS = "#/$defs/{name}"
_CONCERNS_SOMEONE: dict[type, tuple[str, ...]] = {
    RankRequest: ("user", "session"),
    RecommendRequest: ("user", "session"),
    PredictPair: ("user", "session"),
    SlateServed: ("user", "session"),
    InteractionRecorded: ("user", "session"),
    MetarankRanking: ("user", "session", "id"),
    MetarankInteraction: ("user", "session", "ranking", "id"),
}
"""Of which members one is required, and null is as good as absent."""


def event_schema() -> dict[str, Any]:
    """One schema for both forms. Limits that JSON Schema cannot say (bytes, depth) are in its description."""
    types = (Event, MetarankEvent)
    (native, metarank), components = msgspec.json.schema_components(types, ref_template=_REFS)
    complete(components, types)
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


def complete(components: dict[str, dict[str, Any]], types: Iterable[Any]) -> None:
    """Add what annotations do not say: the sentences under fields, and the rule between members."""
    for cls in _structs(types):
        schema = components.get(cls.__name__)
        if schema is None:
            continue
        if "description" in schema:
            schema["description"] = cleandoc(schema["description"])
        texts = field_docs(cls)
        for field in msgspec.structs.fields(cls):
            if field.name in texts:
                schema["properties"][field.encode_name].setdefault("description", texts[field.name])
        if cls in _CONCERNS_SOMEONE:
            schema["anyOf"] = [
                {"required": [who], "properties": {who: {"type": "string"}}} for who in _CONCERNS_SOMEONE[cls]
            ]


def _structs(types: Iterable[Any]) -> set[type]:
    """The structs that these types are made of."""
    found: set[type] = set()
    waiting: list[Any] = list(inspect.multi_type_info(types))
    while waiting:
        told = waiting.pop()
        if isinstance(told, inspect.StructType):
            if told.cls in found:
                continue
            found.add(told.cls)
            waiting += [field.type for field in told.fields]
        elif isinstance(told, inspect.Metadata):
            waiting.append(told.type)
        elif isinstance(told, inspect.UnionType):
            waiting += told.types
        elif isinstance(told, inspect.DictType):
            waiting.append(told.value_type)
        elif isinstance(told, inspect.CollectionType):
            waiting.append(told.item_type)
    return found


def encoded_schema() -> bytes:
    """The schema as the file that is published."""
    return msgspec.json.format(msgspec.json.encode(event_schema(), order="sorted"), indent=2) + b"\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(encoded_schema())
