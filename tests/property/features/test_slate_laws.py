"""Slates out of scored candidates: caps hold always, and leave no room unused."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eddyline_features.slates.choosing import choose
from eddyline_features.slates.likeness import Likeness

_BRANDS, _GENRES = "abcdef", "uvwxyz"


_SOME_SCORES = [0.0, 0.25, 0.5, 1.0, -3.0, 2.0, np.nan, np.inf, -np.inf]


@st.composite
def _asked(draw: st.DrawFn, *, single: bool = False) -> dict:
    n_candidates, n = draw(st.integers(0, 40)), draw(st.integers(1, 25))
    # One number for all candidates: drawing each value of each by itself takes most of a test's time.
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    brands = [list(rng.choice(list(_BRANDS), int(single or rng.random() < 0.9))) for _ in range(n_candidates)]
    genres = [list(rng.choice(list(_GENRES), rng.integers(0, 4), replace=False)) for _ in range(n_candidates)]
    vectors = rng.normal(size=(n_candidates, 3)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[rng.random(n_candidates) < 0.2] = 0.0
    caps = {"brand": draw(st.integers(1, 3))}
    if not single and draw(st.booleans()):
        caps["genres"] = draw(st.integers(1, 3))
    fields = draw(st.lists(st.sampled_from([brands, genres]), max_size=2))
    return {
        "scores": rng.choice(_SOME_SCORES[: draw(st.sampled_from([1, 6, 9]))], n_candidates),
        "n": n,
        "values": {"brand": brands, "genres": genres},
        "caps": caps,
        "dial": draw(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0])),
        "alike": Likeness(fields, vectors if draw(st.booleans()) else None),
    }


@given(_asked())
def test_no_value_is_there_more_often_than_its_cap_and_no_item_twice(asked: dict) -> None:
    chosen = choose(**asked)
    assert len(set(chosen)) == len(chosen) <= asked["n"]
    for field, cap in asked["caps"].items():
        counts = Counter(value for i in chosen for value in asked["values"][field][i])
        assert all(count <= cap for count in counts.values())


@given(_asked())
def test_a_slate_is_shorter_than_asked_for_only_where_nothing_more_fits(asked: dict) -> None:
    chosen = choose(**asked)
    if len(chosen) == asked["n"]:
        return
    counts = {
        field: Counter(value for i in chosen for value in asked["values"][field][i])
        for field in asked["caps"]
    }
    for other in set(range(len(asked["scores"]))) - set(chosen):
        assert any(
            counts[field][value] == cap
            for field, cap in asked["caps"].items()
            for value in asked["values"][field][other]
        )


@given(_asked(single=True))
def test_with_one_capped_field_the_slate_is_as_long_as_can_be(asked: dict) -> None:
    brands, cap = asked["values"]["brand"], asked["caps"]["brand"]
    possible = sum(min(cap, count) for count in Counter(brand for (brand,) in brands).values())
    assert len(choose(**asked)) == min(asked["n"], possible)


@given(_asked())
def test_without_a_dial_the_best_come_first(asked: dict) -> None:
    asked["dial"] = 0.0
    chosen = choose(**asked)
    order = np.argsort(-asked["scores"], kind="stable").tolist()
    assert chosen == [i for i in order if i in set(chosen)]
    if not asked["caps"] or not any(asked["values"]["brand"]):
        assert chosen[:1] == order[:1]
    asked["caps"] = {}
    assert choose(**asked) == order[: asked["n"]]


@given(_asked())
def test_the_dial_changes_which_items_there_are_and_not_how_many(asked: dict) -> None:
    asked["caps"] = {}
    chosen = choose(**asked)
    assert len(chosen) == min(asked["n"], len(asked["scores"]))
    if asked["alike"] and chosen and np.isfinite(asked["scores"]).all():
        best = int(np.argmax(asked["scores"]))
        assert chosen[0] == best
