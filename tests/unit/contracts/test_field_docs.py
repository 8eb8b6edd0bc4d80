"""Sentences under fields reach whoever reads a schema."""

from __future__ import annotations

from msgspec import Struct

from eddyline_contracts.events import ItemUpserted
from eddyline_contracts.field_docs import field_docs


class Plain(Struct):
    told: int
    """What it means.

    And more.
    """
    silent: int = 0


def test_the_sentence_under_a_field_is_its_doc_and_others_have_none() -> None:
    assert field_docs(Plain) == {"told": "What it means.\n\nAnd more."}


def test_inherited_fields_keep_theirs() -> None:
    found = field_docs(ItemUpserted)
    assert "sending it twice" in found["id"]
    assert "catalogue" in found["removed"]


def test_a_class_without_source_has_none() -> None:
    assert field_docs(int) == {}
    assert field_docs(type("Made", (), {"__module__": "nowhere"})) == {}
