"""Random histories as clients really send them: ugly values, lying clocks, unknown ids, things out of order."""

from __future__ import annotations

import dataclasses
import math
from random import Random
from typing import Any

from hypothesis import strategies as st

from eddyline_contracts.events import (
    Event,
    InteractionRecorded,
    ItemEmbedded,
    ItemUpserted,
    ModelPromoted,
    SlateItem,
    SlateServed,
    UserUpserted,
)
from eddyline_contracts.record import Logged
from eddyline_features.view import Limits, View, load_view

EVERY_KIND = """
view: every-kind
label_window: 10m
actions: {click: 1, buy: {weight: 5, gain: 3}, look: {weight: 0, gain: 0}, hide: -2}
prior: {half_life: 2h, strength: 3}
online: {rule: sgd, factors: 3, recent: 2, ripe_after: 1m}
features:
  - {name: online, kind: online_score, outputs: [score, taste, bias]}
  - {name: like, kind: online_similarity, outputs: [user, last, mean]}
  - {name: price, kind: number, field: item.price}
  - {name: relevancy, kind: number, field: slate.relevancy}
  - {name: age, kind: number, field: user.age}
  - {name: hour, kind: number, field: context.hour}
  - {name: fresh, kind: boolean, field: item.fresh}
  - {name: member, kind: boolean, field: user.member}
  - {name: brand, kind: categories, field: item.brand, max_values: 3}
  - {name: size, kind: categories, field: item.size, values: [s, m, "1"]}
  - {name: genre, kind: categories, field: item.genres, encode: one-hot, values: [a, b, "true"]}
  - {name: country, kind: categories, field: user.country, max_values: 2}
  - {name: device, kind: categories, field: context.device, max_values: 2}
  - {name: shelf, kind: categories, field: slate.shelf, max_values: 2}
  - {name: shown, kind: count, by: item, of: impression, half_lives: [10m, forever]}
  - {name: done, kind: count, by: user, half_lives: [1h]}
  - {name: seen, kind: count, by: session, of: [impression, click], half_lives: [1s, 30m]}
  - {name: ctr, kind: rate, by: item, actions: click, half_lives: [1m, 1d], strength: 2}
  - {name: mine, kind: rate, by: user, half_lives: [1h]}
  - {name: ours, kind: rate, by: session, half_lives: [1h, forever]}
  - {name: genre_rate, kind: rate, by: item.genres, half_lives: [1h, forever], reduce: [mean, max]}
  - {name: tag_rate, kind: rate, by: item.tags, actions: buy, half_lives: 1h, reduce: max}
  - {name: likes, kind: affinity, by: user, field: item.genres, half_lives: [10m, forever],
     outputs: [acted, passed, rate, best, share, lift]}
  - {name: now, kind: affinity, by: session, field: item.brand, half_lives: 5m, outputs: [acted, lift]}
  - {name: again, kind: affinity, by: user, field: item, actions: [buy, click], half_lives: 1d,
     outputs: [acted, passed, rate, best, share, lift]}
  - {name: lately, kind: affinity, field: item.tags, half_lives: 1h, within: 30m, outputs: [acted, passed, lift]}
  - {name: liked, kind: interacted_with, fields: [item.tags, item], actions: [click, look], last: 2, within: 1h}
  - {name: liked_here, kind: interacted_with, by: session, fields: item.brand}
  - {name: steps, kind: sequence, field: item.tags, last: 2, outputs: [since, since_same, length, duration, match]}
  - {name: steps_here, kind: sequence, by: session, field: item, within: 30m, actions: buy,
     outputs: [since_same, length, match]}
  - {name: tired, kind: fatigue, field: item.genres, half_lives: [10m, forever], within: 1d}
  - {name: tired_here, kind: fatigue, by: session, half_lives: 1h}
  - {name: beside, kind: relative, field: item.price, category: item.brand, half_life: 1h,
     outputs: [slate_diff, slate_z, slate_rank, slate_minmax, user_diff, user_ratio, category_diff, category_ratio]}
  - {name: beside_us, kind: relative, field: item.size, by: session, category: item.tags,
     outputs: [user_ratio, category_diff]}
  - {name: scored, kind: relative, field: slate.relevancy}
  - {name: odd, kind: diversity, field: item.price, compare: number}
  - {name: odd_tags, kind: diversity, field: item.tags, compare: values}
  - {name: together, kind: co_interaction, half_life: 1h, within: 1h, neighbours: 2, last: 3,
     outputs: [sum, best, lift, cosine]}
  - {name: here, kind: co_interaction, by: session, half_life: forever, actions: click}
  - {name: revenue, kind: rate, by: item, actions: [click, hide], half_lives: [1m, forever], value: true, ttl: 1h}
  - {name: spent, kind: count, by: user, half_lives: 1h, value: true, ttl: 10m}
  - {name: tag_count, kind: count, by: item.tags, of: click, half_lives: 1h, reduce: [mean, max], ttl: 1d}
  - {name: from_there, kind: count, by: user.country, of: [click, impression], half_lives: [1m, forever], ttl: 1d}
  - {name: country_rate, kind: rate, by: user.country, half_lives: 1h}
  - {name: device_rate, kind: rate, by: context.device, actions: click, half_lives: [1m, forever], ttl: 1h}
  - {name: everywhere, kind: rate, by: global, half_lives: [1m, forever]}
  - {name: everything, kind: count, by: global, of: [impression, buy], half_lives: 1h}
  - {name: there_rate, kind: cross_rate, by: [user.country, item.tags], actions: click, half_lives: [1m, forever],
     strength: 2, reduce: [mean, max]}
  - {name: on_it, kind: cross_rate, by: [context.device, item], half_lives: 1h}
  - {name: on_it_spent, kind: cross_rate, by: [context.device, item], actions: buy, half_lives: 1h, value: true}
  - {name: member_brand, kind: cross_rate, by: [user.member, item.brand], half_lives: 1s}
  - {name: lately, kind: window_count, by: item, of: [click, impression], bucket: 1m, periods: [1, 3], ttl: 1d}
  - {name: today, kind: window_count, by: item.tags, of: click, periods: [7, 1], offset: "+01:00", reduce: [mean, max]}
  - {name: week, kind: window_count, by: user, periods: [7], value: true}
  - {name: visit, kind: window_count, by: session, of: impression, bucket: 1h, periods: 2, ttl: 1h}
  - {name: hours, kind: window_rate, by: item, actions: click, bucket: 1h, periods: [1, 24], strength: 2}
  - {name: brand_days, kind: window_rate, by: item.brand, offset: "-03:30", periods: [1, 2], value: true, ttl: 1d}
  - {name: my_hours, kind: window_rate, by: user, bucket: 1h, periods: 3, ttl: 1h}
  - {name: all_hours, kind: window_rate, by: global, bucket: 1h, periods: [1, 3]}
  - {name: all_days, kind: window_count, by: global, of: buy, periods: 1}
  - {name: there_days, kind: window_count, by: user.country, of: [click, impression], bucket: 1m, periods: [1, 3]}
  - {name: device_hours, kind: window_rate, by: context.device, actions: click, bucket: 1h, periods: [1, 24], ttl: 1h}
  - {name: member_spent, kind: window_count, by: user.member, of: buy, periods: 2, value: true, ttl: 1d}
  - {name: on_it_now, kind: cross_rate, by: [context.device, item], half_lives: 1h, ttl: 1m}
  - {name: there_now, kind: cross_rate, by: [user.country, item.genres], half_lives: 1h, reduce: [mean, max], ttl: 1h}
  - {name: conversion, kind: rate, by: user.country, actions: buy, per: [click, hide], half_lives: 1h, strength: 0.01}
  - {name: sold, kind: rate, actions: buy, per: [click, hide], half_lives: [1m, forever], strength: 0.001}
  - {name: sold_days, kind: window_rate, by: item.tags, actions: buy, per: [look, hide], periods: 2, strength: 0.001}
  - {name: rising, kind: trend, short: 1m, long: 1h}
  - {name: moving, kind: trend, by: item.genres, measure: count, actions: [click, hide], short: 1m, long: 1d,
     reduce: [mean, max], strength: 1}
  - {name: coming, kind: trend, by: item.tags, actions: click, short: 10m, long: forever, reduce: max}
  - {name: unsure, kind: uncertainty, half_lives: [1h, forever], strength: 2}
  - {name: unsure_of, kind: uncertainty, by: item.tags, actions: click, half_lives: 1m, reduce: [mean, max]}
  - {name: beside_ctr, kind: relative, field: column.ctr_1m, outputs: [slate_diff, slate_z, slate_rank]}
  - {name: position, kind: position, serving: 2}
  - {name: price_now, kind: number, field: item.price, ttl: 1h}
  - {name: member_now, kind: boolean, field: user.member, ttl: 1s}
  - {name: brand_now, kind: categories, field: item.brand, max_values: 3, ttl: 1h}
  - {name: sizes, kind: vector, field: item.sizes, ttl: 1h,
     reduce: [min, max, mean, sum, size, first, last, random, euclidean, vector2]}
  - {name: numbers, kind: vector, field: context.sizes}
  - {name: words, kind: word_count, field: item.title}
  - {name: said, kind: word_count, field: user.title, ttl: 10m}
  - {name: score, kind: relevancy}
  - {name: clock, kind: local_time, field: context.hour, offset: "-03:30",
     outputs: [time_of_day, day_of_week, day_of_month, month_of_year, year, second_of_day, second]}
  - {name: wall, kind: local_time, offset: "+01:00"}
  - {name: noise, kind: random}
  - {name: asked, kind: field_match, field: item.title, query: context.title, ttl: 1h}
  - {name: alike, kind: field_match, field: item.title, query: context.title, by: ngram, max_terms: 7}
  - {name: found, kind: field_match, field: item.title, query: context.title, by: bm25, vocabulary: 1_024}
  - {name: found_tags, kind: field_match, field: item.tags, query: context.title, by: bm25, vocabulary: 2_000}
  - {name: agent, kind: user_agent, field: context.device}
  - {name: agent_of, kind: user_agent, field: user.agent, encode: one-hot, outputs: [os, bot]}
  - {name: came_from, kind: referer, field: user.agent, internal: shop.example}
  - {name: from, kind: referer, field: context.device, encode: one-hot}
  - {name: says, kind: content_similarity, half_life: 1h, last: 2, outputs: [mean, last, best, query]}
  - {name: says_here, kind: content_similarity, by: session, actions: [click, look], query: context.other,
     outputs: [best, query, mean]}
  - {name: since, kind: item_age}
  - {name: published, kind: item_age, field: item.published}
"""

