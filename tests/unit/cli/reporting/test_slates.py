"""What became of lists: joined as in training, and those counted that train nothing."""

from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pytest

from eddyline_cli.reporting.figures.by_policy import by_policy
from eddyline_cli.reporting.figures.by_source import by_source
from eddyline_cli.reporting.serving import (
    CHOSEN,
    CHOSEN_WITHOUT,
    EARLIER,
    RANDOMISED,
    SERVED,
    WITHOUT,
    by_kind,
)
from eddyline_cli.reporting.slates import CLIENT, Shown, SlateReader, labels_of
from eddyline_cli.reporting.told import DecisionTold
from eddyline_contracts.events import SHUFFLED, ItemUpserted, SlateServed
from eddyline_contracts.record import Logged, decode_record
from eddyline_features.view import View, load_view
from eddyline_learning.joining import Joiner
from eddyline_learning.labels import Labelling
from tests.support.a_log import a_click, a_log, a_slate, an_item
from tests.support.serving import fixture_log, fixture_view

VIEW = load_view(
    """
view: shop
actions: {click: 1, buy: 5}
label_window: 10s
features:
  - {name: clicks, kind: rate, by: item, half_lives: [1h]}
"""
)


def read(view: View, *events: Logged, at_once: int = 1_000) -> tuple[SlateReader, list[Shown]]:
    reader = SlateReader(view)
    for first in range(0, len(events), at_once):
        reader.read(events[first : first + at_once])
    return reader, reader.finish()


def test_a_list_has_the_gains_of_what_people_did_with_it() -> None:
    _, (first, second) = read(
        VIEW,
        *a_log(
            a_slate("s1", ["a", "b", "c"], at=0),
            a_click("b", slate="s1", at=1_000),
            a_click("b", slate="s1", at=2_000, action="buy"),
            a_click("b", slate="s1", at=2_500, action="sneeze"),
            a_slate("s2", ["a", "d"], at=3_000, user="v"),
            a_click("c", slate="s1", at=60_000),
        ),
    )
    assert labels_of(first).tolist() == [0, 5, 0]
    assert (first.clicked, first.value, first.person, first.policy) == (True, 5.0, "u", CLIENT)
    assert (second.clicked, second.value, second.person) == (False, 0.0, "v")
    assert first.ripe
    assert second.ripe
    assert first.items[0] == second.items[0]


def test_a_click_that_overtook_its_list_counts() -> None:
    _, (shown,) = read(VIEW, *a_log(a_click("a", slate="s1", at=1_000), a_slate("s1", ["a", "b"], at=900)))
    assert shown.clicked


def test_lists_that_train_nothing_are_counted_all_the_same() -> None:
    blind = msgspec.structs.replace(a_slate("s1", ["a", "b"], at=0), policy="bundle-priors", model="m")
    late = a_slate("s2", ["a", "b"], at=100_000, features_sequence=1)
    reader, found = read(
        VIEW,
        *a_log(
            blind, a_click("b", slate="s1", at=1_000), a_click("x", at=50_000), a_click("y", at=99_000), late
        ),
    )
    assert [(each.policy, each.clicked) for each in found] == [("bundle-priors", True), ("greedy", False)]
    assert reader.left_out == {}


def test_what_may_still_be_clicked_is_marked() -> None:
    _, found = read(VIEW, *a_log(a_slate("s1", ["a"], at=0), a_slate("s2", ["a"], at=10_500)))
    assert [each.ripe for each in found] == [True, False]


def test_the_catalogue_knows_what_was_taken_out() -> None:
    gone = ItemUpserted(id="r", occurred_at=3, item="b", removed=True)
    reader, _ = read(VIEW, *a_log(an_item("a", at=1), an_item("b", at=2), gone, a_slate("s", ["c"], at=4)))
    assert set(reader.items) == {"a", "b", "c"}
    assert reader.removed == {"b"}
    reader.know(an_item("b", at=5))
    assert reader.removed == set()


