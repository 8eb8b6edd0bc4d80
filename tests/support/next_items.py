"""A history without slates in which what comes next can be foreseen: items come into fashion one after another."""

from __future__ import annotations

import random

from eddyline_contracts.events import InteractionRecorded
from eddyline_contracts.record import Logged
from eddyline_features.view import View, load_view

MINUTE = 60_000
START = 1_700_000_000_000 // (1_440 * MINUTE) * (1_440 * MINUTE)
CONFIG = """
view: made_up
actions:
  view: 1
  like: 2
  hide: {weight: -1, gain: 0}
label_window: 30m
prior: {half_life: 30m}
limits: {items: 1_000, users: 1_000, sessions: 1_000, acted: 16, shown: 8}
online: {rule: sgd}
features:
  - {name: acts, kind: count, by: item, half_lives: [30m, 1d]}
  - {name: age, kind: item_age}
  - {name: mine, kind: affinity, field: item, half_lives: 1h, outputs: acted}
  - {name: steps, kind: sequence, outputs: [since, length]}
  - {name: online, kind: online_score, outputs: score}
  - {name: together, kind: co_interaction, half_life: 2h, outputs: sum}
learning:
  objective: rank
  trees: 8
  leaves: 4
  min_data_in_leaf: 5
  min_slates: 20
  learn_every: 60
  gate: {min_slates: 5, delta: 0.5}
"""


def a_view() -> View:
    """Short cycles, and a gate that is passed easily: models change."""
    return load_view(CONFIG)


def act(sequence: int, at: int, user: str, item: str, action: str = "view") -> Logged:
    """One interaction."""
    event = InteractionRecorded(
        id=f"e{sequence}", occurred_at=at, user=user, session=f"s-{user}", item=item, action=action
    )
    return Logged(sequence, f"e{sequence}", at, at, event)


def a_history(n: int = 500, seed: int = 1) -> list[Logged]:
    """One act a minute, of 40 people; each item is in fashion for an hour or two."""
    rng = random.Random(seed)
    log = []
    for number in range(1, n + 1):
        newest = 5 + number // 12
        item = max(0, newest - min(int(rng.expovariate(0.4)), newest))
        action = rng.choices(["view", "like", "hide"], [16, 3, 1])[0]
        log.append(act(number, START + number * MINUTE, f"u{rng.randrange(40)}", f"i{item}", action))
    return log
