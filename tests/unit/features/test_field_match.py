"""How well a query fits a text: with numbers worked out by hand, and against BM25 written out plainly."""

from __future__ import annotations

import math
import sys
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline_contracts.record import Logged
from eddyline_features.kinds.matching import logarithm
from eddyline_features.state import State
from eddyline_features.view import ViewError
from tests.support.builders import DAY, START, a_click, a_log, an_item, logged
from tests.unit.features.reading import HEAD, a_state, columns

TERM = "name: t, kind: field_match, field: item.title"
NGRAM = "name: g, kind: field_match, field: item.title, by: ngram"
BM25 = "name: b, kind: field_match, field: item.title, by: bm25"


def asked(state: State, query: Any, item: str = "i1", at: int = 0) -> dict[str, float]:
    return columns(state, item, context={"query": query}, at=at)


@pytest.mark.parametrize(
    ("title", "query", "share"),
    [
        ("Red Socks, warm", "red socks", 1), ("Red Socks", "warm red SOCKS", 2 / 3), ("red red", "red", 1),
        ("socks", "red red red socks", 1 / 2), ("hat", "red", 0), ("", "red", 0), ("!?", "red", 0),
        (["red", "warm socks"], "socks", 1), ("Straße", "STRASSE", 1), ("Été", "ÉTÉ", 1), ([], "red", 0),
    ],
)  # fmt: skip
def test_by_term_it_is_the_share_of_the_querys_words(title: Any, query: Any, share: float) -> None:
    assert asked(a_state(TERM, events=a_log(an_item(title=title))), query)["t"] == pytest.approx(share)


@pytest.mark.parametrize(("title", "query"), [("red", None), ("red", ""), ("red", "..."), ("red", 7), (7, "red"),
                                              (None, "red"), ([7], "red"), ({}, "red")])  # fmt: skip
def test_without_a_query_or_a_text_it_is_unknown(title: Any, query: Any) -> None:
    state = a_state(TERM, NGRAM, BM25, events=a_log(an_item(title="old"), an_item(title=title)))
    assert all(math.isnan(value) for value in asked(state, query).values())
    assert all(math.isnan(value) for value in asked(state, "red", "nobody knows").values())


def test_by_ngram_it_is_what_both_have_of_what_either_has() -> None:
    state = a_state(
        NGRAM, f"{NGRAM}, n: 2".replace("name: g", "name: two"), events=a_log(an_item(title="socks"))
    )
    # " so" "soc" "ock" "cks" "ks " against " so" "soc" "ock" "ck ".
    found = asked(state, "sock")
    assert found["g"] == pytest.approx(3 / 6)
    # " s" "so" "oc" "ck" "ks" "s " against " s" "so" "oc" "ck" "k ".
    assert found["two"] == pytest.approx(4 / 7)
    assert asked(state, "SOCKS")["g"] == 1.0
    assert asked(state, "hat")["g"] == 0.0
    assert asked(state, "a")["g"] == 0.0


def test_a_word_that_is_shorter_than_an_ngram_has_one() -> None:
    state = a_state(f"{NGRAM}, n: 5", events=a_log(an_item(title="a")))
    assert asked(state, "A")["g"] == 1.0


def test_bm25_by_hand() -> None:
    state = a_state(
        BM25, f"{BM25}, k1: 2, b: 0".replace("name: b", "name: flat"),
        events=a_log(
            an_item("i1", title="red socks red"), an_item("i2", title="blue socks"), an_item("i3", title="hat")
        ),
    )  # fmt: skip
    rare, common = math.log(1 + 2.5 / 1.5), math.log(1 + 1.5 / 2.5)
    assert asked(state, "red")["b"] == pytest.approx(rare * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 2)))
    assert asked(state, "red red socks")["flat"] == pytest.approx(
        rare * 2 * 3 / (2 + 2) + common * 1 * 3 / (1 + 2)
    )
    assert asked(state, "socks", "i2")["b"] == pytest.approx(common * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / 2)))
    assert asked(state, "red", "i3")["b"] == 0.0


