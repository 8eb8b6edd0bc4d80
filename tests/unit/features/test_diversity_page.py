"""docs/diversity.md: the orders of its example are what the dial gives."""

import re
from pathlib import Path

import numpy as np
import pytest

from eddyline_features.slates.choosing import choose
from eddyline_features.slates.likeness import Likeness
from eddyline_features.view import load_view

_PAGE = (Path(__file__).parents[3] / "docs" / "diversity.md").read_text()


def _block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", _PAGE, re.DOTALL)
    assert found is not None
    return found.group(1)


def _rows(language: str, columns: int) -> list[list[str]]:
    return [line.split(None, columns - 1) for line in _block(language).splitlines()[1:]]


def _listed(told: str) -> list[str]:
    return told.split(", ")


@pytest.mark.parametrize(("dial", "order"), _rows("orders", 2))
def test_the_example_comes_out_as_it_is_told(dial: str, order: str) -> None:
    items, scores, genres = zip(*_rows("candidates", 3), strict=True)
    alike = Likeness([[_listed(told) for told in genres]])
    chosen = choose(np.array(scores, np.float64), 3, values={}, dial=float(dial), alike=alike)
    assert [items[at] for at in chosen] == _listed(order)


def test_the_section_of_the_page_is_valid() -> None:
    head = "view: shop\nlabel_window: 10m\nactions: {click: 1}\nfeatures: [{name: age, kind: item_age}]\n"
    recommend = load_view(head + _block("yaml")).recommend
    assert recommend is not None
    assert recommend.diversity_by == ("genres",)
