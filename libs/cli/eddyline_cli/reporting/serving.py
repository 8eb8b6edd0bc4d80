"""Which lists were ordered by the champion of their time, and which by something else. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from eddyline_cli.reporting.slates import Shown
from eddyline_cli.reporting.told import CHANGES, DecisionTold
from eddyline_contracts.events import SHUFFLED

SERVED, EARLIER, RANDOMISED, WITHOUT = "as served", "an earlier model", "randomised", "without a model"
CHOSEN, CHOSEN_WITHOUT = "as served, chosen from all", "without a model, chosen from all"
KINDS = (SERVED, EARLIER, RANDOMISED, WITHOUT, CHOSEN, CHOSEN_WITHOUT)
_GRACE_MS = 10_000
"""Rankers take a moment to swap, and lists a moment to be logged."""
_NO_SCORES = ("live-priors", "bundle-priors", "request-order")
"""Policies that order without a model's scores."""


def kind_of(policy: str, *, by_model: bool) -> str:
    """What a list is to the figures, apart from its model's age."""
    if policy == SHUFFLED:
        return RANDOMISED
    return SERVED if by_model and policy not in _NO_SCORES else WITHOUT


def by_kind(shown: Sequence[Shown], decisions: Sequence[DecisionTold]) -> dict[str, list[Shown]]:
    """The lists by what they are; an *earlier model* is one that another had replaced more than ten seconds before.

    Lists that were chosen from the whole catalogue stand apart where there are others as well: of what a client brings
    less may be to anybody's liking, so their rates say nothing about each other.
    """
    changes = sorted({(d.at_ms, d.challenger) for d in decisions if d.outcome in CHANGES})
    times = [at for at, _ in changes]
    found: dict[str, list[Shown]] = {kind: [] for kind in KINDS}
    for each in shown:
        kind = kind_of(each.policy, by_model=each.model is not None)
        if kind == SERVED:
            # Who was champion at any moment of the last ten seconds, as far as that is known.
            last = bisect_right(times, each.recorded_at)
            first = bisect_right(times, each.recorded_at - _GRACE_MS)
            lately = {model for _, model in changes[max(0, first - 1) : last + 1]}
            if first and each.model not in lately:
                kind = EARLIER
        found[kind].append(each)
    if len({each.sources is None for each in shown}) > 1:
        for kind, apart in ((SERVED, CHOSEN), (WITHOUT, CHOSEN_WITHOUT)):
            found[apart] = [each for each in found[kind] if each.sources is not None]
            found[kind] = [each for each in found[kind] if each.sources is None]
    return {kind: lists for kind, lists in found.items() if lists}