def test_a_text_that_changes_or_goes_is_taken_out_of_the_counts() -> None:
    first, second = an_item("i1", title="red socks"), an_item("i2", title="red hat")
    plain = a_state(BM25, events=a_log(first, second))
    changed = a_state(
        BM25,
        events=a_log(
            an_item("i1", title="red red red hat hat"), first, an_item("i3", title="red tie"), second,
            an_item("i3", removed=True), an_item("i1", price=3), an_item("i4", title="red"), an_item("i4", title=None),
        ),
    )  # fmt: skip
    for query in ("red", "socks", "hat red", "tie"):
        for item in ("i1", "i2"):
            assert asked(changed, query, item) == asked(plain, query, item)
    assert math.isnan(asked(changed, "red", "i3")["b"])


def test_an_item_that_is_forgotten_stays_counted_and_leaves_the_others_as_they_were() -> None:
    state = a_state(BM25, TERM, NGRAM, head="limits: {items: 1_000}\n" + HEAD.lstrip())
    for n in range(1_000):
        state.apply(logged(an_item(f"i{n}", title="red socks" if n < 3 else f"hat number {n}"), n + 1))
    before = [asked(state, "red socks", f"i{n}") for n in (1, 2, 500)]
    state.apply(logged(a_click("new"), 2_000))  # takes the row of i0, the longest unseen
    assert math.isnan(asked(state, "red socks", "i0")["b"])
    assert math.isnan(asked(state, "red socks", "new")["b"])
    assert [asked(state, "red socks", f"i{n}") for n in (1, 2, 500)] == before


_words = st.sampled_from(["red", "socks", "hat", "warm", "a", "tie", "blue"])
_texts = st.lists(_words, max_size=6).map(" ".join)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 4), _texts | st.none()), max_size=25), _texts)
def test_bm25_is_that_of_the_texts_there_are(changes: list[tuple[int, str | None]], query: str) -> None:
    state, texts = a_state(f"{BM25}, k1: 1.5, b: 0.6, vocabulary: 1024"), dict[str, list[str]]()
    for at, (n, text) in enumerate(changes, 1):
        item = f"i{n}"
        state.apply(logged(an_item(item, title=text), at))
        texts.pop(item, None)
        if text is not None:
            texts[item] = text.split()
    mean = sum(map(len, texts.values())) / max(1, len(texts))
    for n in range(5):
        found = asked(state, query, f"i{n}")["b"]
        words = texts.get(f"i{n}")
        if words is None or not query:
            assert math.isnan(found)
            continue
        score = 0.0
        for word in set(query.split()):
            d = sum(word in other for other in texts.values())
            often = Counter(words)[word]
            idf = math.log(1 + (len(texts) - d + 0.5) / (d + 0.5))
            score += idf * often * 2.5 / (often + 1.5 * (0.4 + 0.6 * (len(words) / mean if mean else 0)))
        assert found == pytest.approx(score, rel=1e-5)


@given(st.floats(min_value=1e-300, max_value=1e300))
def test_the_logarithm_is_that_of_mathematics(x: float) -> None:
    assert logarithm(x) == pytest.approx(math.log(x), rel=4e-16, abs=3e-16)


def test_terms_and_queries_are_bounded_by_their_first_words() -> None:
    state = a_state(f"{TERM}, max_terms: 2", events=a_log(an_item(title="one two one three")))
    assert asked(state, "one two three")["t"] == pytest.approx(2 / 3)
    many = " ".join(f"w{n}" for n in range(200))
    whole = a_state(f"{TERM}, max_terms: 1000", f"{BM25}, max_terms: 1000", events=a_log(an_item(title=many)))
    assert asked(whole, many)["t"] == 1.0
    assert asked(whole, f"{many} more")["t"] == 1.0  # the 65th word is not looked at
    endless = a_state(TERM, events=a_log(an_item(title="a" * 100)))
    assert asked(endless, "a" * 64)["t"] == 1.0
    for word in ("red", "hat", "tie", "blue", "warm"):
        frequent = a_state(TERM, f"{BM25}, b: 0", events=a_log(an_item(title=f"{word} " * 700)))
        found = asked(frequent, word)
        assert found["t"] == 1.0
        assert found["b"] == pytest.approx(math.log(1 + 0.5 / 1.5) * 255 * 2.2 / (255 + 1.2), rel=1e-5)


