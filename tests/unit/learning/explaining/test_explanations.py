"""What is said of an item follows from what raised its score, and nothing is claimed that is not so."""

from __future__ import annotations

import hashlib

import lightgbm as lgb
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from eddyline_contracts.bundle import Bundle, decode_bundle, encode_bundle
from eddyline_features.claims import Claim, claims_of, holds
from eddyline_features.view import load_view
from eddyline_learning.challenger import Challenger, with_covers
from eddyline_learning.explaining.explanations import ModelExplainer, explanations
from eddyline_learning.explaining.sentences import Speaker, Words
from eddyline_learning.onnx_export import export
from eddyline_learning.scoring import OnnxScorer
from eddyline_learning.trees import as_text
from tests.support.bundles import a_bundle

SHOP = """
view: shop
label_window: 30m
actions: {click: 1, hide: -1}
features:
  - {name: price, kind: number, field: item.price}
  - {name: taste, kind: affinity, by: user, field: item.brand, actions: click, half_lives: 7d, outputs: acted}
  - {name: clicks, kind: count, by: item, of: click, half_lives: 1d}
  - {name: asked, kind: field_match, query: context.query, field: item.title}
  - {name: age, kind: item_age}
  - {name: country, kind: categories, field: user.country}
explanations:
  reasons: {price: {low: cheap}}
  sentences: {en: {cheap: "A small price"}}
"""
VIEW = load_view(SHOP)
PRICE, TASTE, CLICKS, ASKED, AGE, COUNTRY = range(6)
NAN = float("nan")
SPEAKER = Speaker(VIEW.explanations)
NEUTRAL = [NAN, 0.0, 0.0, 0.0, 40.0, 0.0]


def some_rows(n: int = 2_000) -> NDArray[np.float32]:
    rng = np.random.default_rng(1)
    rows = rng.uniform(0, 10, (n, 6))
    rows[:, AGE] *= 10
    rows[:, PRICE][rng.random(n) < 0.3] = np.nan
    rows[:, TASTE][rng.random(n) < 0.5] = 0.0
    rows[:, COUNTRY] = rng.integers(0, 5, n)
    return rows.astype(np.float32)


def a_model(signs: dict[int, float]) -> tuple[Bundle, str]:
    """A booster that likes large values of some columns, or small ones where the sign is negative."""
    rows = some_rows()
    spread = {AGE: 100.0}
    target = sum(np.nan_to_num(rows[:, c], nan=5.0) / spread.get(c, 10.0) * sign for c, sign in signs.items())
    told = {
        "objective": "regression",
        "verbosity": -1,
        "num_threads": 1,
        "num_leaves": 8,
        "boost_from_average": False,
    }
    booster = lgb.train(told, lgb.Dataset(rows, target, categorical_feature=[COUNTRY]), 20)
    onnx, covers = export(booster, 6)
    bundle = a_bundle(VIEW.id, VIEW.columns, onnx=onnx)
    told_too = {"covers": covers.astype("<i4").tobytes(), "declaration": SHOP}
    return msgspec.structs.replace(bundle, **told_too), as_text(booster)


def sentence(
    signs: dict[int, float], changes: dict[int, float], source: str | None = None, **fields: list[str]
) -> str:
    vector = np.array([NEUTRAL], np.float32)
    for column, value in changes.items():
        vector[0, column] = value
    (told,) = explanations(
        ModelExplainer(a_model(signs)[0], VIEW),
        vector,
        speaker=SPEAKER,
        language="en",
        sources=[source],
        words=[Words(fields)],
        context={"query": "toys"},
    )
    return told.sentence


def test_the_source_goes_before_all_features() -> None:
    assert sentence({CLICKS: 1.0}, {CLICKS: 9.0}, source="new") == "New"
    assert sentence({CLICKS: 1.0}, {CLICKS: 9.0}, source="fill") == "Popular right now"