START = 1_800_000_000_000
ITEMS = [f"i{n}" for n in range(9)] + ["i\x00", "ı̈", "i" * 128]
USERS = ["u0", "u1", "u2", "u3", "s0"]
SESSIONS = ["s0", "s1", "s2", "u0"]
VALUES: list[Any] = [
    None, True, False, 0, 1, 2.5, -0.0, 1e308, -1e308, 5e-324, 10**30, 10**400, -(2**63), "a", "b", "m", "", "\x00",
    "x" * 5_000, "1", "2026-11-24T02:41:00Z", "2026-11-24", 1_800_000_000, 8e15, [], ["a"], ["a", "b", "a"],
    ["c", "d", "e", "f"], [1, "1", 1.0, True, None, ["a"], {}], {"a": 1}, {}, [[]], [1e308, 1e308, -1e308],
    [3, 4.0, None, -2], "red Socks a", ["a b", "c"],
    "Mozilla/5.0 (Linux; Android 10) Chrome/99.0 Mobile", "https://www.google.com/",
]  # fmt: skip
TEXTS = ["e:AQD/", "e:AQD/", "e:fwAB", "e:AAAA", "e:?", "f:fwAB", "e:AQ=="]
"""Of requests, as vectors of encoders."""
FIELDS = [
    "price", "fresh", "brand", "size", "genres", "tags", "published", "age", "member", "country",
    "relevancy", "shelf", "hour", "device", "sizes", "title", "agent", "unheard of",
]  # fmt: skip


