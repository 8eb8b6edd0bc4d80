"""The state: order, time, forgetting, and what can be asked about it."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from eddyline_contracts.events import ModelPromoted
from eddyline_features import decay, entities, rings
from eddyline_features.kinds import affinity, age
from eddyline_features.state import OutOfOrder, SnapshotError, State
from eddyline_features.values import Values
from eddyline_features.view import Limits, load_view
from tests.support.builders import DAY, START, a_click, a_log, a_slate, a_user, an_item, logged
from tests.unit.features.reading import HEAD, a_state, columns

GENRES = "name: g, kind: rate, by: item.genres, half_lives: [1h]"
PRICE = "name: price, kind: number, field: item.price"


def test_places_only_go_forward() -> None:
    state = a_state(PRICE, events=[logged(an_item(), 5)])
    assert state.sequence == 5
    for sequence in (4, 5):
        with pytest.raises(OutOfOrder):
            state.apply(logged(an_item(), sequence))
    state.advance(8)
    assert state.sequence == 8
    state.advance(8)
    with pytest.raises(OutOfOrder):
        state.advance(7)


def test_the_clock_is_the_newest_event_and_requests_are_never_before_it() -> None:
    state = a_state(PRICE, events=[logged(a_click(), 1, START), logged(a_slate(), 2, START - DAY)])
    assert state.clock == START
    assert state.time_of(None, START + 7) == START + 7
    assert state.time_of(START + 3, START + 7) == START + 3
    assert state.time_of(START - 3, START + 7) == START


def test_history_that_is_imported_today_keeps_its_own_time() -> None:
    """Models are promoted meanwhile, and catalogues often have no times: neither moves the clock."""
    state = a_state(PRICE, "name: since, kind: item_age", events=[logged(a_click("i1"), 1, START)])
    for sequence, event in enumerate((ModelPromoted(model="m", view="v"), an_item("i2"), a_user()), start=2):
        state.apply(logged(event, sequence, START + 900 * DAY))
    assert (state.sequence, state.clock) == (4, START)
    assert columns(state, "i2", at=START)["since"] == 0.0


def test_who_was_longest_without_an_event_is_forgotten_first() -> None:
    view = load_view(HEAD + "  - {name: c, kind: count, half_lives: [1h]}")
    state = State(dataclasses.replace(view, limits=Limits(items=2, users=2)))
    state.apply_all(
        a_log(
            a_click("i1", user="u1"),
            a_click("i2", user="u2"),
            a_click("i1", user="u1"),
            a_click("i3", user="u3"),
        )
    )
    # Asking does not keep anybody in memory.
    state.vectors("u1", None, ["i1"], None, {}, START)
    state.apply(logged(a_click("i4", user="u4"), 9))
    assert list(state.items.rows) == ["i3", "i4"]
    assert list(state.users.rows) == ["u3", "u4"]
    assert state.user("u1") is None


def test_a_thousand_items_are_one_slate() -> None:
    state = a_state(GENRES, events=a_log(a_slate([f"i{n}" for n in range(1_000)])))
    assert state.vectors("u1", None, [f"i{n}" for n in range(1_000)], None, {}, START).shape == (1_000, 1)
    assert state.vectors("u1", None, [], None, {}, START).shape == (0, 1)


def test_the_kernels_own_constants_agree_with_those_of_the_tables() -> None:
    assert (decay.LAST_SEEN, rings._LAST_SEEN) == (entities.LAST_SEEN,) * 2
    assert (rings.GENERATION, affinity._GENERATION) == (entities.GENERATION,) * 2
    assert age._FIRST_SEEN == entities.FIRST_SEEN
    assert affinity._HEAD == rings.HEAD


def test_an_action_without_weight_counts_for_nothing() -> None:
    features = (GENRES, "name: a, kind: affinity, field: item, half_lives: [1h]")
    head = HEAD.replace("buy: 5", "look: 0")
    looked = a_state(*features, head=head, events=a_log(a_slate(["i1"]), a_click("i1", action="look")))
    unheard = a_state(*features, head=head, events=a_log(a_slate(["i1"]), a_click("i1", action="unheard of")))
    assert columns(looked)["a_1h_passed"] > 0.0
    assert looked.snapshot() == unheard.snapshot()


def test_codes_of_values_are_reused_when_no_item_has_them() -> None:
    values = Values(2, n_fields=2, n_counters=1)
    assert [values.use(0, "a"), values.use(1, "a"), values.use(0, "a")] == [0, 1, 0]
    assert values.use(0, "b") == -1
    assert values.n_refused == 1
    values.release(1)
    values.counters[1] = 7.0
    assert values.use(1, "a") == 1
    assert values.counters[1] == 7.0
    values.release(1)
    assert values.use(0, "b") == 1
    assert values.counters[1] == 0.0
    assert values.codes == [{"a": 0, "b": 1}, {}]


def test_items_and_users_can_be_described_in_json() -> None:
    state = a_state(
        PRICE,
        GENRES,
        "name: n, kind: count, half_lives: [forever]",
        "name: age, kind: number, field: user.age",
        "name: brand, kind: categories, field: item.brand",
        events=a_log(
            an_item("i1", price=2.0, genres=["x", "\x00"], brand="acme"),
            a_user("u1", age=3),
            a_slate(["i1", "i2"]),
            a_click("i1"),
        ),
    )
    item = state.item("i1")
    assert item is not None
    assert json.loads(json.dumps(item)) == item
    assert item["fields"] == {"price": 2.0, "brand": "acme", "genres": ["x", "\x00"]}
    assert item["counts"]["buy+click_forever"] == 1.0
    assert item["removed"] is False
    assert (item["first_seen"], item["last_seen"]) == (START, START + 3_000)
    user = state.user("u1")
    assert user is not None
    assert json.loads(json.dumps(user)) == user
    assert user["fields"] == {"age": 3.0}
    assert user["acted"] == [{"item": "i1", "action": "click", "occurred_at": START + 3_000}]
    assert user["shown"] == 2
    assert state.item("i9") is None
    assert state.user("u9") is None


def test_a_snapshot_of_another_view_or_format_is_refused_with_the_remedy() -> None:
    raw = a_state(PRICE, events=a_log(an_item())).snapshot()
    with pytest.raises(SnapshotError, match=r"is of view test-\w+, not of test-\w+: fold the log"):
        State.restore(a_state(GENRES).view, raw)
    with pytest.raises(SnapshotError, match="no snapshot"):
        State.restore(a_state(PRICE).view, b"")
    with pytest.raises(SnapshotError, match="another format"):
        State.restore(a_state(PRICE).view, b"eddyline-fold-0\n" + raw[16:])
    with pytest.raises(SnapshotError, match="damaged or cut short"):
        State.restore(a_state(PRICE).view, raw[:-1])


def test_a_snapshot_weighs_what_is_in_use() -> None:
    assert len(a_state(PRICE, GENRES).snapshot()) < 1_000
    raw = a_state(PRICE, events=a_log(*(an_item(f"i{n}") for n in range(100)))).snapshot()
    assert len(raw) < 100 * 100


def test_vectors_are_rows_of_float32() -> None:
    state = a_state(PRICE, GENRES, events=a_log(an_item(price=1.5)))
    vectors = state.vectors(None, "s", ["i1", "?"], None, {}, START)
    assert vectors.dtype == np.float32
    assert vectors.flags.c_contiguous
    assert vectors[0, 0] == 1.5
    assert np.isnan(vectors[1]).all()
