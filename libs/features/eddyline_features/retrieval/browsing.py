"""Looking through the catalogue for nobody in particular: what goes with an item, and what many people act on lately.

Reads what `State` keeps for ``recommend`` and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from eddyline_features.durations import spell
from eddyline_features.entities import REMOVED
from eddyline_features.kernel import Floats, Ints, Octets
from eddyline_features.kinds.retrieving import Retrieving
from eddyline_features.retrieval.similar import (
    CONTENT,
    FIELDS,
    POPULAR,
    TASTE,
    TOGETHER,
    WAYS,
    Mask,
    Near,
    fused,
    nearest,
    popularity,
    sharing,
)
from eddyline_features.retrieval.trending import trending

if TYPE_CHECKING:
    from eddyline_features.state import State

_NONE: Ints = np.zeros(0, np.int32)
_DEPTH = 200
"""Places of each ranking that are fused at least."""


class UnknownItem(LookupError):
    """Nothing is known of the item."""


class UnknownHalfLife(ValueError):
    """Popularity is not kept under the half-life: the message says under which it is."""


@dataclass(frozen=True, slots=True)
class Similar:
    """What goes with an item."""

    items: list[tuple[str, Near]]
    ways: list[str]
    """Which knew the item."""


@dataclass(frozen=True, slots=True)
class Lately:
    """What many people act on."""

    items: list[str]
    scores: list[float]
    actions: list[float]
    half_life_ms: int
    over_ms: int | None
    at: int
    """Time for which it holds, ms since the Unix epoch."""


def similar_items(
    state: State,
    item: str,
    n: int,
    *,
    ways: Sequence[str] = WAYS,
    allowed: Octets | None = None,
    exclude: Iterable[str] = (),
) -> Similar:
    """At most ``n`` items that go with one, the best first: never itself, a removed or an excluded one.

    Where the ways know too few, items follow that share values of fields with it, and then popular ones.

    Parameters
    ----------
    allowed
        As of `State.candidates`.

    Raises
    ------
    NoRetrieval
        If the view has no section ``recommend``.
    UnknownItem
        If nothing is known of the item.
    """
    kept = _kept(state)
    row = state.items.rows.get(item)
    if row is None:
        raise UnknownItem(item)
    among = _among(state, allowed, exclude)
    among[row] = False
    depth = max(n, _DEPTH)
    rankings: dict[str, Ints] = {}
    for way in dict.fromkeys(ways):
        rows = _by(state, kept, way, row, among, depth)
        if len(rows):
            rankings[way] = rows
    found = fused(rankings, n)
    if len(found) < n:
        among[[near.row for near in found]] = False
        n_used = len(state.items)
        rows, scores = sharing(
            state.items.values[:n_used], state.plan.width, state.values.uses, row, among, n - len(found)
        )
        found += _filled(rows, scores, FIELDS)
        among[rows] = False
    if len(found) < n:
        longest = int(np.argmax(kept.rising.half_lives))
        rows, scores = popularity(kept.rising.values, longest, among, n - len(found))
        found += _filled(rows, scores, POPULAR)
    ids = state.items.ids
    return Similar([(ids[near.row], near) for near in found], list(rankings))


def trending_items(
    state: State,
    n: int,
    *,
    at: int | None = None,
    half_life_ms: int | None = None,
    over_ms: int | None = None,
    allowed: Octets | None = None,
    exclude: Iterable[str] = (),
) -> Lately:
    """At most ``n`` items that people act on, those of most actions first, or those that rise most.

    Parameters
    ----------
    at
        ms since the Unix epoch; none means the time of the newest event: so a history that was imported has its trends,
        whatever the clock says.
    allowed
        As of `State.candidates`.

    Raises
    ------
    NoRetrieval
        If the view has no section ``recommend``.
    UnknownHalfLife
        If popularity is not kept under one of the half-lives, or ``over_ms`` is not the longer one.
    """
    rising = _kept(state).rising
    kept = rising.half_lives.tolist()
    short = _index(kept, min(kept) if half_life_ms is None else half_life_ms)
    over = None if over_ms is None else _index(kept, over_ms)
    if over is not None and kept[over] <= kept[short]:
        raise UnknownHalfLife(
            f"`over` is {spell(kept[over])}, which is not longer than the half-life {spell(kept[short])}: {_told(kept)}"
        )
    at = state.clock if at is None else max(at, state.clock)
    among = _among(state, allowed, exclude)
    found = trending(rising.values, rising.half_lives, rising.landmarks, short, over, at, among, n)
    ids = state.items.ids
    return Lately(
        [ids[row] for row in found.rows.tolist()],
        found.scores.tolist(),
        found.actions.tolist(),
        kept[short],
        None if over is None else kept[over],
        at,
    )


def _kept(state: State) -> Retrieving:
    kept: object = state.retrieval
    assert isinstance(kept, Retrieving)
    return kept


def _by(state: State, kept: Retrieving, way: str, row: int, among: Mask, n: int) -> Ints:
    """Rows of the best ``n`` by one way, the best first; none where it knows nothing of the item."""
    if way == TOGETHER:
        blocked: Octets = (~among).astype(np.uint8)
        scores: Floats = np.zeros(2 * n)
        rows: Ints = np.zeros(2 * n, np.int32)
        return rows[: kept.beside.best(np.array([row], np.int32), blocked, n, scores, rows)]
    if way == CONTENT:
        content = state.content
        return _NONE if content is None else nearest(content.vectors[: len(among)], row, among, n)
    assert way == TASTE
    online = state.columns.online
    if online is None or not (moved := online.have_moved())[row]:
        return _NONE
    return nearest(online.all_vectors(), row, among & moved, n)


def _among(state: State, allowed: Octets | None, exclude: Iterable[str]) -> Mask:
    """By item row, of all in use: whether it may be shown."""
    n = len(state.items)
    among: Mask = state.items.meta[:n, REMOVED] == 0
    if allowed is not None:
        among &= allowed[:n] != 0
    for item in exclude:
        row = state.items.rows.get(item)
        if row is not None:
            among[row] = False
    return among


def _filled(rows: Ints, scores: Floats, by: str) -> list[Near]:
    return [Near(row, score, [by]) for row, score in zip(rows.tolist(), scores.tolist(), strict=True)]


def _index(kept: Sequence[int], half_life_ms: int) -> int:
    if half_life_ms not in kept:
        raise UnknownHalfLife(
            f"popularity is not kept under the half-life {spell(half_life_ms)}: {_told(kept)}"
        )
    return list(kept).index(half_life_ms)


def _told(kept: Sequence[int]) -> str:
    return (
        f"there are {', '.join(spell(one) for one in sorted(kept))}; others are kept where `recommend.half_lives` in "
        "eddyline.yaml names them"
    )