def small_view() -> View:
    """Every kind of feature, with limits so low that everything is forgotten all the time."""
    low = Limits(items=6, users=3, sessions=2, values=7, values_per_field=3, groups=16, acted=3, shown=4)
    return dataclasses.replace(load_view(EVERY_KIND), limits=low)


def roomy_view() -> View:
    """Every kind of feature, with room for all that histories name."""
    room = Limits(items=64, users=32, sessions=32, values=256, groups=1_024)
    return dataclasses.replace(load_view(EVERY_KIND), limits=room)


def other_rule(rule: str, l1: float = 0.0) -> View:
    """As `small_view`, with another rule of the online model."""
    small = small_view()
    assert small.online is not None
    return dataclasses.replace(small, online=dataclasses.replace(small.online, rule=rule, l1=l1))


def by_values() -> View:
    """As `small_view`, where the online model learns what values people give."""
    text = EVERY_KIND.replace("{click: 1,", "{click: {weight: 1, values: [-3.5, 1]},")
    view = load_view(text.replace("{rule: sgd,", "{rule: sgd, target: value,"))
    return dataclasses.replace(view, limits=small_view().limits)


def choosing(view: View, seen: str = "acted", remembered: int = 1_000) -> View:
    """A view that chooses candidates too; of its fields, some are those of features and some are not."""
    section = f"recommend: {{fields: [price, brand, country, hour], seen: {seen}, remembered: {remembered}}}"
    return dataclasses.replace(view, recommend=load_view(f"{EVERY_KIND}{section}").recommend)


