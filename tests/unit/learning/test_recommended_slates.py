"""A recommendation names more candidates than it shows: all are replayed, those shown are learnt from."""

from __future__ import annotations

import numpy as np

from eddyline_contracts.events import SlateItem
from eddyline_features.state import State
from eddyline_features.view import View, load_view
from eddyline_learning.examples import Examples
from eddyline_learning.joining import Joiner, JoinLimits
from eddyline_learning.labels import Labelling
from eddyline_learning.skew import EQUAL, Skew
from tests.support.builders import HOUR, START, a_click, a_log, a_slate, an_item, logged

VIEW = load_view("""
view: shop
label_window: 5m
actions: {click: 1}
recommend: {candidates: 30}
features:
  - {name: price, kind: number, field: item.price}
  - {name: dearer, kind: relative, field: item.price, outputs: [slate_rank, slate_z]}
  - {name: rate, kind: rate, by: item, half_lives: 1h}
""")
N = 30


def labelling(view: View) -> Labelling:
    return Labelling(view.learning.objective, view.actions)


def test_a_click_on_it_is_an_example_whose_rows_are_those_that_were_served() -> None:
    before = a_log(
        *(an_item(f"i{k}", price=float(k * k % 17)) for k in range(40)),
        *(a_slate([f"i{k}", f"i{k + 1}"], user=f"u{k}") for k in range(20)),
        *(a_click(f"i{k % 7}", user="u1") for k in range(20)),
    )
    state = State(VIEW)
    state.apply_all(before)
    at = START + HOUR
    found = state.candidates("u9", None, {}, at, N).items
    served = state.vectors("u9", None, found, None, {}, at)
    shown = [found[k] for k in (21, 4, 17, 9)]
    slate = a_slate(
        [SlateItem(item=item, score=1.0, propensity=1.0, source="fill") for item in shown],
        user="u9",
        id="served",
        candidates=found,
        features_sequence=state.sequence,
        ranked_at=at,
        policy="greedy",
        view=VIEW.id,
        model="m",
        served_vectors=[row.tobytes() for row in served.astype("<f4")],
    )
    n = state.sequence
    after = [
        logged(a_click("i3", user="u2"), n + 1, at),
        logged(slate, n + 2, at),
        logged(a_click(shown[2], user="u9", slate="served"), n + 3, at + 1_000),
        # Of what was not shown nobody could have clicked anything.
        logged(a_click(found[0], user="u9", slate="served"), n + 4, at + 1_000),
        logged(a_click("i3", user="u2"), n + 5, at + 2 * HOUR),
    ]
    skew = Skew(VIEW.id, VIEW.columns)
    examples = Examples(State(VIEW), labelling(VIEW), VIEW.label_window_ms, skew=skew)
    for event in (*before, *after):
        examples.ahead(event)
    examples.behind([event for event in (*before, *after) if event.sequence <= examples.fold_until])
    (example,) = [one for one in examples.drain() if one.slate == "served"]
    assert skew.slates == {EQUAL: 1}
    rows = sorted((21, 4, 17, 9))
    assert example.items == [found[row] for row in rows]
    assert example.vectors.astype("<f4").tobytes() == served[rows].astype("<f4").tobytes()
    assert example.positions.tolist() == [shown.index(found[row]) for row in rows]
    assert example.labels.tolist() == [float(found[row] == shown[2]) for row in rows]
    np.testing.assert_array_equal(example.priors, state.first_scores("u9", None, found, at)[rows])
    assert examples.joiner.interactions["not_in_slate"] == 1


def test_candidates_that_were_not_shown_take_room_too_while_a_slate_waits() -> None:
    joiner = Joiner(labelling(VIEW), VIEW.label_window_ms, JoinLimits(pending_impressions=100))
    candidates = [f"i{k}" for k in range(1_000)]
    for k in range(3):
        slate = a_slate(["i1"], candidates=candidates, features_sequence=k, policy="greedy", id=f"s{k}")
        joiner.apply(logged(slate, k + 1))
    assert joiner.n_pending == 1
    assert joiner.slates["no_room"] == 2
