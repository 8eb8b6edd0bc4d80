"""Models are made and compared at places that the log decides, the same whoever reads it and in whatever pieces."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec import json

from eddyline_contracts.bundle import Bundle, decode_bundle, encode_bundle
from eddyline_contracts.events import (
    SHUFFLED,
    InteractionRecorded,
    ModelPromoted,
    ModelRolledBack,
    SlateServed,
    UserUpserted,
)
from eddyline_contracts.record import Logged, Record, decode_record
from eddyline_features.state import State
from eddyline_features.view import Gate, View, load_view
from eddyline_learning.boosters import Abandoned
from eddyline_learning.challenger import Challenger
from eddyline_learning.cycle import BY_HAND, Cut, KnownCut, KnownDiffers, Learner
from eddyline_learning.scoring import OnnxScorer

DATA = Path(__file__).parents[2] / "data"
REASONS = {"rebuild": "growth", "refit+extend": "new examples", "compact": "tail full"}
GENEROUS = Gate(delta=1.0, min_slates=10)
"""Promotes whatever was compared at all."""


@pytest.fixture(scope="module")
def view() -> View:
    view = load_view((DATA / "eddyline.yaml").read_text())
    learning = dataclasses.replace(view.learning, learn_every=20, gate=GENEROUS)
    return dataclasses.replace(view, learning=learning)


@pytest.fixture(scope="module")
def log() -> list[Logged]:
    lines = (DATA / "events.jsonl").read_bytes().splitlines()
    records = [Record(n, json.decode(line)["id"], "", 2**51, 2**51, line) for n, line in enumerate(lines, 1)]
    return [decode_record(record) for record in records]


@dataclasses.dataclass
class Stop:
    """What happened at a cut."""

    cut: Cut
    made: Challenger | None
    champion: str | None
    state: dict[str, Any]
    decisions: list[Any]

    @property
    def known(self) -> KnownCut:
        """As a trainer remembers it."""
        model = None if self.made is None else self.made.bundle.model
        told = json.decode(json.encode(self.state))
        return KnownCut(self.cut.number, self.cut.sequence, model, told)


def stops_of(
    view: View, log: list[Logged], step: int, learner: Learner | None = None
) -> Iterator[tuple[Learner, Stop]]:
    """Read the log in pieces of ``step`` events and do all that is due."""
    learner = learner or Learner(view, State(view))
    at = 0
    while at < len(log):
        at += learner.ahead(log[at : at + step])
        learner.behind([e for e in log if learner.fold_sequence < e.sequence <= learner.fold_until])
        learner.collect()
        cut = learner.cut
        if cut is None:
            continue
        assert learner.ahead(log[at:]) == 0, "it stands at the cut until that is done with"
        if learner.is_known:
            learner.recall()
            continue
        learner.judge()
        made = None
        if learner.plan is None:
            learner.pass_over()
        else:
            # No clock: what is made must not differ by how long it took.
            made = learner.make(lambda: 0.0)
            learner.adopt(made)
        yield learner, Stop(cut, made, learner.champion_name, learner.state, learner.decisions)


def bundles_of(view: View, log: list[Logged], step: int) -> list[Bundle]:
    return [stop.made.bundle for _, stop in stops_of(view, log, step) if stop.made is not None]


def test_how_the_log_is_read_changes_no_bit_of_any_bundle_and_no_decision(
    view: View, log: list[Logged]
) -> None:
    whole = [stop for _, stop in stops_of(view, log, len(log))]
    assert sum(stop.made is not None for stop in whole) >= 4
    assert any(decision.outcome == "promote" for stop in whole for decision in stop.decisions)
    for step in (1, 37):
        pieces = [stop for _, stop in stops_of(view, log, step)]
        assert pieces == whole


def test_a_cycle_comes_with_the_first_slates_and_then_at_each_so_many_more(
    view: View, log: list[Logged]
) -> None:
    seen = []
    for learner, _ in stops_of(view, log, 100):
        seen.append((learner.examples.joiner.n_positive, learner.examples.joiner.n_complete))
    assert seen[0][0] == view.learning.min_slates
    for (_, before), (_, after) in itertools.pairwise(seen):
        assert 20 <= after - before < 30


def test_a_cycle_may_come_by_the_events_clock(view: View, log: list[Logged]) -> None:
    every = 5 * 60_000
    learning = dataclasses.replace(view.learning, learn_every=None, learn_every_ms=every)
    timed = dataclasses.replace(view, learning=learning)
    at = [
        max(e.occurred_at for e in log[: stop.cut.sequence] if not isinstance(e.event, ModelPromoted))
        for _, stop in stops_of(timed, log, 100)
    ]
    assert len(at) >= 3
    for before, after in itertools.pairwise(at):
        assert after - before >= every


def test_the_champion_goes_on_and_is_made_anew_when_the_examples_have_grown_or_the_tail_is_full(
    view: View, log: list[Logged]
) -> None:
    learning = dataclasses.replace(view.learning, extend_trees=3, tail=3, replay=100, growth=2.0)
    small = dataclasses.replace(view, learning=learning)
    strategies = []
    for learner, stop in stops_of(small, log, 100):
        if stop.made is None:
            continue
        made = stop.made.made
        assert made is not None
        strategies.append(made.strategy)
        assert made.tail <= 3
        assert made.n_trees <= small.learning.trees + 3
        assert (made.parent is None) == (made.strategy in ("rebuild", "compact"))
        assert (made.tail > 0) == (made.strategy == "refit+extend")
        assert stop.made.bundle.metrics["made"]["reason"] == REASONS[made.strategy]
        rows = learner.store.table().vectors
        assert stop.made.fitted.raw_scores(rows).tobytes() == (
            OnnxScorer(stop.made.bundle.onnx).raw_scores(rows).tobytes()
        )
    assert set(REASONS) == set(strategies)


def test_categories_keep_their_codes_while_new_ones_arrive_between_two_cycles(
    view: View, log: list[Logged]
) -> None:
    first, second = (stop.cut.sequence for _, stop in itertools.islice(stops_of(view, log, 100), 2))
    # Before the second cut, everybody moves to a country of their own, whose name comes before all others.
    slates = [logged for logged in log if isinstance(logged.event, SlateServed)]
    people = sorted({str(slate.event.user) for slate in slates})
    longer = log
    for n, person in enumerate(people):
        event = UserUpserted(user=person, fields={"country": f"aa-{n}"})
        longer = with_event(longer, first + (second - first) // 3, event, f"moved-{n}")
    country: dict[str, str] = {}
    of_slate: dict[int, str] = {}
    for logged in longer:
        if isinstance(logged.event, UserUpserted) and "country" in logged.event.fields:
            country[logged.event.user] = str(logged.event.fields["country"])
        elif isinstance(logged.event, SlateServed) and logged.event.user in country:
            of_slate[logged.sequence] = country[logged.event.user]
    column = view.columns.index("country")
    stops = list(stops_of(view, longer, 100))
    learner, before = stops[-1][0], stops[0][1].made
    assert before is not None
    codes: dict[str, set[float]] = {}
    table = learner.store.table()
    firsts = np.cumsum(table.sizes) - table.sizes
    for sequence, row in zip(table.sequences.tolist(), firsts, strict=True):
        if sequence in of_slate:
            codes.setdefault(of_slate[sequence], set()).add(float(table.vectors[row, column]))
    assert all(len(of_one) == 1 for of_one in codes.values()), codes
    assert len({code for of_one in codes.values() for code in of_one}) == len(codes)
    assert sum(name.startswith("aa-") for name in codes) >= 5
    assert sum(not name.startswith("aa-") for name in codes) >= 3
    # And what the first model has learnt of the codes of its time is what the log without the new ones teaches.
    other = next(stop.made for _, stop in stops_of(view, log, 100))
    assert other is not None
    assert before.booster == other.booster


def test_a_bundle_tells_what_it_is_and_where_it_comes_from(view: View, log: list[Logged]) -> None:
    champion = None
    for learner, stop in stops_of(view, log, 100):
        if stop.made is not None:
            bundle = stop.made.bundle
            assert bundle.view == view.id
            assert bundle.features == view.columns
            assert bundle.parent == stop.champion
            slates = {e.sequence for e in log if isinstance(e.event, SlateServed)}
            assert {bundle.first_sequence, bundle.last_sequence} <= slates
            assert bundle.last_sequence < stop.cut.sequence
            # Of items that were removed in between, none is left.
            assert learner.fold_sequence < bundle.priors_sequence == stop.cut.sequence
            priors = np.frombuffer(bundle.prior_scores, "<f4")
            assert len(priors) == len(bundle.prior_items) > 50
            assert (priors >= 0).all()
            assert decode_bundle(encode_bundle(bundle)) == bundle
            scores = OnnxScorer(bundle.onnx).raw_scores(learner.store.table().vectors)
            assert len(set(scores.tolist())) > 10
            if champion is not None and stop.champion == champion:
                assert 0 < bundle.metrics["ndcg@10"]["champion"]["mean"] <= 1
        champion = stop.champion
    assert champion is not None


def test_no_model_is_champion_before_it_was_compared_on_slates_after_its_own(
    view: View, log: list[Logged]
) -> None:
    made_at: dict[str, int] = {}
    n_promotions = 0
    for learner, stop in stops_of(view, log, 100):
        for decision in stop.decisions:
            if decision.outcome == "promote":
                n_promotions += 1
                seen_since = learner._n_collected - made_at[decision.challenger]
                assert view.learning.gate.min_slates <= decision.n <= seen_since
        if stop.made is not None:
            made_at[stop.made.bundle.model] = learner._n_collected
    assert n_promotions >= 2


@pytest.mark.parametrize("n_known", [1, 3, 5])
def test_who_goes_on_from_what_is_known_comes_to_the_same(
    view: View, log: list[Logged], n_known: int
) -> None:
    whole = [stop for _, stop in stops_of(view, log, 100)]
    models = {stop.made.bundle.model: stop.made for stop in whole if stop.made is not None}
    asked: list[str] = []

    def fetch(model: str) -> Challenger | None:
        asked.append(model)
        return models.get(model)

    known = [stop.known for stop in whole[:n_known]]
    for earlier in range(len(known) - 1):
        known[earlier] = dataclasses.replace(known[earlier], state=None)
    learner = Learner(view, State(view), known=known, fetch=fetch)
    rest = [stop for _, stop in stops_of(view, log, 61, learner)]
    assert rest == whole[n_known:]
    # Of the models before, only those that are still compared are loaded.
    live = json.decode(json.encode(whole[n_known - 1].state))["contest"]["evidence"]["models"]
    assert set(asked) <= set(live)


def as_our_own(view: View, log: list[Logged]) -> list[Logged]:
    """The log as if a ranker had ordered its slates, a third of them by chance."""
    ours = []
    for logged in log:
        event = logged.event
        if isinstance(event, SlateServed):
            n = len(event.items) if logged.sequence % 3 == 0 else 0
            event = msgspec.structs.replace(
                event,
                items=[msgspec.structs.replace(item, propensity=1 / n if n else 1.0) for item in event.items],
                policy=SHUFFLED if n else "greedy",
                features_sequence=logged.sequence - 1,
                view=view.id,
            )
        ours.append(Logged(logged.sequence, logged.id, logged.occurred_at, logged.recorded_at, event))
    return ours


def test_how_people_look_at_our_slates_is_a_function_of_the_log_and_shapes_what_is_learnt(
    view: View, log: list[Logged]
) -> None:
    ours = as_our_own(view, log)
    whole = [stop for _, stop in stops_of(view, ours, len(ours))]
    assert whole[-1].state["judge"]["examination"]["power"] > 0.0
    models = {stop.made.bundle.model: stop.made for stop in whole if stop.made is not None}
    known = [stop.known for stop in whole[:3]]
    learner = Learner(view, State(view), known=known, fetch=models.get)
    assert [stop for _, stop in stops_of(view, ours, 61, learner)] == whole[3:]
    plain = dataclasses.replace(view, learning=dataclasses.replace(view.learning, position_bias="none"))
    boosters = [
        [stop.made.booster for stop in stops if stop.made is not None]
        for stops in (whole, [stop for _, stop in stops_of(plain, ours, 100)])
    ]
    assert boosters[0] != boosters[1]


def test_ratings_without_slates_are_learnt_from_the_same_in_pieces_and_after_a_restart() -> None:
    view = load_view("""
