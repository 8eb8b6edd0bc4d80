"""What a column may say of an item to who sees it, and what must be so that it is true.

A column that raised a score says nothing by that alone: trees may value a small number as well as a large one. So a
claim also needs the value to lie on the right side of most of the model's splits, and within bounds of its own. What
is smoothed says nothing: it is never 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from eddyline_features.declarations.affinity import Affinity
from eddyline_features.declarations.co_interaction import CoInteraction
from eddyline_features.declarations.content import ContentSimilarity
from eddyline_features.declarations.count import Count
from eddyline_features.declarations.declaration import Declaration
from eddyline_features.declarations.field_match import FieldMatch
from eddyline_features.declarations.interacted_with import InteractedWith
from eddyline_features.declarations.item_age import ItemAge
from eddyline_features.declarations.online import OnlineScore, OnlineSimilarity
from eddyline_features.declarations.paths import IMPRESSION, THE_ITEM
from eddyline_features.declarations.relevancy import Relevancy
from eddyline_features.declarations.scopes import OF_ITEM
from eddyline_features.declarations.trend import Trend
from eddyline_features.declarations.windows import WindowCount
from eddyline_features.explanation_settings import AGAIN, HIGH, LOW, RELEVANT, TRENDING
from eddyline_features.recommend_settings import AFFINITY, BESIDE, CONTENT, NEW, ONLINE, POPULAR
from eddyline_features.view import View

_DAY_MS = 86_400_000
RIGHT_NOW_MS = 14 * _DAY_MS
"""Counters with a half-life or window up to here say what is popular now; longer ones what was."""
POPULAR_ABOVE = 3.0
"""So many actions, or their weights, are more than one person's."""
RISING_ABOVE = 1.2
"""The trend, where 1 is steady."""
NEW_DAYS = 7.0
"""Up to here an item may be called new."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one column may say."""

    reason: str
    side: str = HIGH
    """``low`` or ``high``: where the value must lie among the model's splits of the column."""
    above: float = -math.inf
    """The value must be larger."""
    most: float = math.inf
    """It must not be larger."""
    field: str | None = None
    """Item field whose value it is about, where it is about one."""
    query: str | None = None
    """Field of the context that it is about, likewise."""


def sayable_fields(view: View) -> list[str]:
    """Item fields whose values sentences about its columns can name, and those that say what an item is called."""
    about = (claim.field for claims in claims_of(view) for claim in claims)
    return list(dict.fromkeys([*view.explanations.called, *(name for name in about if name is not None)]))


def claims_of(view: View) -> list[tuple[Claim, ...]]:
    """Of each of the F columns, in order; none for most. What `explanations.reasons` says of a feature stands alone."""
    disliked = {name for name, action in view.actions.items() if action.weight <= 0.0}
    found: list[tuple[Claim, ...]] = []
    for feature in view.features:
        own = view.explanations.reasons.get(feature.name)
        if own is not None:
            claims = tuple(Claim(reason, side) for side, reason in own.items())
            found += [claims] * len(feature.columns)
        else:
            said = list(_claims(feature, disliked))
            found += said or [()] * len(feature.columns)
    return found


def _claims(feature: Declaration, disliked: Iterable[str]) -> Iterator[tuple[Claim, ...]]:
    """Of each of its columns; nothing at all where none says anything."""
    if isinstance(feature, Affinity) and not set(feature.actions) & set(disliked):
        for _ in feature.half_lives:
            for output in feature.outputs:
                # Rates are drawn to the person's usual one, so they are above 0 for what was never acted on, too.
                yield (_taste(feature.field),) if output in ("acted", "share", "lift") else ()
    elif isinstance(feature, InteractedWith) and not set(feature.actions) & set(disliked):
        for field in feature.fields:
            yield (_taste(field),)
    elif isinstance(feature, CoInteraction):
        for _ in feature.columns:
            yield (Claim(BESIDE, above=0.0),)
    elif isinstance(feature, OnlineScore):
        # The others know how much everybody likes it, too.
        for output in feature.outputs:
            yield (Claim(ONLINE, above=0.0),) if output == "taste" else ()
    elif isinstance(feature, OnlineSimilarity):
        for _ in feature.columns:
            yield (Claim(ONLINE, above=0.0),)
    # No rates: that of an item which nobody has seen is the usual one.
    elif isinstance(feature, Count | WindowCount) and feature.by == OF_ITEM:
        yield from _popularity(feature, disliked)
    elif isinstance(feature, Trend) and feature.by == OF_ITEM and not set(feature.actions) & set(disliked):
        yield (Claim(TRENDING, above=RISING_ABOVE),)
    elif isinstance(feature, ItemAge):
        yield (Claim(NEW, LOW, most=NEW_DAYS),)
    elif isinstance(feature, Relevancy):
        yield (Claim(RELEVANT, above=0.0),)
    elif isinstance(feature, FieldMatch):
        yield (Claim(RELEVANT, above=0.0, query=feature.query),)
    elif isinstance(feature, ContentSimilarity):
        for output in feature.outputs:
            yield (
                Claim(RELEVANT, above=0.0, query=feature.query)
                if output == "query"
                else Claim(CONTENT, above=0.0),
            )


def _taste(field: str) -> Claim:
    if field == THE_ITEM:
        return Claim(AGAIN, above=0.0)
    return Claim(AFFINITY, above=0.0, field=field)


def _popularity(feature: Count | WindowCount, disliked: Iterable[str]) -> Iterator[tuple[Claim, ...]]:
    of_good = not set(feature.of) & {*disliked, IMPRESSION}
    windows = () if isinstance(feature, Count) else [n * feature.bucket_ms for n in feature.periods]
    for span in feature.half_lives if isinstance(feature, Count) else windows:
        yield (Claim(POPULAR, above=POPULAR_ABOVE),) if of_good and 0 < span <= RIGHT_NOW_MS else ()


def holds(claim: Claim, value: float, share_below: float) -> bool:
    """Whether the claim is true of a value that lies above this share of the model's splits of its column."""
    # NaN, of what is unknown or never split by size, is on no side.
    on_side = share_below > 0.5 if claim.side == HIGH else share_below < 0.5
    return on_side and claim.above < value <= claim.most


__all__ = ["NEW_DAYS", "Claim", "claims_of", "holds", "sayable_fields"]
