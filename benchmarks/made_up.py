"""A made-up shop: items, people, what they do, requests; and a model of the size that the budgets speak of.

What people click depends on what they are shown, so that there is something to learn.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
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
_CLICKS = 4


def learning(**settings: Any) -> str:
    """The part of the view that says how it learns, with boosters of the size that the budgets speak of."""
    told = {"objective": "rank", "trees": 100, "leaves": 31, **settings}
    return f"learning: {{{', '.join(f'{name}: {value}' for name, value in told.items())}}}\n"


def some_items(rng: random.Random, at_ms: int | None = None) -> Iterator[Event]:
    """The catalogue, told of at this time; before a past that is told of too, it has to be."""
    for k in range(N_ITEMS):
        fields = {
            "popularity": 100 * _appeal(k),
            "price": rng.random() * 50,
            "vote_avg": rng.random() * 10,
            "genres": rng.sample([f"g{g}" for g in range(8)], 3),
            "tags": [f"t{rng.randrange(800)}" for _ in range(6)],
            "maker": f"m{rng.randrange(3000)}",
        }
        yield ItemUpserted(id=f"item-{k}", occurred_at=at_ms, item=f"item-{k}", fields=fields)


def some_traffic(
    rng: random.Random, prefix: str, n: int, *, size: int = 10, first_ms: int | None = None, every_ms: int = 5
) -> Iterator[Event]:
    """Slates of ``size`` and, after each, clicks on four of them: ``n`` events, and the rest of the last slate's.

    Without ``first_ms`` each happens when it is recorded, else one every ``every_ms`` from then on.
    """
    made = 0
    while made < n:
        user, slate = f"user-{rng.randrange(N_USERS)}", f"{prefix}-{made}"
        shown = rng.sample(range(N_ITEMS), size)
        at = None if first_ms is None else first_ms + made * every_ms
        yield SlateServed(
            id=slate,
            occurred_at=at,
            user=user,
            session=f"s-{user}",
            items=[SlateItem(item=f"item-{k}") for k in shown],
        )
        made += 1
        for k in sorted(shown, key=lambda k: _appeal(k) + 0.5 * rng.random())[-_CLICKS:]:
            at = None if first_ms is None else first_ms + made * every_ms
            yield InteractionRecorded(
                id=f"{prefix}-{made}",
                occurred_at=at,
                user=user,
                session=f"s-{user}",
                item=f"item-{k}",
                slate=slate,
            )
            made += 1


@cache
def _appeal(k: int) -> float:
    return random.Random(k).random()


def a_request(rng: random.Random) -> dict[str, Any]:
    """A request to rank 100 items."""
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
