"""Acts laid over a state: read as if they had happened, and gone without a trace after."""

from __future__ import annotations

import pytest

from eddyline_features.overlay import Act, with_acts
from eddyline_features.state import State
from eddyline_features.view import load_view
from tests.support.next_items import CONFIG, MINUTE, START, a_history, act

# Features that come from a person's own acts alone.
OWN = """
features:
  - {name: mine, kind: affinity, field: item, half_lives: 1h, outputs: acted}
  - {name: steps, kind: sequence, outputs: [since, length]}
  - {name: visit, kind: sequence, by: session, outputs: length}
  - {name: together, kind: co_interaction, half_life: 2h, outputs: sum, within: 1m}
"""
VIEW = load_view(CONFIG[: CONFIG.index("features:")] + OWN)


@pytest.mark.parametrize("user", ["u3", "somebody new"])
def test_it_reads_as_if_the_acts_had_happened_and_leaves_every_byte(user: str) -> None:
    log = a_history(150)
    items = [f"i{n}" for n in range(15)]
    now = START + 160 * MINUTE
    state = State(VIEW)
    state.apply_all(log)
    before = state.snapshot()
    acts = [Act(now - 5 * MINUTE, "i3", "view"), Act(now - 2 * MINUTE, "i7", "like")]
    plain = state.vectors(user, f"s-{user}", items, None, {}, now)
    with with_acts(state, user, f"s-{user}", acts, acts):
        found = state.vectors(user, f"s-{user}", items, None, {}, now)
    assert state.snapshot() == before
    assert state.vectors(user, f"s-{user}", items, None, {}, now).tobytes() == plain.tobytes()
    assert found.tobytes() != plain.tobytes()
    # Apart from what is learnt of items: pairs of one minute at most, and these acts lie further apart.
    for number, (at, item, action) in enumerate(acts):
        state.apply(act(1_000 + number, at, user, item, action))
    assert found.tobytes() == state.vectors(user, f"s-{user}", items, None, {}, now).tobytes()


def test_an_item_that_the_state_does_not_know_leaves_no_trace_but_time() -> None:
    state = State(VIEW)
    state.apply_all(a_history(100))
    now = START + 200 * MINUTE
    items = ["i1", "i2"]
    with with_acts(state, "u1", "s-u1", [Act(now - MINUTE, "unheard of", "view")], []):
        state.vectors("u1", "s-u1", items, None, {}, now)
    assert "unheard of" not in state.items.rows


def test_somebody_new_stays_unknown_where_the_table_is_full() -> None:
    view = load_view(CONFIG.replace("users: 1_000", "users: 10"))
    state = State(view)
    state.apply_all(a_history(100))
    before = state.snapshot()
    now = START + 200 * MINUTE
    plain = state.vectors("new", None, ["i1"], None, {}, now)
    with with_acts(state, "new", None, [Act(now, "i1", "view")], []):
        assert state.vectors("new", None, ["i1"], None, {}, now).tobytes() == plain.tobytes()
    assert state.snapshot() == before


def test_acts_that_cannot_be_laid_over_leave_nothing_behind() -> None:
    state = State(VIEW)
    state.apply_all(a_history(100))
    before, n_users = state.snapshot(), len(state.users)
    now = START + 200 * MINUTE
    # The second one tells no time.
    acts = [Act(now, "i1", "view"), Act("later", "i2", "view")]  # type: ignore[arg-type]
    for user in ("somebody new", "u3"):
        with pytest.raises((TypeError, ValueError)), with_acts(state, user, f"s-{user}", acts[:1], acts):
            pass
        with pytest.raises((TypeError, ValueError)), with_acts(state, user, None, acts, []):
            pass
    assert "somebody new" not in state.users.rows
    assert len(state.users) == n_users
    assert state.snapshot() == before
