"""The online model: learns from what was done and what was left, knows somebody after one click, stays bounded."""

from __future__ import annotations

import dataclasses
from random import Random

import numpy as np
import pytest

from eddyline_contracts.events import Event, InteractionRecorded, SlateItem, SlateServed
from eddyline_contracts.record import Logged
from eddyline_features.declarations.online import RULES, SCORE_OUTPUTS, SIMILARITY_OUTPUTS
from eddyline_features.kinds import online_kernels
from eddyline_features.kinds.online import sigmoid_table
from eddyline_features.state import State
from eddyline_features.view import Limits, ViewError, load_view

START = 1_800_000_000_000
VIEW = """
view: online
label_window: 10s
actions: {click: 1, hide: -1}
online: {rule: RULE, factors: 8}
features:
  - {name: online, kind: online_score, outputs: [score, taste, bias]}
  - {name: like, kind: online_similarity, outputs: [user, last, mean]}
"""
FIRST, SECOND = [f"a{n}" for n in range(8)], [f"b{n}" for n in range(8)]
"""Two tastes: people like the items of one and leave those of the other."""

by_rule = pytest.mark.parametrize("rule", RULES)


class Stream:
    """A state, moved on by one event each second."""

    def __init__(self, rule: str, **limits: int) -> None:
        view = load_view(VIEW.replace("RULE", rule))
        self.state = State(dataclasses.replace(view, limits=dataclasses.replace(Limits(), **limits)))
        self._n = 0

    def tell(self, event: Event) -> None:
        self._n += 1
        at = START + 1_000 * self._n
        self.state.apply(Logged(self._n, f"e{self._n}", at, at, event))

    def click(self, user: str, item: str, action: str = "click", slate: str | None = None) -> None:
        self.tell(InteractionRecorded(user=user, item=item, action=action, slate=slate))

    def show(self, user: str, items: list[str]) -> None:
        self.tell(SlateServed(user=user, items=[SlateItem(item=item) for item in items]))

    def read(self, user: str, items: list[str]) -> dict[str, np.ndarray]:
        vectors = self.state.vectors(user, None, items, None, {}, 0)
        return {name: vectors[:, column] for column, name in enumerate(self.state.view.columns)}


def two_tastes(rule: str) -> Stream:
    """300 people, each of one of two tastes, who see four of each kind and click on what they like."""
    stream, rng = Stream(rule), Random(1)
    for person in range(300):
        likes, leaves = (FIRST, SECOND) if person % 2 else (SECOND, FIRST)
        shown = rng.sample(likes, 4) + rng.sample(leaves, 4)
        rng.shuffle(shown)
        stream.show(f"u{person}", shown)
        for item in shown:
            if item in likes:
                stream.click(f"u{person}", item, slate="s")
    return stream


@by_rule
def test_one_click_is_enough_to_know_a_new_person(rule: str) -> None:
    stream = two_tastes(rule)
    stream.click("new", FIRST[0])
    seen = stream.read("new", [*FIRST[1:], *SECOND])
    similar, score = seen["like_user"], seen["online_score"]
    assert similar[:7].min() > similar[7:].max()
    assert score[:7].mean() > score[7:].mean()
    orders = stream.state.first_scores("new", None, [*FIRST[1:], *SECOND], 0)
    assert orders[:7].mean() > orders[7:].mean()


@by_rule
def test_vectors_of_items_that_the_same_people_like_are_alike(rule: str) -> None:
    stream = two_tastes(rule)
    stream.click("new", FIRST[0])
    seen = stream.read("new", [*FIRST[1:], *SECOND])
    for column in ("like_last", "like_mean"):
        assert seen[column][:7].mean() > seen[column][7:].mean() + 0.3


@by_rule
def test_what_is_shown_and_left_falls_behind_once_its_labels_are_due(rule: str) -> None:
    stream = Stream(rule)
    for person in range(60):
        stream.show(f"u{person}", ["liked", "left"])
        stream.click(f"u{person}", "liked", slate="s")
    early = Stream(rule)
    early.show("u0", ["liked", "left"])
    assert early.read("u0", ["left"])["online_bias"][0] == 0.0
    bias = stream.read("stranger", ["liked", "left"])["online_bias"]
    assert bias[0] > 0.0 > bias[1]


@by_rule
def test_without_slates_popular_items_are_what_a_click_was_not_for(rule: str) -> None:
    stream, rng = Stream(rule), Random(2)
    for person in range(300):
        likes = FIRST if person % 2 else SECOND
        for item in rng.sample(likes, 4):
            stream.click(f"u{person}", item)
    stream.click("new", SECOND[0])
    similar = stream.read("new", [*SECOND[1:], *FIRST])["like_user"]
    assert similar[:7].min() > similar[7:].max()


