"""From scored candidates to a slate: rules are kept whatever chance does, and chance tells the truth about itself."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline_contracts.api_recommend import RecommendRequest
from eddyline_contracts.candidates import CandidatesAnswer
from eddyline_features.exploration import thompson
from eddyline_features.exploration_settings import POLICIES, Exploration
from eddyline_ranker.choosing import Chosen, choose
from eddyline_ranker.judging import Judged
from eddyline_ranker.recommendation import Recommendation

GREEDY = Exploration()


@pytest.fixture(autouse=True, scope="module")
def _drawn() -> None:
    thompson.load()


def chosen(
    scores: list[float],
    brands: list[list[str]],
    *,
    n: int,
    cap: int | None = None,
    diversity: float = 0.0,
    exploration: Exploration = GREEDY,
    slate: str = "s",
    log: bool = True,
    embeddings: bytes = b"",
    numbers_too: bool = False,
) -> Chosen:
    answer = CandidatesAnswer(
        sequence=1,
        ranked_at=1,
        n_features=0,
        items=[f"i{k}" for k in range(len(scores))],
        sources=["fill"],
        source=bytes(len(scores)),
        vectors=b"",
        values=[brands],
        embeddings=embeddings,
        deviations=np.linspace(1.0, 0.2, len(scores)).astype("<f4").tobytes(),
    )
    wanted = Recommendation(
        RecommendRequest(user="u", n=n, log=log),
        None,
        {} if cap is None else {"brand": cap},
        diversity,
        ("brand",),
        numbers_too,
    )
    judged = Judged(np.array(scores), "live-priors", None, [])
    return choose(judged, wanted, answer, exploration, slate)


TABLES = st.integers(0, 25).flatmap(
    lambda n: st.tuples(
        st.lists(st.floats(-5, 5), min_size=n, max_size=n),
        st.lists(st.lists(st.sampled_from("abcd"), max_size=2, unique=True), min_size=n, max_size=n),
    )
)


@given(
    TABLES,
    st.integers(1, 30),
    st.integers(1, 3) | st.none(),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from(POLICIES),
    st.sampled_from([0.0, 1.0]),
    st.booleans(),
)
def test_rules_hold_whatever_chance_does(
    table: tuple[list[float], list[list[str]]],
    n: int,
    cap: int | None,
    diversity: float,
    policy: str,
    share: float,
    log: bool,
) -> None:
    scores, brands = table
    exploration = Exploration(policy=policy, share=share, places=5, epsilon=0.7)
    told = chosen(
        scores, brands, n=n, cap=cap, diversity=diversity, exploration=exploration, slate=f"s{n}", log=log
    )
    plain = chosen(scores, brands, n=n, cap=cap, diversity=diversity)
    assert len(set(told.order)) == len(told.order) == len(plain.order) <= n
    if cap is None:
        assert len(told.order) == min(n, len(scores))
    else:
        shown = Counter(brand for at in told.order for brand in brands[at])
        assert max(shown.values(), default=0) <= cap
    if not log:
        assert told == plain
    if told.propensities is not None:
        assert len(told.propensities) == len(told.order)
        assert all(0.0 < p <= 1.0 for p in told.propensities)


def test_without_chance_it_is_the_order_by_score_within_the_caps() -> None:
    told = chosen([1.0, 4.0, 3.0, 2.0, 0.0], [["a"], ["b"], ["b"], ["b"], []], n=4, cap=2)
    assert (told.order, told.policy) == ([1, 2, 0, 4], "live-priors")
    assert told.propensities is told.by_score is None


def test_the_dial_makes_a_slate_of_unlike_items_by_fields_and_by_vectors() -> None:
    scores, brands = [5.0, 4.9, 4.8, 4.0], [["a"], ["a"], ["a"], ["b"]]
    assert chosen(scores, brands, n=2).order == [0, 1]
    assert chosen(scores, brands, n=2, diversity=0.9).order == [0, 3]
    unknown: list[list[str]] = [[]] * 4
    vectors = np.array([[1, 0], [1, 0], [0, 1], [1, 0]], "<f4").tobytes()
    assert chosen(scores, unknown, n=2, diversity=0.9, embeddings=vectors).order == [0, 2]


def test_numbers_make_items_alike_only_where_the_view_has_chosen_their_field() -> None:
    scores, prices = [5.0, 4.9, 4.8, 4.0], [["20"], ["20"], ["20"], ["30"]]
    assert chosen(scores, prices, n=2, diversity=0.9).order == [0, 1]
    assert chosen(scores, prices, n=2, diversity=0.9, numbers_too=True).order == [0, 3]


@pytest.mark.parametrize("policy", ["epsilon", "plackett-luce", "thompson"])
def test_propensities_are_how_often_each_item_stands_there(policy: str) -> None:
    # Two of brand a stand above the rest; of the third there is never room.
    scores, brands = [3.0, 2.8, 2.6, 2.0, 1.0], [["a"], ["a"], ["a"], ["b"], ["c"]]
    exploration = Exploration(policy=policy, epsilon=0.3, temperature=0.6, scale=0.6)
    times = Counter[tuple[int, int]]()
    told: dict[tuple[int, int], float] = {}
    n_slates = 3_000
    for k in range(n_slates):
        slate = chosen(scores, brands, n=3, cap=2, exploration=exploration, slate=f"slate-{k}")
        assert slate.policy == policy
        assert slate.propensities is not None
        for place, (at, propensity) in enumerate(zip(slate.order, slate.propensities, strict=True)):
            times[at, place] += 1
            told[at, place] = propensity
    assert not any(at == 2 for at, _ in times)
    for cell, propensity in told.items():
        error = np.sqrt(propensity * (1.0 - propensity) / n_slates)
        assert times[cell] / n_slates == pytest.approx(propensity, abs=5 * error + 0.01), cell
