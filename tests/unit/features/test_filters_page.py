"""docs/filters.md: every filter of the page lets through, or is refused, as the page says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from eddyline_contracts.record import Record, decode_record
from eddyline_features.filters.masks import Filters
from eddyline_features.filters.reading import InvalidFilter
from eddyline_features.state import State
from eddyline_features.view import load_view

_PAGE = (Path(__file__).parents[3] / "docs" / "filters.md").read_text()
_FILTERS = re.findall(r"```json\n([^`]*)```\n(lets through|is refused:) (.*)", _PAGE)


def _block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", _PAGE, re.DOTALL)
    assert found is not None
    return found.group(1)


@pytest.fixture(scope="module")
def filters() -> Filters:
    state = State(
        load_view(
            "view: shop\nlabel_window: 10m\nactions: {click: 1}\nfeatures: [{name: age, kind: item_age}]\n"
            + _block("yaml")
        )
    )
    for n, line in enumerate(_block("jsonl").splitlines(), 1):
        state.apply(decode_record(Record(n, str(n), "", 1_000, 1_000, line.encode())))
    return Filters(state)


def test_each_block_of_json_on_the_page_is_an_example() -> None:
    assert len(_FILTERS) == _PAGE.count("```json\n") > 10


@pytest.mark.parametrize(("form", "what", "told"), _FILTERS)
def test_a_filter_of_the_page_does_what_the_page_says(
    filters: Filters, form: str, what: str, told: str
) -> None:
    asked: dict[str, Any] = json.loads(form)
    if what == "is refused:":
        with pytest.raises(InvalidFilter) as refused:
            filters.allowed(asked)
        assert str(refused.value).startswith(told.removeprefix("`` ").removesuffix(" ``"))
        return
    mask = filters.allowed(asked)
    assert mask is not None
    ids = filters.state.items.ids
    assert [ids[row] for row in mask.nonzero()[0]] == re.findall(r"`(\w+)`", told)
