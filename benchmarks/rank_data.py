"""Made-up items, people and requests for `rank.py`, and a model of the size that the budgets speak of."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np

from eddyline_contracts.bundle import Bundle, model_name
from eddyline_contracts.events import Event, InteractionRecorded, ItemUpserted, SlateItem, SlateServed
from eddyline_features.view import View

VIEW = """
view: bench
label_window: 1m
actions: {click: 1, like: {weight: 2, gain: 2}}
features:
  - {name: popularity, kind: number, field: item.popularity}
  - {name: price, kind: number, field: item.price}
  - {name: vote_avg, kind: number, field: item.vote_avg}
  - {name: age, kind: number, field: user.age}
  - {name: position, kind: position}
  - {name: item_age, kind: item_age}
  - {name: genres, kind: categories, field: item.genres, encode: one-hot, values: [g0, g1, g2, g3, g4, g5, g6, g7]}
  - {name: device, kind: categories, field: context.device, encode: one-hot, values: [phone, desk]}
  - {name: ctr, kind: rate, by: item, half_lives: [5m, 1h, 1d, 30d]}
  - {name: clicks, kind: count, by: item, of: click, half_lives: [1h, 1d]}
  - {name: shown, kind: count, by: item, of: impression, half_lives: [1h, 1d]}
  - {name: genre_ctr, kind: rate, by: item.genres, half_lives: [1h, 1d], reduce: [mean, max]}
  - {name: tag_ctr, kind: rate, by: item.tags, half_lives: [1h, 1d], reduce: [mean, max]}
  - {name: maker_ctr, kind: rate, by: item.maker, half_lives: [1h, 1d]}
  - {name: my_genres, kind: affinity, by: user, field: item.genres, half_lives: [1h, forever], outputs: [acted, passed, rate, best, share]}
  - {name: my_tags, kind: affinity, by: user, field: item.tags, half_lives: [1h, forever], outputs: [acted, passed, rate, best]}
  - {name: my_makers, kind: affinity, by: user, field: item.maker, half_lives: [1h], outputs: [acted, passed, rate]}
  - {name: now_genres, kind: affinity, by: session, field: item.genres, half_lives: [10m], outputs: [acted, passed, rate]}
"""  # noqa: E501
N_ITEMS, N_USERS, N_CANDIDATES = 20_000, 5_000, 100


def some_items(rng: random.Random) -> Iterator[Event]:
    for k in range(N_ITEMS):
        fields = {
            "popularity": rng.random() * 100,
            "price": rng.random() * 50,
            "vote_avg": rng.random() * 10,
            "genres": rng.sample([f"g{g}" for g in range(8)], 3),
            "tags": [f"t{rng.randrange(800)}" for _ in range(6)],
            "maker": f"m{rng.randrange(3000)}",
        }
        yield ItemUpserted(id=f"item-{k}", item=f"item-{k}", fields=fields)


def some_traffic(rng: random.Random, prefix: str, n: int) -> Iterator[Event]:
    """Slates of ten and, after each, interactions with some of them."""
    made = 0
    while made < n:
        user, slate = f"user-{rng.randrange(N_USERS)}", f"{prefix}-{made}"
        items = [f"item-{k}" for k in rng.sample(range(N_ITEMS), 10)]
        yield SlateServed(id=slate, user=user, session=f"s-{user}", items=[SlateItem(item=i) for i in items])
        made += 1
        for item in rng.sample(items, 4):
            click = InteractionRecorded(
                id=f"{prefix}-{made}", user=user, session=f"s-{user}", item=item, slate=slate
            )
            yield click
            made += 1


def a_request(rng: random.Random) -> dict[str, Any]:
    return {
        "user": f"user-{rng.randrange(N_USERS)}",
        "session": f"s-{rng.randrange(N_USERS)}",
        "items": [f"item-{k}" for k in rng.sample(range(N_ITEMS), N_CANDIDATES)],
        "context": {"device": "phone"},
    }


def a_bundle(view: View, seed: int) -> Bundle:
    """100 trees × 31 leaves on made-up rows of the view's width."""
    import lightgbm as lgb

    from eddyline_learning.onnx_export import to_onnx

    rng = np.random.default_rng(seed)
    n_features = len(view.columns)
    rows = rng.normal(size=(8_000, n_features)).astype(np.float32)
    rows[rng.random(rows.shape) < 0.1] = np.nan
    target = np.nan_to_num(rows[:, :8]).sum(axis=1) + rng.normal(size=len(rows))
    settings = {"num_leaves": 31, "verbose": -1, "num_threads": 2, "boost_from_average": False}
    booster = lgb.train(settings, lgb.Dataset(rows, target), num_boost_round=100)
    onnx = to_onnx(booster, n_features)
    items = [f"item-{k}" for k in range(N_ITEMS)]
    return Bundle(
        model=model_name(onnx),
        view=view.id,
        features=view.columns,
        objective="rank",
        onnx=onnx,
        prior_items=items,
        prior_scores=rng.random(N_ITEMS).astype("<f4").tobytes(),
        prior_default=0.0,
        first_sequence=1,
        last_sequence=2,
        n_slates=1,
        n_examples=1,
    )