def test_the_feature_that_adds_most_says_why() -> None:
    assert sentence({CLICKS: 1.0, TASTE: 2.0}, {CLICKS: 9.0, TASTE: 9.0}) == "Like what you chose before"
    assert sentence({CLICKS: 2.0, TASTE: 1.0}, {CLICKS: 9.0, TASTE: 9.0}) == "Popular right now"
    assert sentence({TASTE: 2.0}, {TASTE: 9.0}, brand=["Acme"]) == "Because you like Acme"
    assert sentence({ASKED: 1.0}, {ASKED: 9.0}) == "Fits your search for “toys”"
    assert sentence({AGE: -1.0}, {AGE: 2.0}) == "New"
    assert sentence({PRICE: -1.0}, {PRICE: 0.5}) == "A small price"


@pytest.mark.parametrize(
    ("signs", "changes"),
    [
        ({CLICKS: -1.0}, {CLICKS: 0.1}),
        ({TASTE: -1.0}, {TASTE: 0.0}),
        ({AGE: 1.0}, {AGE: 95.0}),
        ({AGE: -1.0}, {AGE: 20.0}),
        ({PRICE: 1.0}, {PRICE: 9.5}),
        ({COUNTRY: 1.0}, {COUNTRY: 4.0}),
        ({CLICKS: 1.0}, {}),
    ],
)
def test_a_feature_that_adds_most_says_nothing_where_it_would_not_be_so(
    signs: dict[int, float], changes: dict[int, float]
) -> None:
    """Few clicks are not popular because the model likes few; nor is 20 days new because it likes younger items."""
    assert sentence(signs, changes) == "Recommended for you"


def test_what_adds_little_beside_the_largest_is_no_reason() -> None:
    """The largest has no sentence, and the next would be one that hardly counts."""
    assert sentence({COUNTRY: 9.0, CLICKS: 0.3}, {COUNTRY: 4.0, CLICKS: 9.0}) == "Recommended for you"


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.lists(st.one_of(st.floats(-5, 120, width=32), st.just(NAN)), min_size=6, max_size=6),
        min_size=1,
        max_size=9,
    ),
    st.integers(0, 6),
)
def test_mean_named_contributions_and_the_rest_are_the_score(rows: list[list[float]], top: int) -> None:
    vectors = np.array(rows, np.float32)
    scores = OnnxScorer(_MODEL.onnx).raw_scores(vectors)
    n = len(rows)
    told = explanations(
        _EXPLAINER, vectors, speaker=SPEAKER, language="de", sources=[None] * n, words=[Words()] * n, top=top
    )
    for one, score, row in zip(told, scores.tolist(), rows, strict=True):
        assert one.mean is not None
        assert one.mean + sum(c.adds for c in one.contributions) + one.rest == pytest.approx(
            score, rel=0, abs=1e-9
        )
        assert len(one.contributions) <= top
        assert one.sentence
        for c in one.contributions:
            value = row[VIEW.columns.index(c.feature)]
            assert (c.value is None) == (value != value)
            assert c.value is None or np.float32(c.value) == np.float32(value)


_MODEL = a_model({PRICE: -1.0, TASTE: 2.0, CLICKS: 1.0, COUNTRY: 0.5})[0]
_EXPLAINER = ModelExplainer(_MODEL, VIEW)


def explained(
    model: ModelExplainer | None, vectors: NDArray[np.float32] | None, source: str | None = "popular"
) -> object:
    (told,) = explanations(model, vectors, speaker=SPEAKER, language="en", sources=[source], words=[Words()])
    return told


