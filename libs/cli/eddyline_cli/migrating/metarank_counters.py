"""Metarank's counters and rates to ours. Buckets and periods stay what they are, since people read them as days."""

from __future__ import annotations

import math
from collections.abc import Callable

from eddyline_cli.migrating.metarank_paths import Raw, Unmappable
from eddyline_cli.migrating.metarank_text import duration, number, word, words
from eddyline_features.declarations.windows import MOST_BUCKETS
from eddyline_features.durations import spell
from eddyline_features.yaml_writer import flow_list
from eddyline_features.yaml_writer import word as quoted

_UNITS = (86_400_000, 3_600_000, 60_000, 1_000, 1)
_DAY_MS = 86_400_000
_DEFAULT_STRENGTH = 10
_DEFAULT_PERIOD = 7.0
_HALF_LIVES = (
    f"more than {MOST_BUCKETS} buckets: windows became half-lives with the same sum (0.69 of the window)"
)
_OF_ALL_ITEMS = "of all items together in rankings with this value; for each item apart: cross_rate"


def _scope(raw: Raw) -> tuple[str, str]:
    """Whose it is with us, ``context.<field>`` for that of a ranking; and the ``ttl``."""
    scope = word(raw, "scope", default="item")
    kind, _, field = scope.partition(".")
    if scope in ("item", "user", "session", "global"):
        return scope, "" if scope == "global" else _lifetime(raw)
    if kind in ("item", "metadata") and field:
        return f"item.{field}", _lifetime(raw)
    if kind == "ranking" and field:
        return f"context.{field}", _lifetime(raw)
    raise Unmappable(
        f"nothing is counted by `{scope}` here: use item, item.<field>, user, session, ranking.<field> or global"
    )


def _lifetime(raw: Raw) -> str:
    ttl = duration(word(raw, "ttl"))
    return spell(ttl) if ttl else ""


def _counted(raw: Raw) -> Raw:
    """What counts of both kinds have in common."""
    by, ttl = _scope(raw)
    of = quoted(word(raw, "interaction", default="click"))
    return {"by": quoted(by), "of": of} | ({"ttl": ttl} if ttl else {})


def _noted(raw: Raw, *notes: str) -> str:
    """Notes to a count, and what differs in one by a field of the ranking."""
    by, _ = _scope(raw)
    return "; ".join([*notes, *([_OF_ALL_ITEMS] if by.startswith("context.") else [])])


def _interaction_count(raw: Raw, name: str) -> tuple[list[Raw], str]:
    return [{"name": name, "kind": "count", **_counted(raw), "half_lives": "forever"}], _noted(raw)


def _window_count(raw: Raw, name: str) -> tuple[list[Raw], str]:
    windows = _windows(raw)
    kind = "window_count" if "periods" in windows else "count"
    return [{"name": name, "kind": kind, **_counted(raw), **windows}], _noted(
        raw, *([] if kind == "window_count" else [_HALF_LIVES])
    )


def _rate(raw: Raw, name: str) -> tuple[list[Raw], str]:
    top, bottom = word(raw, "top", default="click"), word(raw, "bottom", default="impression")
    if top == "impression":
        raise Unmappable("a rate of impressions is not there: turn it round, `top` is an action")
    by, ttl = _scope(raw)
    strength, notes = _strength(raw)
    members = {"actions": quoted(top), "strength": strength}
    if by.startswith("context."):
        if bottom != "impression":
            raise Unmappable("a rate by a field of the ranking is for each impression here: see cross_rate")
        pair = flow_list([quoted(by), "item"])
        notes.insert(0, "windows became half-lives with the same sum; smoothed towards the item's own rate")
        lifetime = {"ttl": ttl} if ttl else {}
        return [
            {
                "name": name,
                "kind": "cross_rate",
                "by": pair,
                **members,
                "half_lives": _half_lives(raw),
                **lifetime,
            }
        ], "; ".join(notes)
    windows = _windows(raw)
    if "periods" not in windows:
        notes.insert(0, _HALF_LIVES)
    kind = "window_rate" if "periods" in windows else "rate"
    per = {} if bottom == "impression" else {"per": quoted(bottom)}
    lifetime = {"ttl": ttl} if ttl else {}
    return [
        {"name": name, "kind": kind, "by": quoted(by), **members, **per, **windows, **lifetime}
    ], "; ".join(notes)


def _strength(raw: Raw) -> tuple[str, list[str]]:
    weight = number(word(raw.get("normalize"), "weight"))
    if weight is not None and weight > 0:
        told = f"weight {weight:g} is that many of `top`; strength counts those of `bottom`: weight / overall rate"
        return f"{min(max(weight * 10, 0.001), 1e6):g}", [told]
    return str(_DEFAULT_STRENGTH), ["smoothed towards the overall rate; strength: 0.001 would leave it raw"]


def _windows(raw: Raw) -> Raw:
    """``bucket`` and ``periods``; half-lives where they cannot be kept."""
    periods = _periods(raw)
    if max(periods) > MOST_BUCKETS or not all(n.is_integer() for n in periods):
        return {"half_lives": _half_lives(raw)}
    return {"bucket": spell(_bucket(raw)), "periods": flow_list([str(int(n)) for n in periods])}


def _bucket(raw: Raw) -> int:
    return duration(word(raw, "bucket", "bucket_size")) or _DAY_MS


def _periods(raw: Raw) -> list[float]:
    found = (number(text) for text in words(raw, "periods", "windows"))
    return list(dict.fromkeys(n for n in found if n is not None and n > 0)) or [_DEFAULT_PERIOD]


def _half_lives(raw: Raw) -> str:
    found = [_rounded(min(n * _bucket(raw), 1e13) * math.log(2)) for n in _periods(raw)]
    return flow_list([spell(ms) for ms in dict.fromkeys(found)])


def _rounded(ms: float) -> int:
    """To the largest unit of which there are two or more."""
    unit = next((unit for unit in _UNITS if ms >= 2 * unit), 1)
    return max(1, round(ms / unit)) * unit


COUNTER_READERS: dict[str, Callable[[Raw, str], tuple[list[Raw], str]]] = {
    "interaction_count": _interaction_count,
    "interaction_counter": _interaction_count,
    "window_count": _window_count,
    "window_counter": _window_count,
    "window_event_count": _window_count,
    "rate": _rate,
}
