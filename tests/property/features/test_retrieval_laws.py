"""Laws of retrieval: whatever happened, nobody is proposed what they must not see, and nobody is left without."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given

from eddyline_contracts.events import InteractionRecorded, ItemUpserted, SlateServed
from eddyline_contracts.record import Logged
from eddyline_features.entities import REMOVED
from eddyline_features.kernel import Octets
from eddyline_features.recommend_settings import FILL, NOTHING, SHOWN, SOURCES
from eddyline_features.retrieval.found import Found
from eddyline_features.state import State
from eddyline_features.view import View
from tests.property.features.histories import (
    ITEMS,
    Question,
    a_question,
    choosing,
    choosing_views,
    lengths,
    randoms,
    roomy_view,
    ugly_history,
)
from tests.property.features.law import examples

laws = examples(25)


def choose(
    state: State,
    question: Question,
    n: int = 20,
    allowed: Octets | None = None,
    exclude: tuple[str, ...] = (),
) -> Found:
    q = question
    return state.candidates(q.user, q.session, q.context, state.clock, n, allowed=allowed, exclude=exclude)


def told(found: Found) -> tuple[list[str], bytes, bytes]:
    return found.items, found.rows.tobytes(), found.source.tobytes()


def folded(view: View, history: list[Logged]) -> State:
    state = State(view)
    state.apply_all(history)
    return state


def seen_by(view: View, history: list[Logged], who: str | None) -> list[str]:
    """What a person has seen by the view's policy, the newest first, as the events say."""
    assert view.recommend is not None
    found: dict[str, None] = {}
    for logged in history:
        event, items = logged.event, []
        if isinstance(event, InteractionRecorded) and view.actions.get(event.action):
            items = [event.item] if view.actions[event.action].weight else []
        elif isinstance(event, SlateServed) and view.recommend.seen == SHOWN:
            items = [item.item for item in event.items]
        else:
            continue
        if (event.session if event.user is None else event.user) == who:
            for item in items:
                found.pop(item, None)
                found[item] = None
    if who is None or view.recommend.seen == NOTHING:
        return []
    return list(reversed(found))[: view.recommend.remembered]


@laws
@given(randoms, lengths, choosing_views)
def test_nothing_is_proposed_that_is_removed_excluded_or_filtered_and_nothing_twice(
    rng: Random, n: int, view: View
) -> None:
    state = folded(view, ugly_history(rng, n))
    question, most = a_question(rng), rng.choice((0, 1, 3, 20))
    allowed = np.array([rng.randrange(2) for _ in range(len(state.items) + rng.randrange(3))], np.uint8)
    exclude = tuple(rng.sample(ITEMS, rng.randrange(4)))
    found = choose(state, question, most, allowed, exclude)
    assert len(found.items) == len(found.rows) == len(found.source) <= most
    assert len(set(found.items)) == len(found.items)
    assert found.sources == (*SOURCES, FILL)
    assert all(source < len(found.sources) for source in found.source.tolist())
    assert not set(found.items) & set(exclude)
    for item, row in zip(found.items, found.rows.tolist(), strict=True):
        assert state.items.rows[item] == row
        assert not state.items.meta[row, REMOVED]
        assert allowed[row]


@laws
@given(randoms, lengths, choosing_views)
def test_what_the_log_says_is_removed_stays_so_though_the_item_was_forgotten_since(
    rng: Random, n: int, view: View
) -> None:
    """A late click on it, or a slate that showed it, says nothing of its being there again."""
    history = ugly_history(rng, n)
    told = {logged.event.item: logged.event for logged in history if isinstance(logged.event, ItemUpserted)}
    removed = {item for item, event in told.items() if event.removed}
    state = folded(view, history)
    assert not removed & set(choose(state, a_question(rng), 100).items)
    restored = State.restore(view, state.snapshot())
    # Whoever goes on with a snapshot knows it too.
    for item in sorted(removed):
        assert restored.items.meta[restored.items.touch(item, 0), REMOVED]


