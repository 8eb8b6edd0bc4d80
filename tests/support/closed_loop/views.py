"""A view of the simulated shop that is quick to fold, and learns by the settings at hand."""

from __future__ import annotations

from typing import Any

import yaml

from eddyline_features.view import View, load_view

_VIEW = """
view: simulated-shop
actions: {click: 1}
label_window: 3s
prior: {half_life: 2m, strength: 20}
limits: {items: 1_000, users: 2_000, acted: 24, shown: 80}
features:
  - {name: price, kind: number, field: item.price}
  - {name: year, kind: number, field: item.year}
  - {name: style, kind: categories, field: item.style}
  - {name: category, kind: categories, field: item.category}
  - {name: rate, kind: rate, by: item, half_lives: [2m], strength: 20}
  - {name: category_rate, kind: rate, by: item.category, half_lives: [1m], strength: 50}
  - {name: mine, kind: affinity, by: user, field: item.category, half_lives: [10m], strength: 3, outputs: [share, lift]}
"""
_LEARNING = {
    "objective": "click",
    "trees": 30,
    "leaves": 15,
    "min_data_in_leaf": 50,
    "min_slates": 100,
    "learn_every": 200,
    "max_examples": 18_000,
    "gate": {"delta": 0.02, "min_slates": 100, "patience": 1_000},
}
MATCH = {"name": "match", "kind": "number", "field": "slate.match"}
"""The feature of what the client says of each item; see `Story.sends_match`."""


def a_declaration(*more_features: dict[str, Any], **learning: Any) -> str:
    """The eddyline.yaml with further features, and other settings of learning than the usual ones."""
    told = yaml.safe_load(_VIEW)
    told["features"] += more_features
    told["learning"] = {**_LEARNING, **learning}
    return str(yaml.safe_dump(told))


def a_view(*more_features: dict[str, Any], **learning: Any) -> View:
    """The view that `a_declaration` declares."""
    return load_view(a_declaration(*more_features, **learning))
