"""Number, boolean, categories, position and item age: what field values become."""

from __future__ import annotations

import math
from typing import Any

import pytest

from eddyline_contracts.events import SlateItem
from tests.support.builders import DAY, START, a_click, a_log, a_slate, a_user, an_item, logged
from tests.unit.features.reading import a_state, columns

PRICE = "name: price, kind: number, field: item.price"
FRESH = "name: fresh, kind: boolean, field: item.fresh"


@pytest.mark.parametrize(
    ("value", "column"),
    [
        (9.5, 9.5), (3, 3.0), (True, 1.0), (10**30, 1e30), (10**400, None), (1e300, 3.4028234663852886e38),
        ("9.5", None), ("", None), (None, None), ([], None), ([1], None), ({"a": 1}, None),
    ],
)  # fmt: skip
def test_a_number_is_itself_and_anything_else_unknown(value: Any, column: float | None) -> None:
    state = a_state(PRICE, events=a_log(an_item(price=value)))
    found = columns(state)["price"]
    assert math.isnan(found) if column is None else found == pytest.approx(column)


def test_a_field_follows_its_newest_event_and_null_removes_it() -> None:
    state = a_state(PRICE, FRESH, events=a_log(an_item(price=1.0, fresh=True), an_item(price=2.0)))
    assert columns(state) == {"price": 2.0, "fresh": 1.0}
    state.apply(logged(an_item(price=None), 9))
    found = columns(state)
    assert math.isnan(found["price"])
    assert found["fresh"] == 1.0
    state.apply(logged(an_item(price="now a word", fresh=0), 10))
    assert all(math.isnan(value) for value in columns(state).values())


def test_a_removed_item_loses_its_fields_and_keeps_its_counts() -> None:
    state = a_state(
        PRICE,
        "name: c, kind: count, of: click, half_lives: [forever]",
        "name: g, kind: rate, by: item.genres, half_lives: [forever]",
        events=a_log(an_item(price=1.0, genres=["a"]), a_click(), an_item(removed=True)),
    )
    found = columns(state)
    assert math.isnan(found["price"])
    assert math.isnan(found["g_forever_mean"])
    assert found["c_forever"] == 1.0
    assert state.item_priors(START)[0] == []
    state.apply(logged(an_item(price=3.0), 9))
    assert columns(state)["price"] == 3.0
    assert state.item_priors(START)[0] == ["i1"]


def test_fields_are_found_in_item_user_slate_and_context() -> None:
    state = a_state(
        "name: relevancy, kind: number, field: slate.relevancy",
        "name: age, kind: number, field: user.age",
        "name: hour, kind: number, field: context.hour",
        "name: member, kind: boolean, field: user.member",
        events=a_log(a_user(age=33, member=False)),
    )
    found = columns(state, fields={"relevancy": 2.5}, context={"hour": 7})
    assert found == {"relevancy": 2.5, "age": 33.0, "hour": 7.0, "member": 0.0}
    assert all(math.isnan(value) for value in columns(state, user="u2").values())


def test_codes_go_by_first_appearance_in_the_log_and_never_change() -> None:
    state = a_state(
        "name: brand, kind: categories, field: item.brand, max_values: 2",
        "name: device, kind: categories, field: context.device",
        "name: shelf, kind: categories, field: slate.shelf",
        events=a_log(
            an_item("i1", brand="red"),
            an_item("i2", brand=["blue", "red"]),
            an_item("i3", brand="green"),
            a_slate([SlateItem(item="i1", fields={"shelf": "top"})], context={"device": "phone"}),
            a_slate([SlateItem(item="i1", fields={"shelf": 7})], context={"device": "desk"}),
        ),
    )
    assert [columns(state, item)["brand"] for item in ("i1", "i2")] == [0.0, 1.0]
    assert math.isnan(columns(state, "i3")["brand"])
    assert columns(state, context={"device": "desk"}, fields={"shelf": "7"})["device"] == 1.0
    assert columns(state, context={"device": "desk"}, fields={"shelf": "7"})["shelf"] == 1.0
    # Asking teaches nothing.
    assert math.isnan(columns(state, context={"device": "watch"})["device"])
    state.apply(logged(a_slate(context={"device": "tv"}), 99))
    assert columns(state, context={"device": "tv"})["device"] == 2.0


def test_codes_can_be_fixed_by_the_configuration() -> None:
    state = a_state(
        "name: size, kind: categories, field: item.size, values: [s, m, 40, true]",
        events=a_log(
            an_item("i1", size="m"),
            an_item("i2", size=40.0),
            an_item("i3", size=True),
            an_item("i4", size="x"),
        ),
    )
    assert [columns(state, item)["size"] for item in ("i1", "i2", "i3")] == [1.0, 2.0, 3.0]
    assert math.isnan(columns(state, "i4")["size"])


def test_one_hot_gives_a_column_for_each_value() -> None:
    state = a_state(
        "name: genre, kind: categories, field: item.genres, encode: one-hot, values: [crime, comedy]",
        events=a_log(
            an_item("i1", genres=["comedy", "war"]), an_item("i2", genres="crime"), an_item("i3", genres=[])
        ),
    )
    assert columns(state, "i1") == {"genre=crime": 0.0, "genre=comedy": 1.0}
    assert columns(state, "i2") == {"genre=crime": 1.0, "genre=comedy": 0.0}
    assert columns(state, "i3") == {"genre=crime": 0.0, "genre=comedy": 0.0}
    assert all(math.isnan(value) for value in columns(state, "i4").values())


def test_position_is_constant_in_serving() -> None:
    state = a_state("name: place, kind: position, serving: 3", PRICE)
    assert columns(state)["place"] == 3.0
    assert state.view.position_column == 0


def test_age_is_counted_in_days_from_the_first_event_or_a_field_and_never_below_zero() -> None:
    state = a_state(
        "name: since, kind: item_age",
        "name: published, kind: item_age, field: item.published",
        events=[
            logged(a_slate(["i1"]), 1, START),
            logged(an_item("i1", published=(START - 2 * DAY) // 1_000), 2, START + DAY),
            logged(an_item("i2", published="2027-01-15T08:00:00Z"), 3, START + DAY),
            logged(an_item("i3", published=START + 9 * DAY), 4, START + DAY),
            logged(an_item("i4", published="last week"), 5, START + DAY),
        ],
    )
    assert columns(state, "i1", at=START + 3 * DAY) == {"since": 3.0, "published": 5.0}
    assert columns(state, "i2", at=START + 3 * DAY) == {"since": 2.0, "published": 3.0}
    assert columns(state, "i3", at=START + 3 * DAY)["published"] == 0.0
    assert math.isnan(columns(state, "i4", at=START + 3 * DAY)["published"])
    # A time before the newest slate or interaction is that event's.
    assert columns(state, "i1", at=0)["since"] == 0.0
