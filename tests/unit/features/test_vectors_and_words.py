"""Vector, word count and relevancy, and how long the value of a field is known."""

from __future__ import annotations

import math
from typing import Any

import pytest

from eddyline_features.state import State
from eddyline_features.view import ViewError
from tests.support.builders import DAY, HOUR, START, a_click, a_log, a_user, an_item, logged
from tests.unit.features.reading import a_state, columns

ALL = (
    "name: v, kind: vector, field: item.sizes, "
    "reduce: [min, max, mean, sum, size, first, last, euclidean, vector4]"
)


def known(found: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in found.items() if not math.isnan(value)}


def test_a_list_of_numbers_is_reduced() -> None:
    state = a_state(ALL, events=a_log(an_item(sizes=[3, 4.0, -12])))
    assert columns(state) == pytest.approx(
        {
            "v_min": -12, "v_max": 4, "v_mean": -5 / 3, "v_sum": -5, "v_size": 3, "v_first": 3, "v_last": -12,
            "v_euclidean": 13, "v_1": 3, "v_2": 4, "v_3": -12, "v_4": math.nan,
        },
        nan_ok=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("value", "some"),
    [
        (7, {"v_min": 7, "v_size": 1, "v_1": 7}),
        ([], {"v_size": 0, "v_sum": 0, "v_euclidean": 0}),
        (["a", None, {}], {"v_size": 0, "v_sum": 0, "v_euclidean": 0}),
        ([1, "a", 2], {"v_size": 2, "v_mean": 1.5, "v_last": 2, "v_1": 1, "v_3": 2}),
    ],
)
def test_what_is_no_number_is_passed_over_but_keeps_its_place(value: Any, some: dict[str, float]) -> None:
    found = known(columns(a_state(ALL, events=a_log(an_item(sizes=value)))))
    assert some.items() <= found.items()
    assert ("v_2" in found) is False


@pytest.mark.parametrize("value", [None, "7", {"a": 1}])
def test_what_is_no_list_of_numbers_is_unknown(value: Any) -> None:
    assert known(columns(a_state(ALL, events=a_log(an_item(sizes=[1]), an_item(sizes=value))))) == {}


def test_huge_numbers_give_huge_numbers() -> None:
    found = columns(a_state(ALL, events=a_log(an_item(sizes=[1e308, 1e308, 1e308]))))
    assert all(math.isfinite(value) for value in known(found).values())


def test_a_random_member_is_the_same_for_the_same_list() -> None:
    state = a_state("name: v, kind: vector, field: item.v, reduce: random")
    drawn = set()
    for n in range(50):
        state.apply(logged(an_item("i1", v=[n, n + 1, n + 2]), 2 * n + 1))
        state.apply(logged(an_item("i2", v=[n, n + 1, n + 2]), 2 * n + 2))
        one = columns(state, "i1")["v_random"]
        assert one == columns(state, "i2")["v_random"]
        drawn.add(one - n)
    assert drawn == {0, 1, 2}


def test_vectors_of_users_of_requests_and_of_their_candidates() -> None:
    state = a_state(
        "name: u, kind: vector, field: user.v, reduce: vector2",
        "name: c, kind: vector, field: context.v, reduce: [size, vector2]",
        "name: s, kind: vector, field: slate.v",
        events=a_log(a_user(v=[1, 2, 3])),
    )
    found = columns(state, context={"v": [5]}, fields={"v": [2, 4]})
    assert known(found) == {
        "u_1": 1, "u_2": 2, "c_size": 1, "c_1": 5, "s_min": 2, "s_max": 4, "s_size": 2, "s_mean": 3,
    }  # fmt: skip


def test_people_read_reduced_vectors_by_name() -> None:
    state = a_state("name: v, kind: vector, field: item.v, reduce: [max, vector2]")
    state.apply(logged(an_item(v=[2.0])))
    known_of_item = state.item("i1")
    assert known_of_item is not None
    assert known_of_item["fields"] == {"v": {"max": 2.0, "1": 2.0}}


@pytest.mark.parametrize(
    ("value", "n"),
    [
        ("The  quick\tfox", 3), ("", 0), (["a b", "c"], 3), ([], 0), (["a b", 7], 2), ([7], None), (7, None),
        (None, None),
    ],
)  # fmt: skip
def test_words_are_counted_and_those_of_a_list_add_up(value: Any, n: int | None) -> None:
    found = columns(
        a_state("name: n, kind: word_count, field: item.title", events=a_log(an_item(title=value)))
    )
    assert known(found) == ({} if n is None else {"n": n})


