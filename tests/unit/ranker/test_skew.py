"""Which slates are logged with the vectors they were ranked by, and what of these is logged."""

from __future__ import annotations

import numpy as np
import uuid_utils
from hypothesis import given
from hypothesis import strategies as st

from eddyline_contracts.decoding import decode_event
from eddyline_contracts.events import SlateServed, encode
from eddyline_contracts.limits import MAX_STRING_BYTES
from eddyline_contracts.vectors import VectorsAnswer
from eddyline_ranker.skew import _MOST_FEATURES, is_chosen, rows_of


@given(st.text(), st.floats(0, 1))
def test_every_try_of_a_slate_is_chosen_alike_and_a_larger_share_chooses_no_less(
    slate: str, share: float
) -> None:
    chosen = is_chosen(slate, share)
    assert is_chosen(slate, share) == chosen
    assert is_chosen(slate, share / 2) <= chosen <= is_chosen(slate, 1.0)
    assert is_chosen(slate, 1.0)
    assert not is_chosen(slate, 0.0)


def test_one_in_a_hundred_is_about_one_in_a_hundred() -> None:
    n = sum(is_chosen(str(uuid_utils.uuid7()), 0.01) for _ in range(20_000))
    assert 120 < n < 290


def test_what_came_is_what_the_event_tells() -> None:
    vectors = np.array([[1, np.nan, -0.0], [np.inf, 1e-40, 3]], "<f4")
    rows = rows_of(VectorsAnswer(1, 2, 3, vectors.tobytes(), b""))
    told = decode_event(
        encode(SlateServed(id="s", user="u", items=[{"item": "a"}], served_vectors=rows))  # type: ignore[list-item]
    )
    assert isinstance(told, SlateServed)
    assert told.served_vectors is not None
    assert b"".join(told.served_vectors) == vectors.tobytes()
    assert [len(row) for row in told.served_vectors] == [12, 12]


def test_a_vector_that_no_event_may_tell_is_left_out() -> None:
    for n_features, fits in ((_MOST_FEATURES, True), (_MOST_FEATURES + 1, False)):
        rows = rows_of(VectorsAnswer(1, 2, n_features, bytes(4 * n_features), b""))
        assert (rows is not None) == fits
        raw = encode(SlateServed(id="s", user="u", items=[], served_vectors=[bytes(4 * n_features)]))
        assert (len(raw.split(b'["')[1].split(b'"')[0]) <= MAX_STRING_BYTES) == fits