@by_rule
def test_without_slates_a_stranger_is_shown_what_is_popular(rule: str) -> None:
    """Negatives drawn by popularity hide it from the model: the order brings it back."""
    stream, rng = Stream(rule), Random(3)
    for person in range(600):
        stream.click(f"u{person}", f"i{min(rng.randrange(1, 9), rng.randrange(1, 9), rng.randrange(1, 9))}")
    items = [f"i{n}" for n in range(1, 9)]
    orders = stream.state.first_scores("stranger", None, items, 0)
    priors = stream.state.priors(items, 0)
    assert np.corrcoef(np.argsort(np.argsort(orders)), np.argsort(np.argsort(priors)))[0, 1] > 0.9
    alone = stream.state.first_scores("stranger", None, items[:1], 0)
    assert alone[0] == orders[0]


@by_rule
def test_with_slates_the_order_is_the_models_own(rule: str) -> None:
    stream = two_tastes(rule)
    scores = stream.read("u1", FIRST)["online_score"]
    orders = stream.state.first_scores("u1", None, FIRST, 0)
    assert orders == pytest.approx(1 / (1 + np.exp(-scores.astype(np.float64))), abs=1e-5)


@by_rule
def test_hiding_an_item_lowers_it(rule: str) -> None:
    stream = Stream(rule)
    for person in range(20):
        stream.click(f"u{person}", "good")
        stream.click(f"u{person}", "bad", "hide")
    bias = stream.read("stranger", ["good", "bad"])["online_bias"]
    assert bias[0] > 0.0 > bias[1]


def all_positive(stream: Stream, n: int) -> None:
    for index in range(n):
        stream.click(f"u{index % 7}", f"i{index % 11}")


def alternating(stream: Stream, n: int) -> None:
    for index in range(n):
        stream.click("u", "i", "click" if index % 2 else "hide")


def one_user_flooding(stream: Stream, n: int) -> None:
    for _ in range(n):
        stream.click("flood", "i")


def everything_left(stream: Stream, n: int) -> None:
    for index in range(n):
        stream.show(f"u{index % 5}", [f"i{k}" for k in range(9)])


@by_rule
@pytest.mark.parametrize("flood", [all_positive, alternating, one_user_flooding, everything_left])
def test_no_stream_makes_it_diverge(rule: str, flood: object) -> None:
    assert callable(flood)
    stream = two_tastes(rule)
    flood(stream, 4_000)
    items = [*FIRST, *SECOND, "i", "i1", "nobody knows"]
    for user in ("u", "u1", "flood", "stranger"):
        seen = stream.read(user, items)
        assert np.abs(seen["online_score"]).max() < 40.0
        assert not any(np.isinf(column).any() for column in seen.values())
    # And what was learnt before is still there.
    stream.click("new", FIRST[0])
    similar = stream.read("new", [*FIRST[1:], *SECOND])["like_user"]
    assert similar[:7].mean() > similar[7:].mean()


@by_rule
def test_a_flood_by_one_person_moves_an_item_less_than_a_few_people_do(rule: str) -> None:
    flooded, liked = two_tastes(rule), two_tastes(rule)
    for _ in range(500):
        flooded.click("flood", "i")
    for person in range(30):
        liked.click(f"new {person}", "i")
    by_flood, by_people = (s.read("stranger", ["i"])["online_bias"][0] for s in (flooded, liked))
    assert by_flood < by_people


def test_slates_that_cannot_wait_any_longer_are_learnt_from_early() -> None:
    stream = Stream("sgd")
    view = dataclasses.replace(
        stream.state.view,
        online=dataclasses.replace(stream.state.view.online, ripe_after_ms=10**9),  # type: ignore[type-var]
    )
    stream.state = State(view)
    for index in range(4_100):
        stream.show(f"u{index}", ["left"])
    assert stream.read("u0", ["left"])["online_bias"][0] < 0.0
    assert State.restore(view, stream.state.snapshot()).snapshot() == stream.state.snapshot()


def test_the_table_of_the_sigmoid_is_the_sigmoid() -> None:
    table = sigmoid_table()
    for x in np.linspace(-16, 16, 999):
        assert online_kernels.sigmoid(float(x), table) == pytest.approx(1 / (1 + np.exp(-x)), abs=2e-6)
    assert online_kernels.sigmoid(1e300, table) < 1.0


def test_the_outputs_have_their_numbers_in_the_kernel() -> None:
    assert [*SCORE_OUTPUTS, *SIMILARITY_OUTPUTS] == ["score", "taste", "bias", "user", "last", "mean"]


def test_features_of_a_model_that_is_not_there_are_refused() -> None:
    with pytest.raises(ViewError, match="there is none: add `online"):
        load_view(VIEW.replace("online: {rule: RULE, factors: 8}", ""))
    with pytest.raises(ViewError, match=r"`online\.l1` is for `rule: ftrl`"):
        load_view(VIEW.replace("RULE", "sgd, l1: 0.1"))
