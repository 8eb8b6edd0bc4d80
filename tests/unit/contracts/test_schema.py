"""The published schema is the one that the types give, and tells what decoding does."""

from __future__ import annotations

import json
from pathlib import Path

from eddyline_contracts.decoding import TYPES
from eddyline_contracts.metarank import KINDS
from eddyline_contracts.schema import encoded_schema, event_schema

PUBLISHED = Path(__file__).parents[3] / "docs" / "events.schema.json"


def test_the_published_schema_is_up_to_date() -> None:
    assert PUBLISHED.read_bytes() == encoded_schema(), (
        "run python -m eddyline_contracts.schema > docs/events.schema.json"
    )


def test_the_schema_knows_every_type_and_form() -> None:
    native, metarank = event_schema()["anyOf"]
    assert set(native["discriminator"]["mapping"]) == set(TYPES)
    assert set(metarank["discriminator"]["mapping"]) == set(KINDS)
    assert json.loads(encoded_schema())["$defs"].keys() == event_schema()["$defs"].keys()
