"""Models are made at places that the log decides, and come out the same whoever reads it and in whatever pieces."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from msgspec import json

from eddyline_contracts.bundle import Bundle, decode_bundle, encode_bundle
from eddyline_contracts.events import SlateServed
from eddyline_contracts.record import Logged, Record, decode_record
from eddyline_features.state import State
from eddyline_features.view import View, load_view
from eddyline_learning.boosters import Abandoned
from eddyline_learning.challenger import digest_of
from eddyline_learning.cycle import Learner
from eddyline_learning.schedule import Schedule
from eddyline_learning.scoring import OnnxScorer

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def view() -> View:
    return load_view((DATA / "eddyline.yaml").read_text())


@pytest.fixture(scope="module")
def log() -> list[Logged]:
    lines = (DATA / "events.jsonl").read_bytes().splitlines()
    records = [Record(n, json.decode(line)["id"], "", 2**51, 2**51, line) for n, line in enumerate(lines, 1)]
    return [decode_record(record) for record in records]


def models_of(view: View, log: list[Logged], step: int) -> Iterator[tuple[Learner, Bundle]]:
    """Read the log in pieces of ``step`` events and make every model that is due."""
    learner = Learner(view, State(view))
    at = 0
    while at < len(log):
        at += learner.ahead(log[at : at + step])
        learner.behind(log[learner.fold_sequence : learner.fold_until])
        learner.collect()
        if learner.cut is not None:
            assert learner.ahead(log[at:]) == 0, "it stands at the cut until a model is there"
            bundle = learner.make(time.perf_counter).bundle
            yield learner, bundle
            learner.adopt(bundle)


def test_how_the_log_is_read_changes_no_bit_of_any_bundle(view: View, log: list[Logged]) -> None:
    whole = [encode_bundle(bundle) for _, bundle in models_of(view, log, len(log))]
    assert len(whole) >= 2
    for step in (1, 37):
        assert [encode_bundle(bundle) for _, bundle in models_of(view, log, step)] == whole


def test_the_first_model_comes_with_enough_slates_and_the_next_when_they_have_grown(
    view: View, log: list[Logged]
) -> None:
    sizes = [bundle.n_slates for _, bundle in models_of(view, log, 100)]
    assert sizes[0] >= view.learning.min_slates
    for before, after in itertools.pairwise(sizes):
        assert after >= before * view.learning.growth
        assert after < before * view.learning.growth + 10


def test_a_bundle_tells_what_it_is_and_where_it_comes_from(view: View, log: list[Logged]) -> None:
    parent = None
    for learner, bundle in models_of(view, log, 100):
        assert bundle.view == view.id
        assert bundle.features == view.columns
        assert bundle.parent == parent
        assert bundle.n_examples == learner.store.n_rows
        slates = {e.sequence for e in log if isinstance(e.event, SlateServed)}
        assert {bundle.first_sequence, bundle.last_sequence} <= slates
        assert learner.cut is not None
        assert bundle.last_sequence < learner.cut.sequence
        priors = np.frombuffer(bundle.prior_scores, "<f4")
        assert len(priors) == len(bundle.prior_items) > 50
        assert (priors >= 0).all()
        assert decode_bundle(encode_bundle(bundle)) == bundle
        scores = OnnxScorer(bundle.onnx).raw_scores(learner.store.table().vectors)
        assert len(set(scores.tolist())) > 10
        parent = bundle.model


def test_the_champion_before_is_measured_on_slates_that_it_was_not_trained_on(
    view: View, log: list[Logged]
) -> None:
    found = [(bundle.n_slates, bundle.metrics) for _, bundle in models_of(view, log, 100)]
    assert found[0][1] == {}
    for (before, _), (after, metrics) in itertools.pairwise(found):
        champion = metrics["ndcg@10"]["champion"]
        assert champion["n"] == after - before
        assert 0 < champion["mean"] <= 1
        assert set(metrics["ndcg@10"]) == {"champion", "shown"}


def test_a_model_that_is_there_already_is_adopted_instead_of_made(view: View, log: list[Logged]) -> None:
    made = [(learner.cut, bundle) for learner, bundle in models_of(view, log, 100)]
    known = {cut: bundle for cut, bundle in made if cut is not None}
    learner = Learner(view, State(view))
    at, met = 0, []
    while at < len(log):
        at += learner.ahead(log[at : at + 50])
        if learner.cut is not None:
            met.append(learner.cut)
            learner.behind(log[learner.fold_sequence : learner.fold_until])
            learner.collect()
            learner.adopt(known[learner.cut])
    assert met == [cut for cut, _ in made]
    assert learner.champion == made[-1][1]


def test_a_full_ring_makes_models_due_when_that_share_of_it_is_new() -> None:
    schedule = Schedule(min_slates=100, growth=1.5)
    assert not schedule.is_due(99)
    assert schedule.is_due(100)
    schedule.made(100, n_held=100)
    assert schedule.next_at == 150
    schedule.made(10_000, n_held=400)
    assert schedule.next_at == 10_200


def test_training_rows_are_bounded(view: View, log: list[Logged]) -> None:
    small = dataclasses.replace(view, learning=dataclasses.replace(view.learning, max_examples=700))
    for learner, bundle in models_of(small, log, 100):
        assert bundle.n_examples <= 700
        assert learner.store.n_rows == bundle.n_examples
        assert bundle.first_sequence == min(learner.store.table().sequences)


def test_after_a_cut_whose_model_could_not_be_made_it_goes_on_and_the_champion_stays(
    view: View, log: list[Logged]
) -> None:
    learner = Learner(view, State(view))
    at, made = 0, []
    while at < len(log):
        at += learner.ahead(log[at : at + 50])
        learner.behind(log[learner.fold_sequence : learner.fold_until])
        learner.collect()
        if learner.cut is None:
            continue
        if learner.cut.number == 2:
            learner.pass_over()
        else:
            made.append(learner.make(time.perf_counter).bundle)
            learner.adopt(made[-1])
    assert len(made) >= 2
    assert made[1].parent == made[0].model
    n_measured = made[1].metrics["ndcg@10"]["champion"]["n"]
    assert n_measured == made[1].n_slates - made[0].n_slates


def test_training_can_be_abandoned_between_two_trees(view: View, log: list[Logged]) -> None:
    learner = Learner(view, State(view))
    n_read = learner.ahead(log)
    assert n_read < len(log)
    learner.behind(log[: learner.fold_until])
    learner.collect()
    asked: list[int] = []

    def should_stop() -> bool:
        asked.append(1)
        return len(asked) == 3

    with pytest.raises(Abandoned):
        learner.make(time.perf_counter, should_stop)
    assert len(asked) == 3
    assert learner.cut is not None


def test_whatever_changes_labels_or_training_changes_the_name_of_what_is_made(view: View) -> None:
    worth_more = dataclasses.replace(view.actions["click"], gain=2.0)
    others = [
        dataclasses.replace(view, label_window_ms=view.label_window_ms + 1),
        dataclasses.replace(view, learning=dataclasses.replace(view.learning, trees=21)),
        dataclasses.replace(view, actions={**view.actions, "click": worth_more}),
    ]
    digests = {digest_of(view), *map(digest_of, others)}
    assert len(digests) == 4
    assert {other.id for other in others} == {view.id}
