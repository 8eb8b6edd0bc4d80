"""A model from outside competes from its place in the log on, with everybody else, and decisions stay the log's."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec import json, structs
from onnx import TensorProto, helper

from eddyline_contracts.bundle import Bundle, model_name
from eddyline_contracts.events import ModelAdded, ModelPromoted, SlateServed
from eddyline_contracts.record import Logged, Record, decode_record
from eddyline_features.state import State
from eddyline_features.view import Gate, Policy, View, load_view
from eddyline_learning.challenger import OUTSIDE, Challenger
from eddyline_learning.cycle import KnownCut, Learner, Order
from eddyline_learning.drift import DriftWatch
from eddyline_learning.evidence import Evidence
from eddyline_learning.examples import Example
from eddyline_learning.gate import PRIORS, Contest
from eddyline_learning.goodness import Judge
from eddyline_learning.scoring import OnnxScorer, slate_by_slate
from eddyline_learning.waiting import Waiting
from tests.support.outside_models import a_model, a_network, a_short_table, as_bytes, of_another_time

DATA = Path(__file__).parents[3] / "data"
AT = 290
"""Place of the log where the model is added."""


@pytest.fixture(scope="module")
def view() -> View:
    view = load_view((DATA / "eddyline.yaml").read_text())
    gate = Gate(delta=1.0, min_slates=10)
    learning = dataclasses.replace(
        view.learning, learn_every=10, trees=1, tail=5, extend_trees=1, leaves=2, gate=gate
    )
    return dataclasses.replace(view, learning=learning)


@pytest.fixture(scope="module")
def outside(view: View) -> Challenger:
    weights = np.zeros(len(view.columns), np.float32)
    for column, weight in (("relevancy", 1.0), ("price", -0.02), ("genre_taste_forever_rate", 2.0)):
        weights[view.columns.index(column)] = weight
    onnx = as_bytes(a_network(weights))
    bundle = Bundle(
        model=model_name(onnx),
        view=view.id,
        features=view.columns,
        objective=view.learning.objective,
        onnx=onnx,
        prior_items=[],
        prior_scores=b"",
        prior_default=0.0,
        first_sequence=0,
        last_sequence=0,
        n_slates=0,
        n_examples=0,
        metrics={OUTSIDE: {"name": "a network", "note": ""}},
    )
    return Challenger(bundle, "")


@pytest.fixture(scope="module")
def log(view: View, outside: Challenger) -> list[Logged]:
    lines = (DATA / "events.jsonl").read_bytes().splitlines()
    added = ModelAdded(id="added", model=outside.bundle.model, view=view.id)
    lines.insert(AT - 1, json.encode(added))
    records = [Record(n, json.decode(line)["id"], "", 2**51, 2**51, line) for n, line in enumerate(lines, 1)]
    return [decode_record(record) for record in records]


@dataclasses.dataclass
class Told:
    """What a cut left behind."""

    number: int
    sequence: int
    order: Order | None
    made: Challenger | None
    champion: str | None
    state: dict[str, Any]
    decisions: list[Any]

    @property
    def known(self) -> KnownCut:
        """As a trainer remembers it."""
        model = None if self.made is None else self.made.bundle.model
        return KnownCut(self.number, self.sequence, model, json.decode(json.encode(self.state)))


def cuts(learner: Learner, log: list[Logged], step: int) -> list[Told]:
    """Read the log in pieces, and do all that is due."""
    found: list[Told] = []
    at = 0
    while at < len(log):
        at += learner.ahead(log[at : at + step])
        learner.behind([e for e in log if learner.fold_sequence < e.sequence <= learner.fold_until])
        learner.collect()
        cut = learner.cut
        if cut is None:
            continue
        if learner.is_known:
            learner.recall()
            continue
        learner.judge()
        made = None
        if learner.plan is None:
            learner.pass_over()
        else:
            made = learner.make(lambda: 0.0)
            learner.adopt(made)
        state = json.decode(json.encode(learner.state))
        found.append(
            Told(cut.number, cut.sequence, cut.order, made, learner.champion_name, state, learner.decisions)
        )
    return found


def a_learner(view: View, outside: Challenger, made: list[Told] = [], **told: Any) -> Learner:  # noqa: B006
    models = {of.made.bundle.model: of.made for of in made if of.made is not None}
    models[outside.bundle.model] = outside
    return Learner(view, State(view), fetch=models.get, **told)


@pytest.fixture(scope="module")
def whole(view: View, log: list[Logged], outside: Challenger) -> list[Told]:
    return cuts(a_learner(view, outside), log, 100)


def test_it_waits_for_the_slates_before_it_then_competes_and_is_promoted(
    view: View, log: list[Logged], outside: Challenger, whole: list[Told]
) -> None:
    name, told = outside.bundle.model, whole
    waiting = [name in of.state["waiting"] for of in told]
    since = [of.sequence >= AT for of in told]
    entered = next(at for at, of in enumerate(told) if name in of.state["contest"]["evidence"]["models"])
    assert waiting[since.index(True) : entered] == [True] * (entered - since.index(True))
    assert not any(waiting[entered:])
    assert told[entered].state["contest"]["outside"] == [name]
    # All slates before its place were done with where it entered, and not before.
    slates = [e.sequence for e in log if isinstance(e.event, SlateServed)]
    assert sum(AT < of < told[entered].sequence for of in slates) > 0
    promoted = [d for of in told for d in of.decisions if (d.challenger, d.outcome) == (name, "promote")]
    assert promoted
    assert promoted[0].n >= view.learning.gate.min_slates


def test_how_the_log_is_read_changes_no_bit_of_any_decision(
    view: View, log: list[Logged], outside: Challenger, whole: list[Told]
) -> None:
    assert cuts(a_learner(view, outside), log, 1) == whole


@pytest.mark.parametrize("n_known", [1, 2, 4])
def test_who_goes_on_from_a_cut_comes_to_the_same(
    view: View, log: list[Logged], outside: Challenger, whole: list[Told], n_known: int
) -> None:
    assert outside.bundle.model in whole[0].state["waiting"]
    # By then it competes, and came to the same cut as one of ours.
    assert outside.bundle.model in whole[1].state["contest"]["contenders"]
    known = [of.known for of in whole[:n_known]]
    known[:-1] = [dataclasses.replace(of, state=None) for of in known[:-1]]
    assert cuts(a_learner(view, outside, whole, known=known), log, 61) == whole[n_known:]


def test_the_event_of_its_promotion_by_the_gate_is_no_order_before_or_after_a_restart(
    view: View, log: list[Logged], outside: Challenger, whole: list[Told]
) -> None:
    name = outside.bundle.model
    at = next(of.sequence for of in whole if of.champion == name)
    event = ModelPromoted(id="p", model=name, view=view.id, decision={"by": "gate"})
    here = log[at]
    moved = [Logged(e.sequence + 1, e.id, e.occurred_at, e.recorded_at, e.event) for e in log[at:]]
    told_of = [*log[:at], Logged(here.sequence, "p", here.occurred_at, 2**51, event), *moved]
    ours = cuts(a_learner(view, outside), told_of, 100)
    assert all(of.order is None for of in ours)
    # Those of ours are named by the places of their cuts, which have moved.
    assert [of.champion == name for of in ours] == [of.champion == name for of in whole]
    known = [of.known for of in ours[:-1]]
    assert cuts(a_learner(view, outside, ours, known=known), told_of, 100) == ours[-1:]
    # To a trainer that has decided otherwise, it is one.
    early = [*log[:60], Logged(61, "p", log[60].occurred_at, 2**51, event)]
    early += [Logged(e.sequence + 1, e.id, e.occurred_at, e.recorded_at, e.event) for e in log[60:]]
    orders = [of.order for of in cuts(a_learner(view, outside), early, 100) if of.order is not None]
    assert [order.model for order in orders] == [name]


def test_learning_goes_on_while_it_serves(view: View, log: list[Logged], outside: Challenger) -> None:
    """It has no trees: what is extended is the best model of those that have."""
    name = outside.bundle.model
    strict = dataclasses.replace(
        view, learning=dataclasses.replace(view.learning, gate=Gate(delta=0.0, min_slates=10**6), growth=50.0)
    )
    learner = a_learner(strict, outside)
    by_hand = ModelPromoted(id="p", model=name, view=view.id, decision={"by": "hand"})
    at = 120
    ordered = [*log[:at], Logged(at + 1, "p", log[at].occurred_at, 2**51, by_hand)]
    ordered += [Logged(e.sequence + 1, e.id, e.occurred_at, e.recorded_at, e.event) for e in log[at:]]
    told = cuts(learner, ordered, 100)
    assert told[-1].champion == name
    made = [of.made.made for of in told if of.made is not None]
    assert sum(of is not None and of.strategy != "rebuild" for of in made) >= 2
    assert all(of is not None and of.parent != name for of in made)


def test_one_that_nobody_has_any_more_is_told_of_and_changes_nothing(
    view: View, log: list[Logged], outside: Challenger
) -> None:
    learner = Learner(view, State(view))
    told = cuts(learner, log, 100)
    assert list(learner.lost) == [outside.bundle.model]
    assert told[-1].champion is not None


def test_one_of_another_view_does_not_compete(view: View, log: list[Logged], outside: Challenger) -> None:
    event = ModelAdded(model=outside.bundle.model, view="other-01234567")
    other = [
        Logged(e.sequence, e.id, e.occurred_at, e.recorded_at, event) if e.sequence == AT else e for e in log
    ]
    told = cuts(a_learner(view, outside), other, 100)
    assert not any(outside.bundle.model in of.state["contest"]["evidence"]["models"] for of in told)


def test_scores_that_are_no_numbers_count_against_it_and_spoil_nobody_elses(
    view: View, log: list[Logged], outside: Challenger
) -> None:
    weights = np.zeros(len(view.columns), np.float32)
    model = a_network(weights)
    model.graph.initializer[-1].CopyFrom(
        type(model.graph.initializer[-1])(
            name="b2", dims=[1], data_type=1, raw_data=np.float32(np.nan).tobytes()
        )
    )
    onnx = as_bytes(model)
    bundle = dataclasses.replace(outside).bundle
    broken = Challenger(
        type(bundle)(**{**{f: getattr(bundle, f) for f in bundle.__struct_fields__}, "onnx": onnx}), ""
    )
    sober = dataclasses.replace(view, learning=dataclasses.replace(view.learning, gate=Gate(min_slates=10)))
    told = cuts(a_learner(sober, broken), log, 100)
    last = told[-1].state["contest"]["evidence"]
    assert np.isfinite(np.array(last["mean"], float)).all()
    assert not any(
        d.outcome == "promote" for of in told for d in of.decisions if d.challenger == bundle.model
    )


def test_a_newer_model_of_ours_does_not_end_its_comparison() -> None:
    contest = Contest(Gate(delta=0.0, min_slates=10, patience=10**6))
    contest.enter("ours, old", 1)
    contest.enter("from outside", 1, outside=True)
    contest.enter("ours, new", 2)
    rng = np.random.default_rng(0)
    goodness = {PRIORS: 0.3, "ours, old": 0.35, "from outside": 0.35, "ours, new": 0.8}
    noise = rng.normal(0, 0.05, (400, 4))
    contest.observe(np.array([goodness[model] for model in contest.live]) + noise)
    outcomes = {d.challenger: d.outcome for d in contest.judge()}
    assert outcomes == {"ours, old": "give_up", "from outside": "wait", "ours, new": "promote"}
    again = Contest(Gate())
    again.recall(contest.as_json())
    assert again.outside == {"from outside"}


def test_a_model_is_let_in_when_no_slate_before_it_is_undecided() -> None:
    waiting = Waiting()
    waiting.add("a", 10)
    waiting.add("b", 20)
    waiting.add("a", 30)
    assert waiting.pop(9) == []
    told = waiting.as_json()
    assert waiting.pop(15) == ["a"]
    assert waiting.pop(None) == ["b"]
    again = Waiting()
    again.recall(dict(reversed(told.items())))
    assert again.models == ["a", "b"]


def test_one_that_fails_on_some_rows_counts_against_itself_and_ends_nothing(
    view: View, log: list[Logged], outside: Challenger
) -> None:
    price = view.columns.index("price")
    onnx = as_bytes(a_short_table(len(view.columns), price))
    usual = np.zeros((3, len(view.columns)), np.float32)
    assert slate_by_slate(OnnxScorer(onnx), [usual]).tolist() == [0.0] * 3
    usual[1, price] = 90.0
    with pytest.raises(Exception, match="out of data bounds"):
        OnnxScorer(onnx).raw_scores(usual)
    bundle = structs.replace(outside.bundle, onnx=onnx)
    told = cuts(a_learner(view, Challenger(bundle, "")), log, 100)
    assert any(bundle.model in of.state["contest"]["evidence"]["models"] for of in told)
    # With a gate that lets all pass it is champion as well, and what is made then is measured beside it.
    assert any(of.champion == bundle.model and of.made is not None for of in told)


def test_scores_without_measure_leave_all_that_is_remembered_finite() -> None:
    nodes = [
        helper.make_node("Cast", ["x"], ["wide"], to=TensorProto.DOUBLE),
        helper.make_node("MatMul", ["wide", "large"], ["y"]),
    ]
    model = a_model(nodes, {"large": np.full((1, 1), 1e200)}, 1, output_type=TensorProto.DOUBLE)
    slate = np.array([[-1.0], [0.0], [2.0]], np.float32)
    scores = slate_by_slate(OnnxScorer(as_bytes(model)), [slate])
    example = Example(
        slate="s",
        sequence=1,
        occurred_at=1,
        items=["a", "b", "c"],
        vectors=slate,
        positions=np.arange(3, dtype=np.int32),
        labels=np.array([1.0, np.nan, 5.0], np.float32),
        priors=np.zeros(3, np.float32),
    )
    goodness = Judge("rating").measure([example], [scores, np.zeros(3)])
    evidence = Evidence()
    for name in ("theirs", "ours"):
        evidence.enter(name)
    evidence.observe(np.repeat(goodness * [[1.0, 0.5]], 50, axis=0))
    assert np.isfinite(json.decode(json.encode(evidence.as_json()))["squares"]).all()
    watch = DriftWatch(Policy())
    watch.observe([0.1] * 100 + (1.0 - goodness[:, 0]).tolist() * 100)
    again = DriftWatch(Policy())
    again.recall(json.decode(json.encode(watch.as_json())))
    assert again.as_json() == watch.as_json()


def unreadable(outside: Challenger, view: View) -> Challenger:
    """The same model by name, as if what loads it were of another time."""
    return Challenger(structs.replace(outside.bundle, onnx=of_another_time(len(view.columns))), "")


def test_one_that_no_longer_loads_is_given_up_with_the_reason(
    view: View, log: list[Logged], outside: Challenger
) -> None:
    broken, name = unreadable(outside, view), outside.bundle.model
    learner = a_learner(view, broken)
    told = cuts(learner, log, 100)
    (gone,) = [(of, d) for of in told for d in of.decisions if d.challenger == name]
    assert (gone[1].outcome, gone[1].n) == ("give_up", 0)
    assert "cannot be loaded any more" in gone[1].reason
    assert list(learner.lost) == [name]
    assert name not in gone[0].state["contest"]["evidence"]["models"]
    assert told[-1].champion not in (None, name)


def test_a_trainer_that_starts_with_a_champion_that_no_longer_loads_goes_back_to_the_one_before(
    view: View, log: list[Logged], outside: Challenger, whole: list[Told]
) -> None:
    name = outside.bundle.model
    at = next(at for at, of in enumerate(whole) if of.champion == name)
    # There are slates to measure it on after the cut that is remembered last, and others than the priors before it.
    first = next(
        n
        for n in range(at, len(whole) - 1)
        if whole[n].champion == name and any(m != PRIORS for m in whole[n].state["contest"]["formers"])
    )
    known = [of.known for of in whole[: first + 1]]
    learner = a_learner(view, unreadable(outside, view), whole, known=known)
    told = cuts(learner, log, 100)
    (back,) = [d for d in told[0].decisions if d.outcome == "roll_back"]
    assert (back.opponent, "cannot be loaded any more" in back.reason) == (name, True)
    assert told[0].champion == back.challenger != name
    assert name not in told[0].state["contest"]["evidence"]["models"]
    assert all(of.champion != name for of in told)


def test_one_that_nobody_can_run_stays_where_there_is_nobody_else_or_a_person_said_so() -> None:
    contest = Contest(Gate())
    contest.enter("theirs", 1, outside=True)
    contest.crown("theirs")
    assert contest.lose({"theirs": "why"}) == []
    assert contest.champion == "theirs"
    contest.enter("ours", 2)
    contest.crown("ours")
    contest.crown("theirs", pinned=True)
    assert contest.lose({"theirs": "why"}) == []
    contest.crown("theirs")
    (row,) = contest.lose({"theirs": "why"})
    assert (row.challenger, row.opponent, row.outcome, row.reason) == ("ours", "theirs", "roll_back", "why")
    assert (contest.champion, contest.live) == ("ours", [PRIORS, "ours"])