view: stars
label_window: 10m
actions: {rating: {weight: 1, values: [1, 5]}}
online: {target: value, factors: 4}
features:
  - {name: online, kind: online_score}
  - {name: mine, kind: rate, by: user, actions: rating, per: rating, value: true, half_lives: 6h}
learning: {objective: rating, trees: 10, leaves: 7, min_slates: 100, learn_every: 100, gate: {delta: 1, min_slates: 10}}
""")
    rng, log = np.random.default_rng(1), []
    for n in range(1, 500):
        user, item = int(rng.integers(20)), int(rng.integers(15))
        stars = float(1 + (user * item + int(rng.integers(2))) % 5)
        event = InteractionRecorded(user=f"u{user}", item=f"i{item}", action="rating", value=stars)
        log.append(Logged(n, f"e{n}", 60_000 * n, 60_000 * n, event))
    whole = [stop for _, stop in stops_of(view, log, len(log))]
    assert [stop.cut.number for stop in whole] == [1, 2, 3, 4]
    assert [stop for _, stop in stops_of(view, log, 37)] == whole
    models = {stop.made.bundle.model: stop.made for stop in whole if stop.made is not None}
    assert whole[-1].champion in models
    learner = Learner(view, State(view), known=[stop.known for stop in whole[:2]], fetch=models.get)
    assert [stop for _, stop in stops_of(view, log, 61, learner)] == whole[2:]


def test_what_is_known_of_another_log_is_noticed(view: View, log: list[Logged]) -> None:
    first = next(stop for _, stop in stops_of(view, log, 100)).known
    learner = Learner(view, State(view), known=[dataclasses.replace(first, sequence=first.sequence + 1)])
    with pytest.raises(KnownDiffers):
        list(stops_of(view, log, 100, learner))


def with_event(
    log: list[Logged], at: int, event: ModelPromoted | ModelRolledBack | UserUpserted, name: str = "an-order"
) -> list[Logged]:
    """The log with one more event after place ``at``; all after it move on by one."""
    before, after = log[:at], log[at:]
    moved = [Logged(e.sequence + 1, e.id, e.occurred_at, e.recorded_at, e.event) for e in after]
    clock = before[-1].occurred_at
    return [*before, Logged(at + 1, name, clock, 2**51, event), *moved]


def test_a_decision_by_hand_in_the_log_makes_that_model_champion_from_there_on(
    view: View, log: list[Logged]
) -> None:
    whole = [stop for _, stop in stops_of(view, log, 100)]
    first = whole[0].made
    assert first is not None
    at = next(stop.cut.sequence for stop in whole if stop.champion not in (None, first.bundle.model)) + 5
    event = ModelRolledBack(model=first.bundle.model, view=view.id, decision=BY_HAND)
    models = {stop.made.bundle.model: stop.made for stop in whole if stop.made is not None}
    ordered = with_event(log, at, event)
    pieces: list[list[Stop]] = []
    for step in (1, 50):
        learner = Learner(view, State(view), fetch=models.get)
        stops = [stop for _, stop in stops_of(view, ordered, step, learner)]
        (order,) = [stop for stop in stops if stop.cut.order is not None]
        assert order.cut.sequence == at + 1
        assert order.champion == first.bundle.model
        pieces.append(stops)
    assert pieces[0] == pieces[1]


def test_an_order_for_a_model_that_nobody_has_or_of_another_view_changes_nothing(
    view: View, log: list[Logged]
) -> None:
    for event in (
        ModelPromoted(model="nobody", view=view.id, decision=BY_HAND),
        ModelPromoted(model="nobody", view="other-01234567", decision=BY_HAND),
    ):
        whole = [stop.champion for _, stop in stops_of(view, log, 100) if stop.cut.order is None]
        other = with_event(log, len(log) - 20, event)
        assert [stop.champion for _, stop in stops_of(view, other, 100) if stop.cut.order is None] == whole


def test_the_event_of_a_promotion_by_the_gate_is_no_order(view: View, log: list[Logged]) -> None:
    whole = [stop for _, stop in stops_of(view, log, 100)]
    promoted = next(stop for stop in whole if stop.champion is not None)
    assert promoted.champion is not None
    event = ModelPromoted(model=promoted.champion, view=view.id, decision={"by": "gate"})
    told = with_event(log, promoted.cut.sequence + 30, event)
    assert all(stop.cut.order is None for _, stop in stops_of(view, told, 100))


def test_training_rows_are_bounded(view: View, log: list[Logged]) -> None:
    learning = dataclasses.replace(view.learning, max_examples=1_000)
    small = dataclasses.replace(view, learning=learning)
    for learner, stop in stops_of(small, log, 100):
        assert learner.store.n_rows <= 1_000
        if stop.made is not None and stop.made.made is not None and stop.made.made.strategy == "rebuild":
            assert stop.made.bundle.n_examples == learner.store.n_rows
            assert stop.made.bundle.first_sequence == min(learner.store.table().sequences)


def test_after_a_cut_whose_model_could_not_be_made_it_goes_on(view: View, log: list[Logged]) -> None:
    learner = Learner(view, State(view))
    at, made = 0, []
    while at < len(log):
        at += learner.ahead(log[at : at + 50])
        learner.behind(log[learner.fold_sequence : learner.fold_until])
        learner.collect()
        if learner.cut is None:
            continue
        learner.judge()
        if learner.cut.number == 1 or learner.plan is None:
            learner.pass_over()
        else:
            made.append(learner.make(time.perf_counter))
            learner.adopt(made[-1])
    assert len(made) >= 2
    assert made[0].made is not None
    assert made[0].made.strategy == "rebuild"


def test_training_can_be_abandoned_between_two_trees(view: View, log: list[Logged]) -> None:
    learner = Learner(view, State(view))
    n_read = learner.ahead(log)
    assert n_read < len(log)
    learner.behind(log[: learner.fold_until])
    learner.collect()
    learner.judge()
    with pytest.raises(Abandoned):
        learner.make(time.perf_counter, after_three())


def after_three() -> Callable[[], bool]:
    asked: list[int] = []

    def should_stop() -> bool:
        asked.append(1)
        return len(asked) == 3

    return should_stop


def test_examples_have_the_same_digest_in_memory_in_files_and_after_a_restart_with_damaged_ones(
    view: View, log: list[Logged], tmp_path: Path
) -> None:
    def read(folder: Path | None, step: int) -> tuple[str, list[Stop]]:
        learner = Learner(view, State(view), folder=folder)
        stops = [stop for _, stop in stops_of(view, log, step, learner)]
        return learner.digest, stops

    digest, stops = read(None, 100)
    ring = tmp_path / "ring"
    assert read(ring, 30) == (digest, stops)
    files = sorted(ring.iterdir())
    assert files
    for path in files:
        path.write_bytes(b"damaged")
    assert read(ring, 100) == (digest, stops)
    assert [path.name for path in files if path.read_bytes() == b"damaged"] == []
    for path in ring.iterdir():
        path.unlink()
    assert read(ring, 100)[0] == digest


def test_the_first_cut_can_be_where_its_host_says(view: View, log: list[Logged]) -> None:
    learner = Learner(view, State(view), starts_by_itself=False)
    half = len(log) // 2
    assert learner.ahead(log[:half]) == half
    assert learner.cut is None
    learner.cut_here()
    learner.behind(log[: learner.fold_until])
    learner.collect()
    learner.judge()
    made = learner.make(time.perf_counter)
    learner.adopt(made)
    assert learner.champion is None
    learner.crown(made.bundle.model)
    assert learner.champion == made.bundle
