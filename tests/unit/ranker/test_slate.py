"""From scores to an order, an answer, and the fact that is logged."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import SlateServed, encode
from eddyline_ranker.candidates import _SURELY_FITS, MAX_SLATE_BYTES, read_candidates, slate_bytes
from eddyline_ranker.slate import Ranking, answer, best_first, rounded, served


def a_ranking(items: list[object], scores: list[float], **request: object) -> Ranking:
    candidates = read_candidates(json.dumps({"user": "u", "items": items, **request}).encode())
    numbers = np.array(scores)
    return Ranking(
        slate="s1",
        candidates=candidates,
        scores=numbers,
        order=best_first(numbers),
        policy="greedy",
        degraded=[],
        model="m" * 64,
        view="shop-1a2b3c4d",
        features_sequence=2**40 + 12_345,
        ranked_at=1_795_488_060_123,
    )


def test_the_best_comes_first_and_ties_keep_the_order_of_the_request() -> None:
    assert best_first(np.array([1.0, 3.0, 1.0, 3.0, 2.0])) == [1, 3, 4, 0, 2]


def test_the_answer_has_the_full_scores() -> None:
    slate = answer(a_ranking(["a", "b"], [0.1234567890123, 0.2]), 1.5)
    assert [(item.item, item.score, item.propensity) for item in slate.items] == [
        ("b", 0.2, 1.0),
        ("a", 0.1234567890123, 1.0),
    ]
    assert slate.took_ms == 1.5


def test_what_is_logged_can_be_replayed() -> None:
    items = ["a", {"item": "b", "fields": {"relevancy": 2.0}}, "c"]
    ranking = a_ranking(items, [1.0, 2.0, 3.0], session="x7", context={"query": "toys"})
    event = decode_event(encode(served(ranking, 1_795_488_060_000)))
    assert isinstance(event, SlateServed)
    assert event.candidates == ["a", "b", "c"]
    assert [item.item for item in event.items] == ["c", "b", "a"]
    assert {item.item: item.fields for item in event.items} == {"a": {}, "b": {"relevancy": 2.0}, "c": {}}
    assert [item.propensity for item in event.items] == [1.0, 1.0, 1.0]
    assert (event.user, event.session, event.context) == ("u", "x7", {"query": "toys"})
    assert (event.features_sequence, event.ranked_at) == (2**40 + 12_345, 1_795_488_060_123)
    assert (event.policy, event.model, event.view) == ("greedy", "m" * 64, "shop-1a2b3c4d")
    assert event.occurred_at == 1_795_488_060_000


def test_candidates_are_left_out_where_the_order_stayed() -> None:
    assert served(a_ranking(["a", "b"], [2.0, 1.0]), 0).candidates is None


def test_logged_scores_have_five_digits_of_the_largest() -> None:
    assert rounded(np.array([-3.14159265, 0.000123456])).tolist() == [-3.1416, 0.0001]
    assert rounded(np.array([0.00123456789])).tolist() == [0.0012346]
    assert rounded(np.array([123456.789])).tolist() == [123460.0]
    assert rounded(np.array([0.0, -0.0])).tolist() == [0.0, -0.0]
    assert np.isfinite(rounded(np.array([1e-300, 5e-324]))).all()
    assert np.isfinite(rounded(np.array([1.7e308]))).all()


def test_a_slate_of_a_hundred_is_small_enough_to_compress_into_the_budget() -> None:
    rng = np.random.default_rng(1)
    ranking = a_ranking(
        [f"{k}" for k in rng.integers(10_000, 99_999, 100).tolist()], rng.normal(size=100).tolist()
    )
    # Stored (pglz, see ADR 31) it takes a third of this; the budget there is 2.5 kB.
    assert len(encode(served(ranking, 1_795_488_060_000))) < 6_500
    assert len(msgspec.json.encode(answer(ranking, 1.0))) < 8_000


NAMES = st.text(st.characters(codec="utf-8"), max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)
ITEMS = st.tuples(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=128),
    st.dictionaries(NAMES, VALUES, max_size=3),
    st.floats(-1e300, 1e300),
)


@given(
    st.lists(ITEMS, min_size=1, unique_by=lambda item: item[0]), st.dictionaries(NAMES, VALUES, max_size=9)
)
def test_no_slate_is_larger_than_it_was_thought_to_be(
    told: list[tuple[str, dict[str, Any], float]], context: dict[str, Any]
) -> None:
    ranking = a_ranking(
        [{"item": item, "fields": fields} for item, fields, _ in told],
        [score for _, _, score in told],
        user="\x01" * 128,
        session="\U0001f600" * 128,
        context=context,
    )
    assert len(encode(served(ranking, 2**53 - 1))) <= slate_bytes(ranking.candidates)


@pytest.mark.parametrize(
    "items",
    [
        ["\U0001f600" * 32 + f"{k:03}" for k in range(900)],
        [{"item": "a", "fields": {"x": [1e14] * 25_000}}],
        [f"{k}" for k in range(1_000)],
    ],
    ids=["long ids", "short numbers", "many"],
)
def test_the_slate_of_a_request_that_is_taken_without_weighing_it_fits(items: list[Any]) -> None:
    told = {"user": "u", "items": items, "context": {"x": [1e14] * 1_000}}
    body = json.dumps(told, ensure_ascii=False).replace("100000000000000.0, ", "1e14,").encode()
    assert len(body) <= _SURELY_FITS
    assert slate_bytes(read_candidates(body)) < MAX_SLATE_BYTES
