"""A query is read by the form that the document shows, and what is wrong with it is said."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from msgspec import Meta, Struct
from multidict import MultiDict

from eddyline_contracts.api_catalogue import SimilarQuery, TrendingQuery
from eddyline_runtime.query import InvalidQuery, query_parameters, read_query


class Asked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    n: Annotated[int, Meta(ge=1, le=9)] = 2
    """How many."""
    by: Annotated[list[Literal["a", "b"]], Meta(max_length=2)] = []
    """Which."""
    since: str | None = None
    """When."""


def read(*said: tuple[str, str]) -> Asked:
    return read_query(MultiDict(said), Asked)


def test_what_is_not_said_is_the_default() -> None:
    assert read() == Asked()


def test_numbers_are_numbers_texts_stay_texts_and_lists_take_a_name_again_and_again() -> None:
    assert read(("n", "7"), ("by", "b"), ("since", "12"), ("by", "a")) == Asked(
        n=7, by=["b", "a"], since="12"
    )


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ([("n", "10")], "<= 9 - at `n`"),
        ([("n", "")], "at `n`"),
        ([("n", "1.5")], "at `n`"),
        ([("n", "two")], "at `n`"),
        ([("by", "c")], "Invalid enum value 'c' - at `by[0]`: there are a, b"),
        ([("by", "a")] * 3, "length <= 2 - at `by`"),
        ([("n", "1"), ("n", "1")], "`n` stands there 2 times: say it once"),
        ([("sinse", "x")], "`sinse` is no parameter of this call: did you mean `since`?"),
        ([("limit", "x")], "there are n, by, since"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_to_do(said: list[tuple[str, str]], remedy: str) -> None:
    with pytest.raises(InvalidQuery) as told:
        read(*said)
    assert remedy in str(told.value)


def test_the_document_shows_every_member_and_no_null() -> None:
    assert query_parameters(Asked, {"n": 3}) == [
        {
            "name": "n",
            "in": "query",
            "required": False,
            "description": "How many.",
            "schema": {"type": "integer", "minimum": 1, "maximum": 9, "default": 2},
            "example": 3,
        },
        {
            "name": "by",
            "in": "query",
            "required": False,
            "description": "Which.",
            "schema": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2, "default": []},
        },
        {
            "name": "since",
            "in": "query",
            "required": False,
            "description": "When.",
            "schema": {"type": "string"},
        },
    ]
    for form in (SimilarQuery, TrendingQuery):
        assert all(told["description"] for told in query_parameters(form, {}))
