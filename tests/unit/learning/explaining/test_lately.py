"""What the ranker served lately is kept to be explained, within bounds, and no example is another for it."""

from __future__ import annotations

import numpy as np

from eddyline_contracts.record import Logged
from eddyline_features.learning_settings import Breaker
from eddyline_learning.examples import Example, Examples
from eddyline_learning.explaining.lately import LatelyServed
from eddyline_learning.labels import Labelling
from eddyline_learning.pending import PendingSlate, pending_of
from tests.support.a_log import ToyFold, a_click, a_log, a_slate
from tests.support.serving import fixture_view


def a_taken_slate(number: int, n_items: int, *, ours: bool = True) -> PendingSlate:
    """Of more candidates than are shown."""
    items = [f"i{k}" for k in range(n_items)]
    event = a_slate(
        f"s{number}",
        items,
        at=number,
        features_sequence=0 if ours else None,
        candidates=[*items[::-1], "left out"],
    )
    slate = pending_of(a_log(event)[0], event)
    slate.vectors = (number * 100 + np.arange(n_items + 1)[:, None] + np.zeros((1, 2))).astype(np.float32)
    return slate


def test_the_newest_impressions_are_held_slate_by_slate_and_the_oldest_go() -> None:
    lately = LatelyServed(10)
    for number in range(1, 6):
        lately.keep(a_taken_slate(number, 4))
    assert [lately.of(f"s{number}") is not None for number in range(1, 6)] == [
        False,
        False,
        False,
        True,
        True,
    ]
    newest = lately.of("s5")
    assert newest is not None
    assert newest[:, 0].tolist() == [500, 501, 502, 503], "the rows of what was shown, as candidates"
    lately.keep(a_taken_slate(5, 4))
    assert lately.of("s4") is not None, "a slate that is taken once more counts once"
    lately.keep(a_taken_slate(6, 11))
    assert lately.of("s5") is lately.of("s6") is None, "one that is too large for all leaves nothing"


def test_only_the_rankers_own_are_held_and_none_where_none_may_be() -> None:
    lately, none = LatelyServed(10), LatelyServed(0)
    assert not lately.wants(a_taken_slate(1, 2, ours=False))
    lately.keep(a_taken_slate(1, 2, ours=False))
    none.keep(a_taken_slate(1, 2))
    assert lately.of("s1") is none.of("s1") is None
    assert not none.wants(a_taken_slate(1, 2))


def a_history() -> list[Logged]:
    events = []
    for k in range(200):
        at = 1_000 * k
        events.append(
            a_slate(f"s{k}", ["a", "b", "c"], at=at, user=f"u{k % 7}", features_sequence=len(events))
        )
        if k % 3 == 0:
            events.append(a_click("b", at=at + 10, slate=f"s{k}", user=f"u{k % 7}"))
    return a_log(*events)


def made_of(log: list[Logged], lately: LatelyServed | None) -> list[Example]:
    view = fixture_view()
    more = {} if lately is None else {"on_taken": lately.keep, "take_barren": lately.wants}
    examples = Examples(ToyFold(), Labelling("rank", view.actions), 5_000, breaker=Breaker(), **more)  # type: ignore[arg-type]
    for logged in log:
        examples.ahead(logged)
    examples.behind([logged for logged in log if logged.sequence <= examples.fold_until])
    return examples.drain()


def test_examples_are_the_same_whether_slates_are_kept_to_be_explained_or_not() -> None:
    log, lately = a_history(), LatelyServed(1_000)
    with_it, without = made_of(log, lately), made_of(log, None)
    assert len(without) > 50
    assert [(e.slate, e.labels.tolist()) for e in with_it] == [(e.slate, e.labels.tolist()) for e in without]
    assert all(a.vectors.tobytes() == b.vectors.tobytes() for a, b in zip(with_it, without, strict=True))
    learnt = {example.slate for example in without}
    held = {f"s{k}" for k in range(200) if lately.of(f"s{k}") is not None}
    assert learnt <= held
    assert {f"s{k}" for k in range(190)} - learnt <= held, "those that nobody acted on, too"
