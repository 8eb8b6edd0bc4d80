"""What a simulation showed over time, in equal steps: what was clicked, and what could be expected. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from eddyline_cli.simulating.outcomes import Shown, click_rate

_MOST_STEPS, _SHORTEST_S = 40, 2.0


class Moment(Struct, frozen=True, kw_only=True):
    """One step. Rates are None where nobody looked."""

    at_s: float
    """Seconds since the start, of its beginning."""
    until_s: float
    lists: int
    """That whatever served had ordered."""
    click_rate: float | None
    se: float | None
    expected: float | None
    """Chance of a click on such a list, by those who click: what the click rate is, without luck."""
    frozen_lists: int
    """That the frozen first model had ordered."""
    frozen: float | None
    """Their click rate."""
    frozen_expected: float | None
    ndcg: float | None
    """NDCG@10 of what was served, by what those who looked want; 1 is the best that there is."""
    frozen_ndcg: float | None
    """Of what the frozen first model served."""
    chosen_lists: int = 0
    """That `/v1/recommend` chose from the whole catalogue."""
    chosen: float | None = None
    """Their click rate."""
    chosen_expected: float | None = None
    best_order: float | None
    """What could be expected of the best order that there is."""
    random_order: float | None


def timeline_of(shown: Sequence[Shown], end_s: float, chosen: Sequence[Shown] = ()) -> list[Moment]:
    """At most 40 steps of at least two seconds; lists after the end count for the last one.

    Parameters
    ----------
    chosen
        Lists from the whole catalogue, which are told apart.
    """
    n = max(1, min(_MOST_STEPS, int(end_s / _SHORTEST_S)))
    step_s = end_s / n
    steps = zip(_split(shown, n, step_s), _split(chosen, n, step_s), strict=True)
    return [_moment(*of, index * step_s, (index + 1) * step_s) for index, of in enumerate(steps)]


def _split(shown: Sequence[Shown], n: int, step_s: float) -> list[list[Shown]]:
    steps: list[list[Shown]] = [[] for _ in range(n)]
    for each in shown:
        steps[min(n - 1, max(0, int(each.at / step_s)))].append(each)
    return steps


def _moment(shown: Sequence[Shown], chosen: Sequence[Shown], at_s: float, until_s: float) -> Moment:
    served = [each for each in shown if not each.frozen]
    frozen = [each for each in shown if each.frozen]
    rate, of_frozen = click_rate(served), click_rate(frozen)
    return Moment(
        at_s=round(at_s, 3),
        until_s=round(until_s, 3),
        lists=rate.lists,
        click_rate=_rounded(rate.mean),
        se=_rounded(rate.se),
        expected=_mean([each.expected for each in served]),
        frozen_lists=of_frozen.lists,
        frozen=_rounded(of_frozen.mean),
        frozen_expected=_mean([each.expected for each in frozen]),
        ndcg=_mean([each.ndcg for each in served]),
        frozen_ndcg=_mean([each.ndcg for each in frozen]),
        chosen_lists=len(chosen),
        chosen=_rounded(click_rate(chosen).mean),
        chosen_expected=_mean([each.expected for each in chosen]),
        best_order=_mean([each.oracle for each in shown]),
        random_order=_mean([each.random for each in shown]),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 4) if known else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