@laws
@given(randoms, lengths)
def test_what_a_person_has_seen_is_not_proposed_and_all_else_is(rng: Random, n: int) -> None:
    """With room for everybody, so that nothing is forgotten but what is beyond ``remembered``."""
    view = choosing(roomy_view(), rng.choice(("acted", "shown", "nothing")), rng.choice((0, 1, 3, 1_000)))
    history = ugly_history(rng, n)
    state, question = folded(view, history), a_question(rng)
    who = question.session if question.user is None else question.user
    seen = set(seen_by(view, history, who))
    exclude = tuple(rng.sample(ITEMS, rng.randrange(3)))
    allowed = np.array([rng.randrange(3) for _ in range(len(state.items))], np.uint8)
    free = {
        item
        for item, row in state.items.rows.items()
        if not state.items.meta[row, REMOVED] and allowed[row] and item not in seen and item not in exclude
    }
    assert set(choose(state, question, 100, allowed, exclude).items) == free
    # However few are asked for, there are as many: nobody is left without while there is one.
    assert len(choose(state, question, 1, allowed, exclude).items) == min(1, len(free))


@laws
@given(randoms, lengths, choosing_views)
def test_to_ask_for_more_adds_to_the_end(rng: Random, n: int, view: View) -> None:
    state, question = folded(view, ugly_history(rng, n)), a_question(rng)
    few, more = choose(state, question, rng.randrange(8)), choose(state, question, 12)
    assert more.items[: len(few.items)] == few.items
    assert more.source[: len(few.items)].tolist() == few.source.tolist()


@laws
@given(randoms, lengths, choosing_views)
def test_a_replay_finds_what_was_found_live(rng: Random, n: int, view: View) -> None:
    history = ugly_history(rng, n)
    live, answers = State(view), []
    for logged in history:
        question = a_question(rng)
        answers.append((question, told(choose(live, question))))
        live.apply(logged)
    replayed = State(view)
    for logged, (question, answer) in zip(history, answers, strict=True):
        assert told(choose(replayed, question)) == answer
        replayed.apply(logged)
    assert replayed.snapshot() == live.snapshot()


@laws
@given(randoms, lengths, lengths, choosing_views)
def test_a_restored_state_finds_the_same_and_goes_on_the_same(
    rng: Random, n: int, more: int, view: View
) -> None:
    history = ugly_history(rng, n + more)
    state = folded(view, history[:n])
    restored = State.restore(view, state.snapshot())
    for logged in history[n:]:
        question = a_question(rng)
        assert told(choose(restored, question)) == told(choose(state, question))
        state.apply(logged)
        restored.apply(logged)
    assert restored.snapshot() == state.snapshot()


@laws
@given(randoms, lengths, choosing_views)
def test_choosing_changes_no_byte_of_the_state_and_no_later_answer(rng: Random, n: int, view: View) -> None:
    state = folded(view, ugly_history(rng, n))
    before = state.snapshot()
    questions = [a_question(rng) for _ in range(3)]
    first = [told(choose(state, question)) for question in questions]
    choose(state, questions[0], 3, np.zeros(len(state.items), np.uint8))
    assert [told(choose(state, question)) for question in questions] == first
    assert state.snapshot() == before


@laws
@given(randoms, lengths)
def test_a_view_that_chooses_gives_the_vectors_that_it_gave_before(rng: Random, n: int) -> None:
    history = ugly_history(rng, n)
    plain, with_choice = folded(roomy_view(), history), folded(choosing(roomy_view()), history)
    q = a_question(rng)
    for state in (plain, with_choice):
        state.snapshot()
    assert (
        plain.vectors(q.user, q.session, q.items, q.item_fields, q.context, plain.clock).tobytes()
        == with_choice.vectors(q.user, q.session, q.items, q.item_fields, q.context, plain.clock).tobytes()
    )
