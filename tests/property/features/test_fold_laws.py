"""Laws of the fold over all histories: what makes serving and training the same."""

from __future__ import annotations

import itertools
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline_contracts.record import Logged
from eddyline_features.kernel import SingleTable
from eddyline_features.state import SnapshotError, State
from eddyline_features.view import View
from tests.property.features.histories import (
    Question,
    a_question,
    lengths,
    randoms,
    small_view,
    ugly_history,
    views,
)
from tests.property.features.law import examples

laws = examples(60)


def ask(state: State, question: Question, at: int) -> bytes:
    """The answer's bytes."""
    q = question
    return state.vectors(q.user, q.session, q.items, q.item_fields, q.context, state.time_of(at, 0)).tobytes()


def folded(view: View, history: list[Logged]) -> State:
    state = State(view)
    for logged in history:
        state.apply(logged)
    return state


@laws
@given(randoms, lengths, views)
def test_a_replay_gives_the_vectors_that_were_served_live(rng: Random, n: int, view: View) -> None:
    history = ugly_history(rng, n)
    live, served = State(view), []
    for logged in history:
        if rng.randrange(2):
            question, at = a_question(rng), logged.recorded_at
            served.append((live.sequence, question, live.time_of(at, 0), ask(live, question, at)))
        live.apply(logged)
    replayed, position = State(view), 0
    for sequence, question, ranked_at, answer in served:
        while position < n and history[position].sequence <= sequence:
            replayed.apply(history[position])
            position += 1
        assert ask(replayed, question, ranked_at) == answer
    replayed.apply_all(history[position:])
    assert replayed.snapshot() == live.snapshot()


@laws
@given(randoms, lengths, views, st.lists(st.integers(0, 60), max_size=4))
def test_any_split_into_batches_gives_the_same_state(
    rng: Random, n: int, view: View, cuts: list[int]
) -> None:
    history = ugly_history(rng, n)
    one_by_one, in_batches = folded(view, history), State(view)
    places = [0, *sorted(cuts), n]
    for start, end in itertools.pairwise(places):
        in_batches.apply_all(history[start:end])
    assert in_batches.snapshot() == one_by_one.snapshot()


@laws
@given(randoms, lengths, views)
def test_reads_change_no_byte_of_the_state(rng: Random, n: int, view: View) -> None:
    state = folded(view, ugly_history(rng, n))
    before = state.snapshot()
    for _ in range(3):
        question = a_question(rng)
        first = ask(state, question, state.clock + 1)
        state.priors(question.items, state.clock)
        state.item_priors(state.clock)
        for item in question.items:
            state.item(item)
        if question.user is not None:
            state.user(question.user)
        state.memory()
        assert ask(state, question, state.clock + 1) == first
    assert state.snapshot() == before


@laws
@given(randoms, lengths, lengths, views)
def test_a_restored_state_is_the_same_and_goes_on_the_same(
    rng: Random, n: int, more: int, view: View
) -> None:
    history = ugly_history(rng, n + more)
    state = folded(view, history[:n])
    raw = state.snapshot()
    restored = State.restore(view, raw)
    assert restored.snapshot() == raw
    for logged in history[n:]:
        question = a_question(rng)
        assert ask(restored, question, logged.recorded_at) == ask(state, question, logged.recorded_at)
        state.apply(logged)
        restored.apply(logged)
    assert restored.snapshot() == state.snapshot()


def table(state: State, question: Question) -> SingleTable:
    """The answer at the state's own time, shape (N, F)."""
    q = question
    return state.vectors(q.user, q.session, q.items, q.item_fields, q.context, state.clock)


def only(question: Question, places: list[int]) -> Question:
    """The same request with the candidates at these places, in this order."""
    q = question
    fields = None if q.item_fields is None else [q.item_fields[i] for i in places]
    return Question(q.user, q.session, [q.items[i] for i in places], fields, q.context)


@laws
@given(randoms, lengths, views)
def test_one_candidate_at_a_time_gives_the_same_as_all_at_once(rng: Random, n: int, view: View) -> None:
    """But for the columns that compare candidates with each other."""
    state = folded(view, ugly_history(rng, n))
    question = a_question(rng)
    own = [column for column in range(len(view.columns)) if column not in view.relative_columns]
    together = table(state, question)
    for i in range(len(question.items)):
        alone = table(state, only(question, [i]))
        assert alone[0, own].tobytes() == together[i, own].tobytes()
    priors = state.priors(question.items, state.clock)
    assert [state.priors([item], state.clock)[0] for item in question.items] == list(priors)


@laws
@given(randoms, lengths, views)
def test_in_whatever_order_candidates_are_named_each_has_the_same_vector(
    rng: Random, n: int, view: View
) -> None:
    """A slate names them in another order than the request that it answers, and a replay reads the slate."""
    state = folded(view, ugly_history(rng, n))
    question = a_question(rng)
    order = list(range(len(question.items)))
    rng.shuffle(order)
    assert table(state, only(question, order)).tobytes() == table(state, question)[order].tobytes()


@laws
@given(randoms, lengths, views, st.integers(-(10**15), 2**53))
def test_whatever_clocks_say_nothing_is_infinite_and_no_age_or_count_is_negative(
    rng: Random, n: int, view: View, at: int
) -> None:
    state = folded(view, ugly_history(rng, n))
    question = a_question(rng)
    vectors = state.vectors(
        question.user, question.session, question.items, question.item_fields, question.context, at
    )
    assert not np.isinf(vectors).any()
    unsigned = (
        "shown",
        "seen",
        "ctr",
        "tag_rate",
        "tag_count",
        "from_there",
        "device_rate",
        "everything",
        "there_rate",
        "lately",
        "today",
        "visit",
        "hours",
        "all_days",
        "rising",
        "moving",
        "coming",
        "unsure",
        "since",
        "published",
        "liked",
        "steps",
        "tired",
    )
    for column, name in enumerate(view.columns):
        if name.endswith("lift") or name.startswith("says_"):
            # More or less than expected, and cosines: below 0 as often as above.
            continue
        if name.startswith(unsigned) or name.endswith(("acted", "passed", "rate", "best", "share")):
            values = vectors[:, column]
            assert (values[~np.isnan(values)] >= 0.0).all(), name
    assert np.isfinite(state.priors(question.items, at)).all()


@laws
@given(randoms, st.integers(40, 120))
def test_memory_stays_within_the_limits(rng: Random, n: int) -> None:
    view = small_view()
    state = folded(view, ugly_history(rng, n))
    assert len(state.items) <= view.limits.items
    assert len(state.users) <= view.limits.users
    assert len(state.sessions) <= view.limits.sessions
    assert len(state.values) <= view.limits.values
    assert sorted(state.items.rows.values()) == list(range(len(state.items)))
    used = state.items.values[: len(state.items)]
    for code in range(len(state.values)):
        assert state.values.uses[code] == np.count_nonzero(used == code)
        assert (code in state.values.unused) == (state.values.uses[code] == 0)
    assert sum(len(codes) for codes in state.values.codes) == len(state.values)


@laws
@given(randoms, lengths, views, st.data())
def test_a_damaged_snapshot_is_refused(rng: Random, n: int, view: View, data: st.DataObject) -> None:
    raw = bytearray(folded(view, ugly_history(rng, n)).snapshot())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SnapshotError):
        State.restore(view, bytes(raw))
    with pytest.raises(SnapshotError):
        State.restore(view, bytes(raw[:place]))
