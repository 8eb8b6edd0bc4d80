"""A fold that learns late shows everybody their own acts, and nobody those of others."""

from __future__ import annotations

from collections import deque

import msgspec

from eddyline_contracts.record import Logged
from eddyline_features.state import State
from eddyline_features.view import load_view
from eddyline_learning.next_item.folds import LateFold
from tests.support.next_items import CONFIG, MINUTE, START, a_history, act

OWN = """
features:
  - {name: steps, kind: sequence, outputs: [since, length]}
  - {name: visit, kind: sequence, by: session, outputs: length}
"""
VIEW = load_view(CONFIG[: CONFIG.index("features:")] + OWN)
NOW = START + 70 * MINUTE
HOUR = 60 * MINUTE


def asked(log: list[Logged], user: str | None, session: str | None) -> bytes:
    fold = LateFold(State(VIEW), deque((each.sequence, each) for each in log), HOUR)
    fold.apply_all(log)
    return fold.vectors(user, session, ["i1", "i2"], None, {}, NOW).tobytes()


def of(user: str | None, session: str | None) -> list[Logged]:
    """A history, and an act by this one."""
    told = act(61, NOW - MINUTE, "x", "i2")
    told = msgspec.structs.replace(
        told, event=msgspec.structs.replace(told.event, user=user, session=session)
    )
    return [*a_history(60), told]


def test_a_person_sees_their_own_act_at_once() -> None:
    assert asked(of("u1", None), "u1", None) != asked(a_history(60), "u1", None)
    assert asked(of(None, "s9"), None, "s9") != asked(a_history(60), None, "s9")


def test_an_act_without_a_session_belongs_to_no_session_whatever_its_name() -> None:
    assert asked(of("u1", None), None, "None") == asked(a_history(60), None, "None")
    assert asked(of(None, None), "None", "None") == asked(a_history(60), "None", "None")