def ugly_history(rng: Random, n: int) -> list[Logged]:
    """``n`` events by the choices of ``rng``, at places of the log that have gaps."""
    events = []
    sequence, now = rng.randrange(5), START
    for index in range(n):
        sequence += rng.choice((1, 1, 1, 2, 7))
        now += rng.choice((0, 1, 999, 1_000, 60_000, 3_600_000))
        events.append(Logged(sequence, f"e{index}", _lying(rng, now), now, _event(rng)))
    return events


def _lying(rng: Random, now: int) -> int:
    """Mostly the time; at times late, long ago, before 1970, or (rarely) far ahead."""
    lie = rng.randrange(40)
    if lie < 8:
        return now - rng.choice((1, 5_000, 86_400_000, 10**10))
    if lie == 8:
        return rng.choice((0, -1, -(10**13), 1))
    if lie == 9 and rng.randrange(6) == 0:
        return rng.choice((now + 10**9, 2**53 - 1))
    return now


def _fields(rng: Random) -> dict[str, Any]:
    return {rng.choice(FIELDS): rng.choice(VALUES) for _ in range(rng.randrange(6))}


def _event(rng: Random) -> Event:
    kind = rng.randrange(10)
    user = rng.choice([*USERS, None])
    session = rng.choice([*SESSIONS, None] if user is not None else SESSIONS)
    if kind < 2:
        return ItemUpserted(item=rng.choice(ITEMS), fields=_fields(rng), removed=rng.randrange(6) == 0)
    if kind == 2:
        return UserUpserted(user=rng.choice(USERS), fields=_fields(rng))
    if kind < 6:
        items = [SlateItem(item=rng.choice(ITEMS), fields=_fields(rng)) for _ in range(rng.choice((1, 3, 6)))]
        return SlateServed(user=user, session=session, items=items, context=_fields(rng))
    if kind == 6 and rng.randrange(3) == 0:
        return ModelPromoted(model="m", view="v")
    if kind == 7:
        return _embedding(rng)
    action = rng.choice(("click", "click", "buy", "look", "hide", "unheard of"))
    value = rng.choice((1.0, 1.0, 0.0, -3.5, 1e-300, 1e300, math.inf))
    return InteractionRecorded(
        user=user, session=session, item=rng.choice(ITEMS), action=action, slate="any", value=value
    )


def _embedding(rng: Random) -> ItemEmbedded:
    """Mostly of one encoder."""
    encoder, dims = rng.choice((*(("e", 3),) * 30, ("e", 2_000), ("f", 3), ("g", 5)))
    vector = bytes(rng.choice((0, 0, 1, 5, 127, 128, 255)) for _ in range(dims))
    return ItemEmbedded(item=rng.choice(ITEMS), encoder=encoder, dims=dims, scale=0.1, vector=vector, text="")


@dataclasses.dataclass
class Question:
    """Arguments of `State.vectors`, but the time."""

    user: str | None
    session: str | None
    items: list[str]
    item_fields: list[dict[str, Any]] | None
    context: dict[str, Any]


def a_question(rng: Random) -> Question:
    """A request by the choices of ``rng``."""
    items = [rng.choice([*ITEMS, "nobody knows"]) for _ in range(rng.choice((1, 2, 8)))]
    fields = [_fields(rng) for _ in items] if rng.randrange(2) else None
    user, session = rng.choice([*USERS, "x", None]), rng.choice([*SESSIONS, "x", None])
    context = _fields(rng)
    if rng.randrange(2):
        context["query_vector"] = rng.choice(TEXTS)
    return Question(user, session, items, fields, context)


randoms = st.randoms(use_true_random=False)
"""Sources of choices that hypothesis can shrink."""
lengths = st.integers(1, 60)
choosing_views = st.sampled_from(
    [
        choosing(roomy_view()),
        choosing(roomy_view(), "shown", remembered=3),
        choosing(small_view(), "nothing"),
        choosing(other_rule("ftrl", l1=0.05), "shown", remembered=2),
        choosing(by_values(), remembered=0),
    ]
)
"""Some with room for all, some in which everything is forgotten all the time."""
views = st.sampled_from(
    [
        *(
            small_view(),
            roomy_view(),
            other_rule("passive-aggressive"),
            other_rule("ftrl", l1=0.05),
            by_values(),
        ),
        choosing(small_view(), "shown", remembered=2),
    ]
)
