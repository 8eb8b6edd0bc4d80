"""Every kind of feature has a page, and what its examples say is what the fold gives."""

from __future__ import annotations

import typing
from pathlib import Path

import pytest

from eddyline_features.declarations.registry import READERS
from eddyline_features.view import load_view
from tests.support.kind_page import PAGES, computed, examples


@pytest.mark.parametrize("kind", READERS)
def test_a_kind_has_a_page_whose_examples_show_it(kind: str) -> None:
    shown = examples(PAGES / f"{kind}.md")
    declared = {type(feature) for example in shown for feature in load_view(example.view).features}
    assert typing.get_type_hints(READERS[kind])["return"] in declared


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.stem)
def test_the_examples_of_a_page_are_true(page: Path) -> None:
    for example in examples(page):
        told = computed(example)
        assert example.expected
        for column, values in example.expected.items():
            assert told[column] == pytest.approx(values, rel=1e-3, abs=1e-6, nan_ok=True), column