def test_relevancy_is_a_number_of_the_candidate() -> None:
    state = a_state(
        "name: r, kind: relevancy",
        "name: e, kind: relevancy, field: item.quality",
        events=a_log(an_item(quality=2)),
    )
    assert columns(state, fields={"relevancy": 0.5}) == {"r": 0.5, "e": 2.0}
    assert math.isnan(columns(state, fields={"relevancy": "high"})["r"])


def with_ttl() -> State:
    return a_state(
        "name: price, kind: number, field: item.price, ttl: 2d",
        "name: ever, kind: number, field: item.price",
        "name: fresh, kind: boolean, field: item.fresh, ttl: 1h",
        "name: hue, kind: categories, field: item.hue, encode: one-hot, values: [red, blue], ttl: 1h",
        "name: shop, kind: categories, field: user.shop, ttl: 1h",
        "name: n, kind: word_count, field: item.hue, ttl: 1d",
        "name: v, kind: vector, field: user.v, reduce: [max, vector2], ttl: 1d",
    )


def test_a_value_is_known_for_its_ttl_and_no_longer() -> None:
    state = with_ttl()
    state.apply(logged(an_item(price=5, fresh=True, hue="red"), 1, START))
    state.apply(logged(a_user(shop="x", v=[1, 2]), 2, START))
    everything = {
        "price": 5, "ever": 5, "fresh": 1, "hue=red": 1, "hue=blue": 0, "shop": 0, "n": 1, "v_max": 2, "v_1": 1,
        "v_2": 2,
    }  # fmt: skip
    assert known(columns(state, at=START + HOUR)) == everything
    after_an_hour = {name: everything[name] for name in ("price", "ever", "n", "v_max", "v_1", "v_2")}
    assert known(columns(state, at=START + HOUR + 1)) == after_an_hour
    assert known(columns(state, at=START + 2 * DAY)) == {"price": 5, "ever": 5}
    assert known(columns(state, at=START + 2 * DAY + 1)) == {"ever": 5}
    # Written again, though equal, it is new.
    state.apply(logged(an_item(price=5), 3, START + 2 * DAY))
    assert known(columns(state, at=START + 4 * DAY)) == {"price": 5, "ever": 5}
    restored = State.restore(state.view, state.snapshot())
    assert known(columns(restored, at=START + 4 * DAY)) == {"price": 5, "ever": 5}


def test_clocks_that_lie_never_make_a_negative_age() -> None:
    state = with_ttl()
    state.apply(logged(an_item(price=5), 1, START + 9 * DAY))
    assert known(columns(state, at=START)) == {"price": 5, "ever": 5}
    # Late by its own clock: the newest in the log counts, and is as old as it says.
    state.apply(logged(an_item(price=6), 2, START))
    state.apply(logged(a_click(), 3, START + 3 * DAY))
    assert known(columns(state, at=0)) == {"ever": 6}


def test_a_removed_item_that_comes_back_has_no_old_times() -> None:
    state = with_ttl()
    state.apply(logged(an_item(price=5), 1, START))
    state.apply(logged(an_item(price=5, removed=True), 2, START))
    assert known(columns(state, at=START)) == {}
    state.apply(logged(an_item(price=7), 3, START + DAY))
    assert known(columns(state, at=START + 3 * DAY)) == {"price": 7, "ever": 7}


@pytest.mark.parametrize(
    ("feature", "told"),
    [
        ("name: a, kind: number, field: context.x, ttl: 1d", "`context.x` comes with each request"),
        ("name: a, kind: vector, field: slate.x, ttl: 1d", "`slate.x` comes with each request"),
        ("name: a, kind: number, field: item.x, ttl: soon", "a duration is expected"),
        ("name: a, kind: vector, field: item.x, reduce: avg", "use one of min, max, mean"),
        (
            "name: a, kind: vector, field: item.x, reduce: [vector2, vector3]",
            "several vector<N>: keep the longest",
        ),
        ("name: a, kind: vector, field: item.x, reduce: vector5000", "at most vector1000 is possible"),
        ("name: a, kind: vector, field: item.x, reduce: [min, min]", "names something twice"),
    ],
)
def test_mistakes_are_told_with_their_remedy(feature: str, told: str) -> None:
    with pytest.raises(ViewError, match="line 7") as caught:
        a_state(feature)
    assert told in str(caught.value)
