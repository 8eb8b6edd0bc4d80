"""docs/configuration.md says what the programs read."""

from __future__ import annotations

import dataclasses

from tests.support.configuration_reference import PATH, SERVICES, meanings, reference


def test_the_reference_is_what_the_types_say() -> None:
    assert PATH.read_text() == reference(), "bring it up to date with `make docs`"


def test_every_row_has_a_meaning() -> None:
    rows = [line.split("|") for line in reference().splitlines() if line.startswith("| `")]
    assert len(rows) > 60
    assert [row[1] for row in rows if not row[-2].strip()] == []


def test_every_setting_of_a_service_has_a_meaning() -> None:
    for kind in SERVICES.values():
        assert {field.name for field in dataclasses.fields(kind)} <= set(meanings(kind))
        assert all(f"`{field.metadata['env']}`" in PATH.read_text() for field in dataclasses.fields(kind))
