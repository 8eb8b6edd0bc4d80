"""The online model where interactions carry opinions: it learns the value, and no value makes it diverge."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from random import Random

import numpy as np
import pytest

from eddyline_contracts.events import InteractionRecorded, SlateItem, SlateServed
from eddyline_contracts.record import Logged
from eddyline_features.declarations.online import RULES
from eddyline_features.state import State
from eddyline_features.view import Limits, ViewError, load_view

START = 1_800_000_000_000
VIEW = """
view: stars
label_window: 10s
actions: {rating: {weight: 1, values: [0.5, 5]}, view: 1}
online: {rule: RULE, factors: 8, target: TARGET}
features:
  - {name: online, kind: online_score, outputs: [score, taste, bias]}
  - {name: mean, kind: rate, by: item, actions: rating, per: rating, value: true, half_lives: forever, strength: 1}
"""
FIRST, SECOND = [f"a{n}" for n in range(8)], [f"b{n}" for n in range(8)]
by_rule = pytest.mark.parametrize("rule", RULES)


class Stream:
    """A state, moved on by one event each second."""

    def __init__(self, rule: str, target: str = "value") -> None:
        view = load_view(VIEW.replace("RULE", rule).replace("TARGET", target))
        limits = dataclasses.replace(Limits(), items=1_000, users=2_000)
        self.state = State(dataclasses.replace(view, limits=limits))
        self._n = 0

    def rate(self, user: str, item: str, value: float, action: str = "rating") -> None:
        self._n += 1
        at = START + 1_000 * self._n
        event = InteractionRecorded(user=user, item=item, action=action, value=value)
        self.state.apply(Logged(self._n, f"e{self._n}", at, at, event))

    def read(self, user: str, items: list[str], column: str = "online_score") -> np.ndarray:
        vectors = self.state.vectors(user, None, items, None, {}, 0)
        return vectors[:, self.state.view.columns.index(column)]


def two_tastes(rule: str, n_people: int = 300) -> Stream:
    """People who give the items of one taste four and a half stars, and those of the other one and a half."""
    stream, rng = Stream(rule), Random(1)
    for person in range(n_people):
        likes = FIRST if person % 2 else SECOND
        for item in rng.sample(FIRST, 4) + rng.sample(SECOND, 4):
            stream.rate(f"u{person}", item, 4.5 if item in likes else 1.5)
    return stream


@by_rule
def test_few_stars_are_no_like(rule: str) -> None:
    stream = Stream(rule)
    for person in range(60):
        stream.rate(f"u{person}", "good", 5.0)
        stream.rate(f"u{person}", "bad", 0.5)
    good, bad = stream.read("stranger", ["good", "bad"])
    assert good > 3.5 > 2.0 > bad
    assert (
        stream.read("stranger", ["good", "bad"])
        == stream.state.first_scores("stranger", None, ["good", "bad"], 0)
    ).all()


@by_rule
def test_one_rating_is_enough_to_know_a_new_person(rule: str) -> None:
    stream = two_tastes(rule)
    stream.rate("likes the first", FIRST[0], 4.5)
    stream.rate("likes the first", SECOND[0], 1.5)
    taste = stream.read("likes the first", [*FIRST[1:], *SECOND[1:]], "online_taste")
    assert taste[:7].mean() > taste[7:].mean()


@pytest.mark.parametrize("rule", ["sgd", "ftrl"])
def test_what_is_said_nears_what_is_given(rule: str) -> None:
    stream = two_tastes(rule, 600)
    error = [
        abs(float(stream.read(f"u{person}", FIRST)[0]) - (4.5 if person % 2 else 1.5))
        for person in range(400, 600)
    ]
    assert np.mean(error) < 1.0


@by_rule
def test_what_carries_no_opinion_teaches_nothing_of_values(rule: str) -> None:
    stream, viewed = two_tastes(rule, 20), two_tastes(rule, 20)
    viewed.rate("u1", "a1", 5.0, "view")
    viewed.state.apply(
        Logged(10_000, "s", START + 10_000_000, START, SlateServed(user="u1", items=[SlateItem(item="a2")]))
    )
    assert (stream.read("stranger", FIRST) == viewed.read("stranger", FIRST)).all()


@by_rule
def test_a_half_liked_thing_is_half_a_yes_where_acts_are_learnt(rule: str) -> None:
    stream = Stream(rule, target="action")
    for person in range(40):
        stream.rate(f"u{person}", "good", 5.0)
        stream.rate(f"u{person}", "middling", 3.2)
        stream.rate(f"u{person}", "bad", 0.5)
    good, middling, bad = stream.read("stranger", ["good", "middling", "bad"], "online_bias")
    assert good > 0.0 > bad
    assert good > middling > bad


def huge(n: int) -> Iterator[tuple[str, str, float]]:
    for index in range(n):
        yield f"u{index % 7}", f"i{index % 11}", (1e308, -1e308, math.inf, -math.inf)[index % 4]


def negative(n: int) -> Iterator[tuple[str, str, float]]:
    for index in range(n):
        yield f"u{index % 7}", f"i{index % 11}", -3.0


def nothing(n: int) -> Iterator[tuple[str, str, float]]:
    for index in range(n):
        yield f"u{index % 7}", f"i{index % 11}", math.nan


def constant(n: int) -> Iterator[tuple[str, str, float]]:
    for index in range(n):
        yield f"u{index % 300}", f"i{index % 11}", 3.5


def alternating(n: int) -> Iterator[tuple[str, str, float]]:
    for index in range(n):
        yield "u", "i", 5.0 if index % 2 else 0.5


def one_user_flooding(n: int) -> Iterator[tuple[str, str, float]]:
    for index in range(n):
        yield "flood", f"a{index % 8}", 0.5


@by_rule
@pytest.mark.parametrize("flood", [huge, negative, nothing, constant, alternating, one_user_flooding])
def test_no_stream_of_values_makes_it_diverge(rule: str, flood: object) -> None:
    assert callable(flood)
    stream = two_tastes(rule)
    before = stream.read("stranger", FIRST)
    for user, item, value in flood(3_000):
        stream.rate(user, item, value)
    moved = float(np.abs(stream.read("stranger", FIRST) - before).max())
    if flood is one_user_flooding:
        # Of a scale of 4.5; passive-aggressive goes as far as is needed, whoever asks.
        assert moved < (1.8 if rule == "passive-aggressive" else 0.9)
    if flood is nothing:
        assert moved == 0.0
    for user in ("u", "u1", "flood", "stranger"):
        for column in ("online_score", "online_taste", "online_bias", "mean_forever"):
            assert not np.isinf(stream.read(user, [*FIRST, *SECOND, "i", "i1", "nobody knows"], column)).any()
        score = stream.read(user, [*FIRST, *SECOND, "i", "i1", "nobody knows"])
        assert score.min() >= 0.5
        assert score.max() <= 5.0
    # And what was learnt before is still there.
    stream.rate("new", FIRST[0], 4.5)
    stream.rate("new", SECOND[0], 1.5)
    taste = stream.read("new", [*FIRST[1:], *SECOND[1:]], "online_taste")
    assert taste[:7].mean() > taste[7:].mean()
    saved = stream.state.snapshot()
    assert State.restore(stream.state.view, saved).snapshot() == saved


def test_constant_ratings_are_said_exactly_enough() -> None:
    stream = Stream("sgd")
    for user, item, value in constant(3_000):
        stream.rate(user, item, value)
    assert stream.read("stranger", ["i1", "nobody knows"]) == pytest.approx(3.5, abs=0.2)


def test_what_lies_outside_of_the_values_counts_as_the_nearer_end() -> None:
    wild, tame = Stream("sgd"), Stream("sgd")
    for n, (value, bounded) in enumerate([(1e308, 5.0), (-7.0, 0.5), (9.0, 5.0)]):
        wild.rate(f"u{n}", "i", value)
        tame.rate(f"u{n}", "i", bounded)
    assert wild.state.snapshot() == tame.state.snapshot()
    assert wild.read("u", ["i"], "mean_forever")[0] == pytest.approx(3.5)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            ("values: [0.5, 5]", "gain: 1"),
            r"`online\.target: value` needs an action whose value is an opinion",
        ),
        (("view: 1", "view: {values: [0, 1]}"), "needs one scale"),
        (("[0.5, 5]", "[5, 0.5]"), "the worst and the best value"),
        (("[0.5, 5]", "[1]"), "the worst and the best value"),
        (("[0.5, 5]", "[0, .inf]"), "the worst and the best value"),
        (("[0.5, 5]", "5"), "the worst and the best value"),
        (("features:", "learning: {objective: click}\nfeatures:"), "`online.target: value` orders by values"),
    ],
)
def test_scales_that_make_no_sense_are_refused(change: tuple[str, str], complaint: str) -> None:
    text = VIEW.replace("RULE", "sgd").replace("TARGET", "value")
    with pytest.raises(ViewError, match=complaint):
        load_view(text.replace(*change))


def test_a_view_without_opinions_keeps_its_name() -> None:
    """Or every running system would build its state anew for a setting that it does not use."""
    text = "view: a\nlabel_window: 1m\nactions: {click: 1}\nonline: {rule: sgd}\nfeatures: [{name: p, kind: position}]"
    assert load_view(text).id == load_view(text.replace("{rule: sgd}", "{target: action}")).id
    assert load_view(text).id != load_view(text.replace("click: 1", "click: {values: [0, 1]}")).id