@pytest.mark.parametrize("at_once", [1, 7, 1_000])
async def test_labels_are_those_that_the_trainer_learns_from(at_once: int) -> None:
    view, log = fixture_view(), fixture_log()
    events = [
        decode_record(record) async for batch in log.read(0, await log.last()) for record in batch.records
    ]
    _, found = read(view, *events, at_once=at_once)
    slates = [logged for logged in events if isinstance(logged.event, SlateServed)]
    assert len(found) == len(slates) == 200
    joiner = Joiner(Labelling(view.learning.objective, view.actions), view.label_window_ms)
    for logged in events:
        joiner.apply(logged)
    joiner.finish()
    theirs = sorted(sum(slate.labels.values()) for slate in joiner.complete)
    assert theirs
    assert theirs == sorted(each.value for each in found if each.clicked)


def shown(model: str | None, at: int, policy: str = "greedy") -> Shown:
    return Shown(at, model, policy, "u", np.zeros(1, np.int32), {}, None)


def promoted(model: str, at: int) -> DecisionTold:
    return DecisionTold(
        at_ms=at,
        challenger=model,
        opponent="x",
        outcome="promote",
        reason="",
        n=1,
        mean=0.0,
        lower=None,
        upper=None,
        delta=None,
        against_champion=True,
    )


def test_a_model_that_was_replaced_long_ago_is_an_earlier_one() -> None:
    lists = [
        shown(None, 0, "live-priors"),
        shown("m1", 2_000),
        shown("m1", 30_500),
        shown("m1", 60_000),
        shown("m2", 60_000),
        shown("m2", 61_000, SHUFFLED),
    ]
    found = by_kind(lists, [promoted("m1", 1_000), promoted("m2", 30_000)])
    assert {kind: [(each.model, each.recorded_at) for each in of] for kind, of in found.items()} == {
        SERVED: [("m1", 2_000), ("m1", 30_500), ("m2", 60_000)],
        EARLIER: [("m1", 60_000)],
        RANDOMISED: [("m2", 61_000)],
        WITHOUT: [(None, 0)],
    }
    assert set(by_kind([shown("m0", 5)], [])) == {SERVED}


def test_lists_that_were_chosen_stand_apart_from_those_that_clients_brought() -> None:
    brought = [shown("m1", at) for at in range(3)]
    chosen = [dataclasses.replace(shown("m1", at), sources=b"\x00") for at in range(3, 5)]
    first = dataclasses.replace(shown(None, 0, "live-priors"), sources=b"\x00")
    told = {SERVED: brought, CHOSEN: chosen, CHOSEN_WITHOUT: [first]}
    assert by_kind([first, *brought, *chosen], []) == told
    assert by_kind(chosen, []) == {SERVED: chosen}
    plate = by_policy([*brought, *chosen])
    assert [row[2:4] for row in plate.rows] == [["no", "3"], ["yes", "2"]]
    assert "stand apart" in plate.says
    assert "stand apart" not in by_policy(brought).says


def found_by(slate: SlateServed, *sources: str | None) -> SlateServed:
    items = [
        msgspec.structs.replace(item, source=source)
        for item, source in zip(slate.items, sources, strict=True)
    ]
    return msgspec.structs.replace(slate, items=items)


def test_each_source_of_retrieval_has_its_share_and_its_click_rate() -> None:
    events = []
    for number in range(20):
        name, at, user = f"s{number}", 1_000 * number, f"u{number % 5}"
        slate = a_slate(name, ["a", "b", "c"], at=at, user=user)
        sources = ("popular", "popular", "new") if number % 2 else ("popular", None, "co_visitation")
        events += [found_by(slate, *sources), a_click("c", slate=name, at=at + 1, user=user)]
    reader, shown = read(VIEW, *a_log(*events, a_slate("mine", ["a"], at=50_000), a_click("a", at=90_000)))
    plate = by_source(shown, reader.sources)
    assert plate is not None
    told = {row[0]: row[2:5] for row in plate.rows}
    assert told == {
        "popular": ["30", "60.0%", "0.0%"],
        "co_visitation": ["10", "20.0%", "100.0%"],
        "new": ["10", "20.0%", "100.0%"],
    }
    assert by_source([each for each in shown if each.sources is None], reader.sources) is None


def test_a_client_may_write_any_number_of_sources() -> None:
    slates = [
        found_by(a_slate(f"s{number}", ["a", "b"], at=number), f"x{number}", "popular")
        for number in range(400)
    ]
    reader, shown = read(VIEW, *a_log(*slates))
    assert len(reader.sources) == 255
    plate = by_source(shown, reader.sources)
    assert plate is not None
    assert plate.rows[0][:3] == ["popular", "popular lately", "400"]
    assert len(plate.rows) == 12
