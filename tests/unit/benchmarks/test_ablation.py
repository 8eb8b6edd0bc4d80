"""Pseudo-slates hold nothing that came later, and a group of features is left out without changing the others."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import numpy as np
import pytest

from benchmarks.ablation.groups import Grouped
from benchmarks.ablation.pseudo_slates import Act, Written, with_slates
from benchmarks.ablation.retrieval import Recent
from benchmarks.ablation.simulated_log import START_MS, world_log
from benchmarks.ablation.simulator import once
from benchmarks.ablation.tables import Table
from benchmarks.ablation.taken import Given, Taking
from eddyline_contracts.events import InteractionRecorded, ItemUpserted, SlateServed
from eddyline_contracts.record import Logged
from eddyline_features.state import State

N_ITEMS, BEGINS, SCORED_FROM = 40, 5_000, 20_000


def some_acts(seed: int, n: int = 400) -> list[Act]:
    """People who act on ever newer items, one act every 100 ms."""
    rng = random.Random(seed)
    return [
        Act(
            100 * k, f"u{rng.randrange(12)}", "visit", f"i{rng.randrange(4 + k * (N_ITEMS - 4) // n)}", "VIEW"
        )
        for k in range(n)
    ]


def logged(acts: list[Act], written: Written | None = None, n_candidates: int = 8) -> list[Logged]:
    return list(
        with_slates(
            acts,
            N_ITEMS,
            begins=BEGINS,
            scored_from=SCORED_FROM,
            every=1,
            written=written or Written(),
            n_candidates=n_candidates,
        )
    )


@pytest.mark.parametrize("n", [60, 199, 200, 201, 350])
def test_what_comes_later_changes_no_slate(n: int) -> None:
    acts = some_acts(1)
    before = logged(acts[:n])
    assert logged(acts)[: len(before)] == before


def test_candidates_were_known_before_and_new_to_the_person() -> None:
    acted: dict[str, set[str]] = {}
    known: set[str] = set()
    log = logged(some_acts(2))
    n_slates = 0
    for entry, following in pairwise([*log, log[-1]]):
        event = entry.event
        if isinstance(event, SlateServed):
            n_slates += 1
            wanted = following.event
            assert isinstance(wanted, InteractionRecorded)
            assert wanted.user == event.user
            items = {shown.item for shown in event.items}
            assert items <= known
            assert not items & acted.get(event.user or "", set())
            assert [shown.item for shown in event.items] == sorted(items)
        else:
            assert isinstance(event, InteractionRecorded)
            known.add(event.item)
            acted.setdefault(event.user or "", set()).add(event.item)
    assert n_slates > 150


def test_a_miss_stays_a_miss() -> None:
    written = Written()
    log = logged(some_acts(3), written)
    n_slates = {True: 0, False: 0}
    n_found = {True: 0, False: 0}
    for entry, following in pairwise(log):
        if isinstance(entry.event, SlateServed):
            wanted = following.event
            assert isinstance(wanted, InteractionRecorded)
            has_it = wanted.item in {shown.item for shown in entry.event.items}
            assert wanted.slate == (entry.id if has_it else None)
            scored = entry.occurred_at >= SCORED_FROM
            n_slates[scored] += 1
            n_found[scored] += has_it
    assert (written.n_trained, written.n_scored, written.n_found) == (
        n_found[False],
        n_slates[True],
        n_found[True],
    )
    assert 0 < written.n_found < written.n_scored
    assert 0 < written.n_trained < n_slates[False]


def test_popularity_of_long_ago_fades_and_does_not_overflow() -> None:
    recent = Recent(half_life_ms=1_000, n_items=3)
    for _ in range(3):
        recent.add(0, 10)
    recent.add(1, 2_100)
    assert recent.best(3) == [1, 0]  # 3 × 2^-2.09 is less than 1.
    recent.add(2, 10**12)
    recent.add(1, 10**12 + 2_000)
    assert recent.best(3)[:2] == [1, 2]


def test_vectors_that_were_taken_once_are_those_of_a_smaller_view() -> None:
    log = list(world_log(1, turns_s=[2.0], end_s=4.0))
    grouped = once().grouped
    small = grouped.view(["item fields", "trend", "tastes", "online model", "sequence"], seed=1)
    everything, own = Taking(State(grouped.view(grouped.groups, seed=1))), State(small)
    given = Given(State(small), everything, small.columns)
    n_compared = 0
    for entry in log:
        event = entry.event
        if isinstance(event, SlateServed):
            items = [shown.item for shown in event.items]
            _, vectors, again = (
                fold.vectors(event.user, event.session, items, None, {}, entry.occurred_at)
                for fold in (everything, own, given)
            )
            assert again.tobytes() == vectors.tobytes()
            n_compared += bool(np.isfinite(vectors).any())
        for fold in (everything, own, given):
            fold.apply_all([entry])
    assert n_compared > 100


def test_lists_and_clicks_are_in_order_and_the_taste_turns_and_turns_back() -> None:
    log = list(world_log(1, turns_s=[20.0, 40.0], end_s=60.0))
    assert all(first.occurred_at <= then.occurred_at for first, then in pairwise(log))
    assert len({entry.id for entry in log}) == len(log)
    items = [entry.event for entry in log if isinstance(entry.event, ItemUpserted)]
    prices = {item.item: item.fields["price"] for item in items}
    when = {entry.id: entry.occurred_at for entry in log}
    when_cheap: list[float] = []
    when_dear: list[float] = []
    for entry in log:
        if isinstance(entry.event, InteractionRecorded):
            assert entry.event.slate is not None
            shown_at = when[entry.event.slate]
            assert entry.occurred_at > shown_at
            cheap = not START_MS + 20_000 <= shown_at < START_MS + 40_000
            (when_cheap if cheap else when_dear).append(math.log(prices[entry.event.item]))
    assert np.mean(when_cheap) + 0.5 < np.mean(when_dear)


def test_what_reads_a_column_that_is_left_out_is_left_out_too() -> None:
    rate = {"name": "rate", "kind": "rate", "by": "item", "half_lives": ["1h", "7d"]}
    beside = {"name": "beside", "kind": "relative", "field": "column.rate_7d", "outputs": "slate_z"}
    price = {"name": "price", "kind": "number", "field": "item.price"}
    settings = {"view": "a", "label_window": "1m", "actions": {"click": 1}, "online": {"rule": "sgd"}}
    grouped = Grouped(settings, {"rates": [rate], "beside": [beside], "fields": [price]})
    assert grouped.view(["beside", "rates"], 1).columns == ["rate_1h", "rate_7d", "beside_slate_z"]
    assert grouped.view(["beside", "fields"], 1).columns == ["price"]
    with pytest.raises(KeyError, match="no such"):
        grouped.view(["no such"], 1)


def test_rows_are_compared_slate_by_slate_with_the_first() -> None:
    table = Table("views")
    table.add("all", 2, {"HR": np.array([1.0, 0.0, 1.0, np.nan])})
    table.add("less", 1, {"HR": np.array([0.0, 0.0, 0.5, np.nan])})
    first, less = table.markdown().splitlines()[2:]
    assert first == "| all | 2 | 0.6667 |  |"
    # Differences -1, 0 and -0.5: their mean, and 0.5 / √3.
    assert less == "| less | 1 | 0.1667 | -0.5000 ± 0.2887 |"
