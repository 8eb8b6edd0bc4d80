"""A view proposed from data: it is always one that loads, and each choice follows from what the data shows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from eddyline_contracts.events import Event, ItemUpserted, SlateItem, UserUpserted
from eddyline_contracts.record import Logged
from eddyline_features.autoconfig import Profile, propose
from eddyline_features.declarations.affinity import Affinity
from eddyline_features.declarations.co_interaction import CoInteraction
from eddyline_features.declarations.content import ContentSimilarity
from eddyline_features.declarations.count import Count
from eddyline_features.declarations.fields import Boolean, Categories, Number
from eddyline_features.declarations.item_age import ItemAge
from eddyline_features.declarations.online import OnlineScore, OnlineSimilarity
from eddyline_features.declarations.position import Position
from eddyline_features.declarations.rate import Rate
from eddyline_features.declarations.relative import Relative
from eddyline_features.delays import Delays
from eddyline_features.sampling import DistinctSample
from eddyline_features.tempo import Tempo
from eddyline_features.view import View, load_view
from tests.support.builders import DAY, HOUR, MINUTE, START, a_click, a_log, a_slate, a_user, an_item, logged


def text_for(log: Iterable[Logged], **options: Any) -> str:
    profile = Profile()
    for event in log:
        profile.add(event)
    return propose(profile, **options)


def view_for(log: Iterable[Logged]) -> View:
    return load_view(text_for(log))


def a_shop(n: int = 40, delay: int = 5_000) -> list[Logged]:
    """``n`` slates of four of twenty items, with a click on the second."""
    log = [
        logged(
            an_item(f"i{i}", brand=f"b{i % 5}", price=i * 1.5, tags=[f"t{i % 7}", f"t{i % 11}"], sku=f"s{i}"),
            i + 1,
        )
        for i in range(20)
    ]
    for n_slate in range(n):
        at = START + n_slate * MINUTE
        items = [f"i{(n_slate * 3 + place) % 20}" for place in range(4)]
        slate = a_slate(items, user=f"u{n_slate % 8}", id=f"s{n_slate}")
        log.append(logged(slate, len(log) + 1, at))
        click = a_click(items[1], user=f"u{n_slate % 8}", slate=f"s{n_slate}")
        log.append(logged(click, len(log) + 1, at + delay))
    return log


def features_of(view: View, kind: type) -> dict[str, Any]:
    return {feature.name: feature for feature in view.features if isinstance(feature, kind)}


# Fields ------------------------------------------------------------------------------------------------------


def test_fields_become_features_by_type_and_by_how_often_their_values_come_again() -> None:
    view = view_for(a_shop())
    assert set(features_of(view, Number)) == {"price"}
    assert features_of(view, Categories)["brand"].values == ("b0", "b1", "b2", "b3", "b4")
    assert set(features_of(view, Rate)) == {"item_rate", "brand_rate", "tags_rate"}
    assert {f.field: f.outputs for f in features_of(view, Affinity).values() if f.field != "item"} == {
        "brand": ("lift",),
        "tags": ("lift",),
    }
    assert features_of(view, Position)


def test_what_is_left_out_is_told_with_the_reason() -> None:
    log = a_shop()
    for n in range(20):
        story = f"once upon a time there was the number {n} and it was long"
        more = an_item(f"i{n}", always="x", story=story, ref_id=7_000 + n, vector=[0.5, n / 3])
        log.append(logged(more, 1_000 + n))
    text = text_for(log)
    for name, why in (
        ("sku", "a name or key"),
        ("always", "always the same value"),
        ("story", "free text"),
        ("ref_id", "a key"),
        ("vector", "lists of numbers with decimals"),
    ):
        assert f"# left out: {name} ({why}" in text
        assert f"item.{name}" not in text


def test_many_values_make_codes_and_booleans_and_times_are_known() -> None:
    log = [
        logged(
            an_item(
                f"i{n}", city=f"c{n % 12}", new=n % 3 == 0, published=f"2024-01-{n % 28 + 1:02d}T00:00:00Z"
            ),
            n + 1,
        )
        for n in range(300)
    ]
    view = view_for(log + a_shop())
    assert not features_of(view, Categories)["city"].one_hot
    assert set(features_of(view, Boolean)) == {"new"}
    assert features_of(view, ItemAge)["published_age"].field == "published"


def test_users_context_and_the_slates_own_fields_are_looked_at_too() -> None:
    log = a_log(
        *(a_user(f"u{n}", age=20 + n, country=["DE", "FR"][n % 2]) for n in range(10)),
        *(
            a_slate(
                [SlateItem(item=f"i{i}", fields={"relevancy": i / n, "fixed": 0}) for i in range(3)],
                context={"device": ["phone", "desk"][n % 2]},
            )
            for n in range(1, 20)
        ),
    )
    view = view_for(log)
    assert set(features_of(view, Number)) == {"user_age", "slate_relevancy"}
    assert features_of(view, Categories)["context_device"].values == ("desk", "phone")
    assert "left out: fixed (always the same value)" in text_for(log)


def test_a_view_learns_online_compares_rates_and_knows_what_goes_together() -> None:
    view = view_for(a_shop())
    assert view.online is not None
    (beside,) = features_of(view, Relative).values()
    assert (
        str(beside.field) == f"column.{next(c for c in reversed(view.columns) if c.startswith('item_rate_'))}"
    )
    assert features_of(view, OnlineScore)
    assert features_of(view, OnlineSimilarity)
    assert features_of(view, CoInteraction)["together"].half_life > 0


def test_texts_are_read_where_nothing_else_says_what_items_have_in_common() -> None:
    """Where something does, a line says what could be tried; a name of two words says nothing, nor do rare texts."""

    def with_items(n_texts: int, **fields: Any) -> list[Logged]:
        told = [
            {**fields, **({"title": f"a thing of the {i} kind"} if i < n_texts else {})} for i in range(20)
        ]
        items = [logged(an_item(f"i{i}", **told[i]), i + 1) for i in range(20)]
        return [*items, *a_shop()[20:]]

    view = view_for(with_items(20, name="Toy Story"))
    assert list(features_of(view, ContentSimilarity)) == ["text"]
    assert view.content is not None
    assert "title" in view.content.fields
    told = text_for(with_items(20, brand="Acme", tags=["new", "red"]))
    assert not features_of(load_view(told), ContentSimilarity)
    assert "left out: what texts say (title). It added nothing where" in told
    assert "eddyline evaluate EVENTS --encoder tfidf" in " ".join(told.replace("#", "").split())
    for silent in (with_items(8, price=2.5), with_items(0, name="Toy Story")):
        assert "what texts say" not in text_for(silent)
        assert not features_of(view_for(silent), ContentSimilarity)
    assert not features_of(load_view(text_for(with_items(20), content=False)), ContentSimilarity)


def test_where_nobody_does_anything_there_is_nothing_to_learn_online() -> None:
    view = view_for(a_log(*(a_slate([SlateItem(item=f"i{n}")]) for n in range(5))))
    assert view.online is None
    assert not features_of(view, CoInteraction)


# Actions, objective, time ------------------------------------------------------------------------------------


def test_rare_actions_weigh_more_and_those_that_say_no_count_against() -> None:
    clicks = [("view", 400), ("like", 40), ("buy", 4), ("open", 4), ("hide", 50), ("impression", 9)]
    log = a_log(*(a_click(f"i{n % 9}", action=action) for action, times in clicks for n in range(times)))
    view = view_for(log)
    assert {name: action.weight for name, action in view.actions.items()} == {
        "view": 1,
        "hide": -1,
        "like": 3,
        "buy": 5,
        "open": 1,
    }
    assert view.actions["hide"].gain == 0
    assert "left out: impression" in text_for(log)


def test_slates_with_clicks_are_ranked_and_values_without_slates_are_rated() -> None:
    assert view_for(a_shop()).learning.objective == "rank"
    ratings = a_log(*(a_click(f"i{n % 9}", action="rating", value=n % 5 + 1) for n in range(100)))
    view = view_for(ratings)
    assert view.learning.objective == "rating"
    assert not features_of(view, Position)
    # Counts do not tell a good item from a bad one that is rated as often: means of the values do.
    means = features_of(view, Rate)
    assert set(means) == {"item_rating_mean", "user_rating_mean"}
    # And a low rating is no like.
    assert view.actions["rating"].values == (1.0, 5.0)
    assert view.online is not None
    assert view.online.target == "value"
    assert all(
        (mean.actions, mean.per, mean.value) == (("rating",), ("rating",), True) for mean in means.values()
    )
    assert set(features_of(view, Count)) == {"item_actions", "item_ratings", "user_ratings"}
    prices = a_log(*(a_click(f"i{n % 9}", action="purchase", value=9.99 * n) for n in range(100)))
    bought = view_for(prices)
    assert bought.actions["purchase"].values is None
    assert bought.online is not None
    assert bought.online.target == "action"
    clicks = a_log(*(a_click(f"i{n % 9}") for n in range(100)))
    assert view_for(clicks).learning.objective == "rank"
    alone = [(a_slate([f"i{n % 7}"], id=f"s{n}"), a_click(f"i{n % 7}", slate=f"s{n}")) for n in range(60)]
    alone_log = a_log(*(event for pair in alone for event in pair))
    assert view_for(alone_log).learning.objective == "click"


def test_the_label_window_covers_99_of_100_delays_and_is_a_duration_that_people_use() -> None:
    assert view_for(a_shop(delay=5_000)).label_window_ms == 10_000
    assert view_for(a_shop(delay=50_000)).label_window_ms == MINUTE
    assert view_for(a_shop(delay=4 * MINUTE)).label_window_ms == 5 * MINUTE
    assert "no delay could be seen" in text_for(a_log(a_click("i1")))


def test_a_click_that_names_no_slate_is_found_in_the_persons_newest() -> None:
    log = [logged(a_slate(["a", "b"], user="u"), 1, START), logged(a_click("b", user="u"), 2, START + 40_000)]
    assert view_for(log).label_window_ms == MINUTE


def test_repeats_sessions_and_ages_are_used_where_they_say_something() -> None:
    def visit(k: int) -> Event:
        return a_click(f"i{k // 4}", user=f"u{k % 20}", session=f"x{k % 20}-{k // 40}")

    # Everybody acts on an item twice.
    log = [logged(visit(k // 2), k + 1, START + k * HOUR) for k in range(800)]
    view = view_for(log)
    assert {(f.by, f.field) for f in features_of(view, Affinity).values()} == {
        ("user", "item"),
        ("session", "item"),
    }
    assert features_of(view, ItemAge)["item_age"].field is None
    assert not features_of(view_for(a_shop()), ItemAge)


def test_half_lives_follow_how_fast_popularity_changes() -> None:
    def history(hours_of_fame: int) -> list[Logged]:
        # Every so often another item is what everybody looks at; half of all look elsewhere.
        return [
            logged(
                a_click(f"i{k // 10 // hours_of_fame % 50}" if k % 2 else f"i{k * 7 % 50}", user=f"u{k}"),
                k + 1,
                START + k * HOUR // 10,
            )
            for k in range(6_000)
        ]

    quick, slow = view_for(history(1)), view_for(history(48))
    assert quick.prior.half_life_ms < slow.prior.half_life_ms
    assert HOUR // 4 <= quick.prior.half_life_ms <= 3 * HOUR
    assert slow.prior.half_life_ms <= DAY


def test_the_same_half_life_is_the_longest_when_nothing_changes() -> None:
    tempo = Tempo()
    for k in range(2_000):
        tempo.act(f"i{k * 7 % 10}", START + k * MINUTE, None, predict=True)
    assert tempo.best(7 * DAY) == 7 * DAY
    assert Tempo().best(DAY) is None


def test_tempo_forgets_the_items_longest_unseen() -> None:
    tempo = Tempo(max_items=3)
    for k in range(100):
        tempo.show([f"i{k}", f"i{k + 1}"], START + k)
        tempo.act(f"i{k}", START + k, [f"i{k}", f"i{k + 1}"], predict=True)
    assert tempo.n_predicted == 100
    assert tempo.best(DAY) is not None


# Sizes -------------------------------------------------------------------------------------------------------


def test_limits_and_sizes_grow_with_the_data() -> None:
    small = view_for(a_shop(40))
    assert small.limits.items == 10_000
    assert small.learning.leaves == 7
    assert small.learning.min_slates == 50
    many = view_for(a_log(*(a_click(f"i{n}", user=f"u{n}") for n in range(12_000))))
    assert 20_000 <= many.limits.items <= 50_000
    assert 20_000 <= many.limits.users <= 50_000


def test_distinct_things_are_counted_exactly_while_they_are_few_and_nearly_when_they_are_many() -> None:
    sample = DistinctSample(64)
    for n in range(50):
        sample.add(f"k{n}", n)
    assert (sample.n_distinct, sample.total, sample.quantile(0.5)) == (50, 1_225, 25)
    for n in range(20_000):
        sample.add(f"k{n}")
    assert len(sample.counts) == 64
    assert math.isclose(sample.n_distinct, 20_000, rel_tol=0.4)
    other = DistinctSample(64)
    for n in reversed(range(20_000)):
        other.add(f"k{n}", n if n < 50 else 0)
        other.add(f"k{n}")
    assert other.counts == sample.counts


@given(st.lists(st.integers(-5, 10**10), min_size=1, max_size=60), st.floats(0.01, 1))
def test_a_quantile_of_delays_is_never_too_small_and_hardly_too_large(found: list[int], share: float) -> None:
    delays = Delays()
    for delay in found:
        delays.add(delay)
    exact = sorted(max(0, delay) for delay in found)[max(0, math.ceil(share * len(found) - 1e-9) - 1)]
    assert exact <= delays.quantile(share) <= 1.05 * exact + 1


# Any data ----------------------------------------------------------------------------------------------------

words = st.text(min_size=1, max_size=12)
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    words,
    st.lists(words, max_size=3),
    st.just({}),
)
fields = st.dictionaries(words, values, max_size=4)
names = st.sampled_from(["a", "b", "true", "x: y", "#", "1", "Ü"])
events = st.one_of(
    st.builds(lambda item, fields: ItemUpserted(item=item, fields=fields), names, fields),
    st.builds(lambda user, fields: UserUpserted(user=user, fields=fields), names, fields),
    st.builds(
        lambda items, user, context, own: a_slate(
            [SlateItem(item=item, fields=own) for item in items], user=user, context=context
        ),
        st.lists(names, min_size=1, max_size=4),
        names,
        fields,
        fields,
    ),
    st.builds(
        lambda item, user, action, value: a_click(item, user=user, action=action, value=value),
        names,
        names,
        words,
        st.floats(-10, 10),
    ),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(events, st.integers(0, 2**45)), max_size=25), words)
def test_whatever_the_events_are_the_proposal_loads_and_is_the_same_again(
    told: list[tuple[Event, int]], name: str
) -> None:
    log = [logged(event, n + 1, at) for n, (event, at) in enumerate(told)]
    text = text_for(log, name=name)
    assert text == text_for(log, name=name)
    view = load_view(text)
    assert len(view.columns) == len(set(view.columns))


# Recommending ------------------------------------------------------------------------------------------------


def test_a_section_says_what_is_recommended_by_and_which_fields_filters_may_name() -> None:
    text = text_for(a_shop())
    recommend = load_view(text).recommend
    assert recommend is not None
    assert set(recommend.fields) == {"brand", "price", "tags"}
    assert recommend.half_lives_ms
    assert "  # caps: {brand: 2}" in text
    # As many as one can wish for, with names that YAML would read as something else.
    names = [f"no {n}" if n % 2 else "x" * 40 + str(n) for n in range(60)]
    log = [
        logged(
            an_item(f"i{i}", yes=f"b{i % 5}", **{name: (n + i) % 5 * 0.5 for n, name in enumerate(names)}),
            1_000 + i,
        )
        for i in range(40)
    ]
    recommend = view_for(a_shop() + log).recommend
    assert recommend is not None
    assert len(recommend.fields) == 16
