"""A filter that is none is refused at the door, before anybody is asked for candidates."""

import msgspec
import pytest

from eddyline_features.filters.reading import InvalidFilter
from eddyline_features.recommend_settings import Recommend
from eddyline_ranker.recommendation import read_recommendation


def _read(filters: object) -> object:
    body = msgspec.json.encode({"user": "u", "filters": filters})
    return read_recommendation(body, Recommend()).request.filters


def test_a_filter_goes_on_as_it_was_sent() -> None:
    form = {"or": [{"brand": "a"}, {"price": {"lte": 20}}]}
    assert _read(form) == form


def test_a_filter_that_is_none_is_refused_with_its_place() -> None:
    with pytest.raises(InvalidFilter, match=r"`filters\.or\[0\]\.price\.max`.*did you mean `lte`"):
        _read({"or": [{"price": {"max": 20}}]})


def test_a_cap_that_is_said_both_ways_is_the_smaller_one() -> None:
    body = msgspec.json.encode({"user": "u", "caps": {"item.brand": 1, "brand": 3, "item.price": 2}})
    assert read_recommendation(body, Recommend()).caps == {"brand": 1, "price": 2}
