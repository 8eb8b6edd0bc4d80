"""What declares the champion's view is found beside the champion, or it is said why it cannot be."""

from __future__ import annotations

import msgspec
import pytest

from eddyline_cli.changing.champion_view import ChampionView, champion_view
from eddyline_contracts.bundle import Bundle, encode_bundle
from tests.support.bundles import a_bundle
from tests.support.serving import CONFIG, fixture_view
from tests.support.training import execute

VIEW = fixture_view()
TEXT = CONFIG.read_text()


async def crowned(database_url: str, bundle: Bundle, raw: bytes | None = None) -> None:
    """As the trainer's registry has a champion."""
    await execute(
        database_url,
        "INSERT INTO models (model, view, parent, objective, first_sequence, last_sequence, n_slates, n_examples, "
        "metrics, bundle, booster, created_at, role) "
        "VALUES ($1, $2, NULL, 'rank', 1, 2, 1, 1, '{}', $3, '', 1, 'champion')",
        bundle.model,
        bundle.view,
        encode_bundle(bundle) if raw is None else raw,
    )


async def test_without_a_champion_there_is_no_view_to_keep(database_url: str) -> None:
    assert await champion_view(database_url) is None


async def test_the_bundle_brings_the_declaration_along(database_url: str) -> None:
    bundle = msgspec.structs.replace(a_bundle(VIEW.id, VIEW.columns), declaration=TEXT)
    await crowned(database_url, bundle)
    assert await champion_view(database_url) == ChampionView(VIEW.id, TEXT)


@pytest.mark.parametrize(
    ("declaration", "view", "why"),
    [
        ("", VIEW.id, "made by an older Eddyline"),
        # The words are there, but this code folds them to something else.
        (TEXT, "fixture-00000000", "computes features otherwise"),
        ("view: [", VIEW.id, "cannot read it: line 1"),
    ],
)
async def test_a_declaration_that_does_not_give_the_view_is_not_used_and_it_is_said_why(
    database_url: str, declaration: str, view: str, why: str
) -> None:
    await crowned(
        database_url, msgspec.structs.replace(a_bundle(view, VIEW.columns), declaration=declaration)
    )
    found = await champion_view(database_url)
    assert found is not None
    assert (found.view, found.declaration) == (view, None)
    assert why in found.why


async def test_a_damaged_bundle_is_no_obstacle(database_url: str) -> None:
    bundle = a_bundle(VIEW.id, VIEW.columns)
    await crowned(database_url, bundle, encode_bundle(bundle)[:-1])
    found = await champion_view(database_url)
    assert found is not None
    assert found.declaration is None
    assert "damaged" in found.why
