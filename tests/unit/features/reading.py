"""Small views and named columns, so that a test of a kind reads as its numbers."""

from __future__ import annotations

from typing import Any

from eddyline_contracts.record import Logged
from eddyline_features.state import State
from eddyline_features.view import load_view

HEAD = """
view: test
label_window: 10m
actions: {click: 1, buy: 5}
prior: {half_life: 1h, strength: 4}
features:
"""


def a_state(*features: str, events: list[Logged] | None = None, head: str = HEAD) -> State:
    """A state over these features, given as YAML flow mappings, after these events."""
    state = State(load_view(head + "\n".join(f"  - {{{feature}}}" for feature in features)))
    state.apply_all(events or [])
    return state


def columns(
    state: State,
    item: str = "i1",
    *,
    user: str | None = "u1",
    session: str | None = None,
    at: int = 0,
    fields: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
) -> dict[str, float]:
    """The vector of one candidate, by column."""
    vectors = state.vectors(user, session, [item], None if fields is None else [fields], context or {}, at)
    return dict(zip(state.view.columns, vectors[0].tolist(), strict=True))
