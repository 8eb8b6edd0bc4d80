"""How good orders are for whom little is known: counts are those of the log before, and bands hold all of it."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pytest

from eddyline_contracts.events import InteractionRecorded, SlateServed
from eddyline_contracts.record import Logged
from eddyline_eventlog.admission import Offline
from eddyline_features.state import State
from eddyline_learning.cold_start import ITEMS, USERS, Acquaintance, in_bands
from eddyline_learning.metrics import mean_of
from eddyline_learning.next_item.evaluation import NextItem
from eddyline_learning.prequential import Prequential
from eddyline_learning.scored import CHAMPION, ScoredSlates
from eddyline_learning.warmup import Warmup
from eddyline_runtime.cost import Energy, Meter
from tests.support.next_items import MINUTE, START, a_history, a_view
from tests.support.serving import DATA, fixture_view


def person(event: InteractionRecorded | SlateServed) -> str | None:
    return event.session if event.user is None else event.user


def acts_before(log: Sequence[Logged], sequence: int, who: str | None) -> int:
    """Interactions of a person, counted one by one."""
    return sum(
        isinstance(each.event, InteractionRecorded) and person(each.event) == who
        for each in log
        if each.sequence < sequence
    )


def test_a_slates_counts_are_those_of_the_log_before_it() -> None:
    intake = Offline()
    taken = [intake.take_decoded(line) for line in (DATA / "events.jsonl").read_bytes().splitlines()]
    log = [each for each in taken if each is not None]
    view = fixture_view()
    run = Prequential(
        view,
        State(view),
        Warmup(n_slates=150),
        seed=1,
        now=time.perf_counter,
        cpu=time.process_time,
        meter=lambda: Meter(Energy()),
    )
    run.read(log)
    slates = run.finish().slates
    at = {each.id: each for each in log if isinstance(each.event, SlateServed)}
    assert len(slates) == 50
    for name, acts, impressions in zip(slates.ids, slates.interactions, slates.impressions, strict=True):
        served = at[name].event
        assert isinstance(served, SlateServed)
        assert acts == acts_before(log, at[name].sequence, person(served))
        shown = [
            sum(
                isinstance(each.event, SlateServed) and item in {of.item for of in each.event.items}
                for each in log
                if each.sequence < at[name].sequence
            )
            for item in (of.item for of in served.items)
        ]
        assert sorted(shown) == sorted(impressions.tolist())
    cold = slates.cold_start("rank", 10)
    assert sum(band.n for band in cold.users) == len(slates)
    assert {name for band in cold.users for name in band.measured[CHAMPION]} == {"ndcg@10", "mrr@10", "hr@10"}


def test_an_interactions_counts_are_those_of_the_log_before_it() -> None:
    log = a_history(300)
    run = NextItem(
        a_view(),
        Warmup(until=START + 200 * MINUTE),
        repeats=True,
        sync_ms=0,
        now=time.perf_counter,
        cpu=time.process_time,
        meter=lambda: Meter(Energy()),
    )
    run.read(log)
    measured = run.finish([10]).measured
    assert len(measured.of) > 80
    for meeting in measured.of:
        here = log[meeting.sequence // 2 - 1]
        assert isinstance(here.event, InteractionRecorded)
        assert meeting.interactions == acts_before(log, here.sequence, here.event.user)
        met = [e for e in log[: here.sequence - 1] if getattr(e.event, "item", None) == here.event.item]
        assert meeting.impressions == len(met)
    cold = measured.cold_start()
    whole = measured.metrics()[CHAMPION]["hr@10"].mean
    for bands in (cold.users, cold.items):
        assert sum(band.n for band in bands) == len(measured.of)
        parts = [band.measured[CHAMPION]["hr@10"].mean * band.n for band in bands if band.n]
        assert sum(parts) / len(measured.of) == pytest.approx(whole)
    # Nobody can propose what nobody has met.
    assert cold.items[0].measured[CHAMPION]["hr@10"].mean == 0.0


def test_a_slate_says_of_each_band_of_items_where_those_of_it_stand() -> None:
    slates = ScoredSlates()
    for name in slates.scores:
        slates.scores[name] = []
    scores = np.array([0.1, 0.9, 0.9, 0.5])
    labels = np.array([1.0, 0.0, 2.0, 1.0], np.float32)
    met = np.array([0, 7, 0, 3], np.int32)
    slates.add("s", dict.fromkeys(slates.scores, scores), labels, interactions=2, impressions=met)
    slates.add("t", dict.fromkeys(slates.scores, scores), labels * 0, interactions=9, impressions=met)
    cold = slates.cold_start("rank", 3)
    new, few, many = (band.measured[CHAMPION] for band in cold.items)
    # Rows 0 and 2 are new: at places 4 and 2, and the fourth is beyond 3.
    assert new["hr@3"].mean == 0.5
    assert new["mrr@3"].mean == pytest.approx((0 + 1 / 2) / 2)
    assert new["ndcg@3"].mean == pytest.approx((0 + 1 / np.log2(3)) / 2)
    assert few["mrr@3"].mean == pytest.approx(1 / 3)
    assert few["mrr@3"].n == 1
    assert many["mrr@3"].n == 0
    assert [band.n for band in cold.items] == [1, 1, 0]
    assert [(band.name, band.n) for band in cold.users] == [
        ("0", 0),
        ("1", 0),
        ("2 to 4", 1),
        ("5 or more", 1),
    ]


def test_bands_hold_everything_once() -> None:
    met = np.arange(12, dtype=np.int32)
    for begins in (USERS, ITEMS):
        bands = in_bands(
            met, begins, lambda among: (int(among.sum()), {"x": {"m": mean_of(among.astype(np.float64))}})
        )
        assert sum(band.n for band in bands) == len(met)
        assert [band.least for band in bands] == list(begins)


def test_who_has_no_account_is_known_by_the_visit() -> None:
    met = Acquaintance(acts_show=True)
    told = InteractionRecorded(id="e", session="v1", item="i1")
    met.add([Logged(1, "e", 1, 1, told)])
    assert met.interactions(None, "v1") == 1
    assert met.interactions("u1", "v1") == 0
    assert met.interactions(None, None) == 0
    assert met.impressions(["i1", "i2"]).tolist() == [1, 0]
