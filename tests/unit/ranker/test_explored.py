"""A slate that chance has a say in: which places, of which candidates, and the same for whoever asks again."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline_features.exploration_settings import POLICIES, Exploration
from eddyline_ranker.exploration import MOST_PLACES, Explored, explored, is_explored

SCORES = np.array([0.1, 2.0, -1.0, 0.7, 0.4, -0.2, 1.2, 0.0])
ORDER = [1, 6, 3, 4, 0, 7, 5, 2]
CERTAIN = np.full(8, 0.5, "<f4").tobytes()
RANDOM_POLICIES = [policy for policy in POLICIES if policy != "greedy"]


def drawn(
    settings: Exploration, n: int = 8, slate: str = "s1", deviations: bytes = CERTAIN
) -> Explored | None:
    return explored(SCORES, n, settings, person="u1", slate=slate, deviations=deviations)


def test_by_score_alone_chance_has_no_say() -> None:
    assert drawn(Exploration()) is None


@pytest.mark.parametrize("policy", RANDOM_POLICIES)
def test_a_retry_gets_the_same_and_another_slate_another(policy: str) -> None:
    settings = Exploration(policy=policy, epsilon=0.5, temperature=1.0, scale=2.0)
    assert drawn(settings) == drawn(settings)
    assert len({tuple(found.order) for k in range(20) if (found := drawn(settings, slate=f"s{k}"))}) > 5


@pytest.mark.parametrize("policy", RANDOM_POLICIES)
def test_a_list_that_is_shown_whole_keeps_what_stands_below_the_drawn_places(policy: str) -> None:
    settings = Exploration(policy=policy, places=3, epsilon=0.9, temperature=10.0, scale=10.0)
    seen = set()
    for k in range(30):
        found = drawn(settings, slate=f"s{k}")
        assert found is not None
        assert found.policy == policy
        assert found.order[3:] == ORDER[3:]
        assert found.propensities[3:] == [1.0] * 5
        assert all(0.0 < propensity < 1.0 for propensity in found.propensities[:3])
        assert [ORDER[rank] for rank in found.by_score] == found.order
        seen.add(tuple(found.order[:3]))
    assert len(seen) > 3


@pytest.mark.parametrize("policy", RANDOM_POLICIES)
def test_of_a_choice_every_candidate_may_come_to_every_place(policy: str) -> None:
    settings = Exploration(policy=policy, places=2, epsilon=0.9, temperature=10.0, scale=10.0)
    seen = set()
    for k in range(300):
        found = drawn(settings, 3, slate=f"s{k}")
        assert found is not None
        assert len(found.order) == len(found.propensities) == len(found.by_score) == 3
        seen |= set(enumerate(found.order))
    assert len(seen) == 3 * len(SCORES)


def test_who_is_of_the_share_is_shuffled_and_everybody_else_served_by_the_policy() -> None:
    settings = Exploration(share=0.5, places=4, policy="epsilon", epsilon=1.0)
    of_share = next(f"u{k}" for k in range(99) if is_explored(f"u{k}", 0.5))
    other = next(f"u{k}" for k in range(99) if not is_explored(f"u{k}", 0.5))
    first = explored(SCORES, 8, settings, person=of_share, slate="s1")
    second = explored(SCORES, 8, settings, person=other, slate="s1")
    assert first is not None
    assert second is not None
    assert (first.policy, first.propensities[:4]) == ("shuffled", [0.25] * 4)
    assert second.policy == "epsilon"


def test_another_salt_chooses_other_people_and_none_the_same_as_ever() -> None:
    people = [f"u{k}" for k in range(2_000)]
    usual = {person for person in people if is_explored(person, 0.1)}
    salted = {person for person in people if is_explored(person, 0.1, "autumn")}
    assert len(salted) == pytest.approx(200, abs=50)
    assert len(usual & salted) < 50
    assert is_explored("u3", 0.1, "") == is_explored("u3", 0.1)


def test_without_deviations_thompson_is_the_order_by_score() -> None:
    assert drawn(Exploration(policy="thompson"), deviations=b"") is None


def test_thompson_leaves_alone_what_is_known() -> None:
    known = np.array([1e-9] * 7 + [1.0], "<f4").tobytes()
    found = [drawn(Exploration(policy="thompson", scale=5.0), 3, f"s{k}", known) for k in range(60)]
    first = [each.order for each in found if each is not None]
    # The item that nobody knows comes and goes; the others never change places among themselves.
    assert {tuple(i for i in order if i != 7) for order in first} <= {(1, 6), (1, 6, 3)}
    assert 0 < sum(7 in order for order in first) < 60


@pytest.mark.parametrize("policy", RANDOM_POLICIES)
def test_the_unit_of_scores_does_not_matter(policy: str) -> None:
    settings = Exploration(policy=policy, epsilon=0.3)
    one = explored(SCORES, 5, settings, person="u", slate="s", deviations=CERTAIN)
    other = explored(1_000.0 * SCORES + 7.0, 5, settings, person="u", slate="s", deviations=CERTAIN)
    assert one is not None
    assert other is not None
    assert one.order == other.order
    assert one.propensities == pytest.approx(other.propensities, rel=1e-6)


@pytest.mark.parametrize("score", [0.0, 0.1, -0.7])
def test_items_that_nothing_tells_apart_come_first_equally_often(score: float) -> None:
    firsts = {policy: set[int]() for policy in ("thompson", "plackett-luce")}
    for policy, seen in firsts.items():
        for k in range(60):
            found = explored(
                np.full(3, score),
                3,
                Exploration(policy=policy),
                person="u",
                slate=f"s{k}",
                deviations=CERTAIN[:12],
            )
            assert found is not None
            assert found.propensities == pytest.approx([1 / 3] * 3, abs=0.05)
            seen.add(found.order[0])
    assert firsts == {policy: {0, 1, 2} for policy in firsts}


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=90),
    st.integers(1, 120),
    st.sampled_from(POLICIES),
    st.floats(0.0, 1.0),
    st.floats(0.001, 100.0),
)
def test_nobody_is_shown_twice_and_every_propensity_can_be_logged(
    scores: list[float], n: int, policy: str, chance: float, temperature: float
) -> None:
    settings = Exploration(policy=policy, epsilon=chance, temperature=temperature, scale=temperature)
    deviations = np.linspace(0.0, 2.0, len(scores)).astype("<f4").tobytes()
    found = explored(np.array(scores), n, settings, person="u", slate="s", deviations=deviations)
    if found is None:
        assert policy == "greedy" or len(scores) == 1
        return
    assert len(found.order) == len(set(found.order)) == min(n, len(scores))
    assert all(0.0 < propensity <= 1.0 for propensity in found.propensities)
    assert sum(rank != place for place, rank in enumerate(found.by_score[MOST_PLACES:], MOST_PLACES)) == 0


def test_what_is_equal_in_score_is_drawn_evenly() -> None:
    same = np.zeros(4)
    settings = Exploration(policy="plackett-luce")
    found = explored(same, 2, settings, person="u", slate="s")
    assert found is not None
    assert found.propensities == pytest.approx([0.25, 0.25], rel=1e-5)
    assert dataclasses.replace(found, order=[]).policy == "plackett-luce"