def test_without_covers_or_trees_or_vectors_there_is_a_sentence_and_what_is_missing() -> None:
    vector = np.array([NEUTRAL], np.float32)
    old = msgspec.structs.replace(_MODEL, covers=b"")
    elsewhere = msgspec.structs.replace(a_bundle(VIEW.id, VIEW.columns), covers=_MODEL.covers)
    for model, vectors, missing in [
        (ModelExplainer(old), vector, "made elsewhere, or by an older Eddyline"),
        (ModelExplainer(elsewhere), vector, "0 ensembles of trees"),
        (None, vector, "no model gave the scores"),
        (_EXPLAINER, None, "not known any more"),
    ]:
        told = explained(model, vectors)
        assert missing in told.missing  # type: ignore[attr-defined]
        assert (told.sentence, told.contributions) == ("Popular right now", [])  # type: ignore[attr-defined]


def test_a_booster_tells_the_covers_that_an_older_bundle_lacks() -> None:
    bundle, text = a_model({TASTE: 1.0})
    old = msgspec.structs.replace(bundle, covers=b"")
    assert with_covers(Challenger(old, text)) == bundle
    assert with_covers(Challenger(old, "")) is old
    assert with_covers(Challenger(bundle, "")) is bundle


def test_a_bundle_of_an_older_eddyline_is_read_and_covers_are_no_part_of_a_models_name() -> None:
    raw = encode_bundle(_MODEL)
    members = msgspec.msgpack.decode(raw[len(b"eddyline-bundle-1\n") + 32 :])
    del members["covers"]
    body = msgspec.msgpack.encode(members)
    old = decode_bundle(b"eddyline-bundle-1\n" + hashlib.sha256(body).digest() + body)
    assert old == msgspec.structs.replace(_MODEL, covers=b"")
    assert old.model == _MODEL.model


def test_what_the_declaration_in_use_says_goes_before_the_models_own_if_they_are_of_one_view() -> None:
    dear = load_view(SHOP.replace("low: cheap", "high: cheap"))
    assert dear.id == VIEW.id
    assert ModelExplainer(_MODEL, dear).claims[PRICE] == (Claim("cheap", "high"),)
    other = load_view(SHOP.replace("half_lives: 1d", "half_lives: 2d"))
    assert ModelExplainer(_MODEL, other).claims[PRICE] == (Claim("cheap", "low"),)
    for unreadable in (
        "",
        "view: [",
        SHOP.replace("name: price", "name: prize").replace("{price:", "{prize:"),
    ):
        model = msgspec.structs.replace(_MODEL, declaration=unreadable)
        assert ModelExplainer(model, other).claims == [()] * 6


def test_a_claim_holds_on_its_side_of_most_splits_and_within_its_bounds() -> None:
    high, low = Claim("x", above=3.0), Claim("x", "low", most=7.0)
    assert holds(high, 4.0, 0.6)
    assert not holds(high, 3.0, 0.6)
    assert not holds(high, 4.0, 0.5)
    assert not holds(high, 4.0, NAN)
    assert not holds(high, NAN, 0.6)
    assert holds(low, 7.0, 0.4)
    assert not holds(low, 7.1, 0.4)
    assert not holds(low, 7.0, 0.5)


def test_nothing_is_claimed_of_what_people_dislike_or_of_rates_that_are_never_0() -> None:
    view = load_view(
        """
view: shop
label_window: 30m
actions: {click: 1, hide: -1}
features:
  - {name: hidden, kind: count, by: item, of: hide, half_lives: 1d}
  - {name: all, kind: count, by: item, of: [click, hide], half_lives: 1d}
  - {name: shown, kind: count, by: item, of: impression, half_lives: 1d}
  - {name: ever, kind: count, by: item, of: click, half_lives: [forever, 30d]}
  - {name: ctr, kind: rate, by: item, half_lives: 1d}
  - {name: mine, kind: count, by: user, of: click, half_lives: 1d}
  - {name: dull, kind: affinity, by: user, field: item.brand, actions: hide, half_lives: 7d, outputs: [acted, rate]}
  - {name: taste, kind: affinity, by: user, field: item.brand, actions: click, half_lives: 7d, outputs: [rate, best]}
"""
    )
    assert claims_of(view) == [()] * len(view.columns)