def test_a_text_is_known_for_its_ttl() -> None:
    state = a_state(f"{TERM}, ttl: 1d", BM25, events=[logged(an_item(title="red"), 1, START)])
    assert asked(state, "red", at=START + DAY)["t"] == 1.0
    found = asked(state, "red", at=START + DAY + 1)
    assert math.isnan(found["t"])
    assert not math.isnan(found["b"])
    state.apply(logged(an_item(price=1), 2, START + DAY))
    assert math.isnan(asked(state, "red", at=START + DAY + 1)["t"])
    state.apply(logged(an_item(title="red"), 3, START + DAY))
    assert asked(state, "red", at=START + DAY + 1)["t"] == 1.0


def test_several_queries_fields_and_ways_do_not_mix() -> None:
    state = a_state(
        TERM, NGRAM, BM25, f"{TERM}, query: context.filter".replace("name: t", "name: f"),
        "name: o, kind: field_match, field: item.brand, by: term",
        events=a_log(an_item(title="red socks", brand="acme")),
    )  # fmt: skip
    found = columns(state, context={"query": "socks acme", "filter": "red"})
    assert (found["t"], found["f"], found["o"]) == (0.5, 1.0, 0.5)
    alone = a_state(NGRAM, events=a_log(an_item(title="red socks")))
    assert found["g"] == asked(alone, "socks acme")["g"]
    restored = State.restore(state.view, state.snapshot())
    assert columns(restored, context={"query": "socks acme", "filter": "red"}) == found


def events_in_english() -> list[Logged]:
    return a_log(an_item(title="warm running socks"))


def test_a_language_takes_the_endings_off() -> None:
    pytest.importorskip("snowballstemmer", reason="optional: the stemmers of a field_match with a language")
    state = a_state(
        f"{TERM}, language: english", TERM.replace("name: t", "name: plain"), events=events_in_english()
    )
    assert asked(state, "runs sock") == {"t": 1.0, "plain": 0.0}


def test_a_language_without_its_package_is_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "snowballstemmer.english_stemmer", None)
    monkeypatch.setitem(sys.modules, "snowballstemmer", None)
    with pytest.raises(ViewError, match="needs the package snowballstemmer"):
        a_state(f"{TERM}, language: english", events=events_in_english())


@pytest.mark.parametrize(
    ("feature", "told"),
    [
        (f"{TERM}, query: item.title", "what is asked for is in the request: context.<field>"),
        (f"{TERM}, by: bm52", "did you mean `bm25`?"),
        (f"{TERM}, k1: 1", "`features[0].k1` is for `by: bm25`"),
        (f"{TERM}, n: 3", "`features[0].n` is for `by: ngram`"),
        (f"{NGRAM}, n: 9", "a whole number from 2 to 5"),
        (f"{NGRAM}, language: english", "leave it out, or use by: term"),
        (f"{TERM}, language: klingon", "use one of arabic"),
        ("name: t, kind: field_match, field: user.title", "an item's field is expected"),
        ("name: t, kind: field_match", "`features[0].field` is missing"),
        (f"{TERM}, ttl: never", "a duration is expected"),
    ],
)
def test_mistakes_are_told_with_their_remedy(feature: str, told: str) -> None:
    with pytest.raises(ViewError) as caught:
        a_state(feature)
    assert told in str(caught.value)
