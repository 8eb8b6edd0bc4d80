"""What the fold counts is what adding up the whole log again gives: the naive way is the oracle."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eddyline_contracts.events import Event
from eddyline_features.state import State
from eddyline_features.view import View, load_view
from tests.property.features.law import examples
from tests.support.builders import DAY, HOUR, MINUTE, START, a_click, a_slate, a_user, an_item, logged

WEIGHTS = {"impression": 1.0, "click": 1.0, "buy": 3.0, "hide": -2.0}
SCOPES = ("item", "item.tags", "user", "user.country", "session", "context.device", "global")
ITEMS, PEOPLE, TAGS = ["i1", "i2", "i3"], ["u1", "u2", "u3"], ["a", "b", "c"]


def the_view() -> View:
    """A count, a rate and both by windows for every scope, and rates of pairs."""
    lines = []
    for n, by in enumerate(SCOPES):
        field = ", reduce: max" if by == "item.tags" else ""
        lines += [
            f"- {{name: n{n}, kind: count, by: {by}, of: [click, buy, hide], half_lives: 1h, value: true{field}}}",
            f"- {{name: r{n}, kind: rate, by: {by}, actions: [click, hide], half_lives: [10m], strength: 2{field}}}",
        ]
        lines += [
            f"- {{name: w{n}, kind: window_count, by: {by}, of: [click, buy], periods: [1, 3]{field}}}",
            f"- {{name: v{n}, kind: window_rate, by: {by}, actions: [click, hide], periods: [2], strength: 2{field}}}",
        ]
    pair = "kind: cross_rate, actions: [click, buy], half_lives: 1h, strength: 2"
    lines += [
        f"- {{name: x0, by: [user.country, item], {pair}}}",
        f"- {{name: x1, by: [context.device, item.tags], reduce: max, {pair}}}",
    ]
    actions = "{click: 1, buy: 3, hide: -2}"
    head = f"view: v\nlabel_window: 10m\nactions: {actions}\nlimits: {{items: 1000, users: 9, sessions: 9}}\n"
    return load_view(head + "features:\n" + "\n".join(lines))


VIEW = the_view()


@dataclass
class Thing:
    """One impression or action, and all that was true of it then."""

    at: int
    action: str
    value: float
    of: dict[str, set[str]]
    """By scope: whose it is."""


class Naive:
    """The whole log, added up at every question."""

    def __init__(self) -> None:
        self.things: list[Thing] = []
        self.tags: dict[str, list[str]] = {}
        self.country: dict[str, str] = {}
        self.device: dict[str, str] = {}

    def note(self, item: str, user: str, session: str, at: int, action: str, value: float = 1.0) -> None:
        of = {
            "item": {item},
            "item.tags": set(self.tags.get(item, ())),
            "user": {user},
            "user.country": {self.country[user]} if user in self.country else set(),
            "session": {session},
            "context.device": {self.device[user]} if user in self.device else set(),
            "global": {"all"},
        }
        self.things.append(Thing(at, action, value, of))

    def total(
        self,
        whose: dict[str, str],
        of: tuple[str, ...],
        weigh: Callable[[int], float],
        *,
        valued: bool = False,
    ) -> float:
        """Weights of what belongs to all of ``whose`` scopes."""
        return math.fsum(
            WEIGHTS[thing.action] * (thing.value if valued else 1.0) * weigh(thing.at)
            for thing in self.things
            if thing.action in of and all(key in thing.of[scope] for scope, key in whose.items())
        )

    def rate(
        self, whose: dict[str, str], of: tuple[str, ...], weigh: Callable[[int], float], base: float
    ) -> float:
        return (self.total(whose, of, weigh) + 2 * base) / (self.total(whose, ("impression",), weigh) + 2)

    def base(self, of: tuple[str, ...], weigh: Callable[[int], float]) -> float:
        shown = self.total({}, ("impression",), weigh)
        return max(-1.0, min(1.0, self.total({}, of, weigh) / shown)) if shown else 0.0


def faded(at: int, half_life: int) -> Callable[[int], float]:
    return lambda then: 2.0 ** (-(at - then) / half_life)


def lately(at: int, days: int) -> Callable[[int], float]:
    return lambda then: float(at // DAY - days < then // DAY <= at // DAY)


@examples(60)
@given(st.randoms(use_true_random=False), st.integers(1, 60))
def test_counts_rates_and_windows_are_what_the_log_adds_up_to(rng: Random, n: int) -> None:
    state, naive, now = State(VIEW), Naive(), START
    for sequence in range(1, n + 1):
        now += rng.choice((0, 1, MINUTE, HOUR, 9 * HOUR))
        # A little late at times, never by more than the buckets that are kept.
        at = now - rng.choice((0, 0, 0, MINUTE, HOUR))
        state.apply(logged(an_event(rng, naive, at), sequence, at, now))
    item, user, session = rng.choice(ITEMS), rng.choice(PEOPLE), rng.choice(PEOPLE)
    device, at = rng.choice(("phone", "desk")), max(now, state.clock) + rng.choice((0, HOUR, 2 * DAY))
    vector = state.vectors(user, session, [item], None, {"device": device}, at)[0].tolist()
    found = dict(zip(VIEW.columns, vector, strict=True))
    expected = expectations(naive, item, user, session, device, at, known=item in state.items.rows)
    assert found == {
        name: pytest.approx(value, rel=1e-5, abs=1e-6, nan_ok=True) for name, value in expected.items()
    }


def an_event(rng: Random, naive: Naive, at: int) -> Event:
    """Anything that may happen, told to the naive one as well."""
    item, user, session = rng.choice(ITEMS), rng.choice(PEOPLE), rng.choice(PEOPLE)
    kind = rng.randrange(8)
    if kind == 0:
        naive.tags[item] = rng.sample(TAGS, rng.randrange(3))
        return an_item(item, tags=naive.tags[item])
    if kind == 1:
        naive.country[user] = rng.choice(("fr", "de"))
        return a_user(user, country=naive.country[user])
    if kind < 5:
        shown = rng.sample(ITEMS, 2)
        naive.device[user] = rng.choice(("phone", "desk"))
        for one in shown:
            naive.note(one, user, session, at, "impression")
        return a_slate(shown, user=user, session=session, context={"device": naive.device[user]})
    action, value = rng.choice(("click", "click", "buy", "hide")), rng.choice((1.0, 2.5, -1.0))
    naive.note(item, user, session, at, action, value)
    return a_click(item, user=user, session=session, action=action, value=value)


def expectations(
    naive: Naive, item: str, user: str, session: str, device: str, at: int, *, known: bool
) -> dict[str, float]:
    keys = {
        "item": [item],
        "item.tags": naive.tags.get(item, []) if known else [],
        "user": [user],
        "user.country": [naive.country.get(user, "nowhere")],
        "session": [session],
        "context.device": [device],
        "global": ["all"],
    }
    hour, minutes = faded(at, HOUR), faded(at, 10 * MINUTE)
    found: dict[str, float] = {}
    base = naive.base(("click", "hide"), minutes)
    both_days = lately(at, 2)
    of_both_days = naive.base(("click", "hide"), both_days)

    def best(values: list[float]) -> float:
        return max(values, default=math.nan)

    for n, scope in enumerate(SCOPES):
        end = "_max" if scope == "item.tags" else ""
        found[f"n{n}_1h{end}"] = best(
            [naive.total({scope: key}, ("click", "buy", "hide"), hour, valued=True) for key in keys[scope]]
        )
        found[f"r{n}_10m{end}"] = best(
            [
                base if scope == "global" else naive.rate({scope: key}, ("click", "hide"), minutes, base)
                for key in keys[scope]
            ]
        )
        for days in (1, 3):
            found[f"w{n}_{days}d{end}"] = best(
                [naive.total({scope: key}, ("click", "buy"), lately(at, days)) for key in keys[scope]]
            )
        found[f"v{n}_2d{end}"] = best(
            [
                of_both_days
                if scope == "global"
                else naive.rate({scope: key}, ("click", "hide"), both_days, of_both_days)
                for key in keys[scope]
            ]
        )
    bought = ("click", "buy")
    overall = naive.base(bought, hour)
    its_own = naive.rate({"item": item}, bought, hour, overall)
    pair = {"user.country": keys["user.country"][0], "item": item}
    found["x0_1h"] = naive.rate(pair, bought, hour, its_own)
    found["x1_1h_max"] = best(
        [
            naive.rate(
                {"context.device": device, "item.tags": tag},
                bought,
                hour,
                naive.rate({"item.tags": tag}, bought, hour, overall),
            )
            for tag in keys["item.tags"]
        ]
    )
    return found
