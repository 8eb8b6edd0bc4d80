"""Which kind serves which declarations. A kind's module, and with it its kernels, is loaded for views that ask for it.

So a start compiles (where nothing is cached), or reads from the cache, only what it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from eddyline_features.declarations.affinity import Affinity
from eddyline_features.declarations.chance import Random
from eddyline_features.declarations.co_interaction import CoInteraction
from eddyline_features.declarations.content import ContentSimilarity
from eddyline_features.declarations.count import Count
from eddyline_features.declarations.cross_rate import CrossRate
from eddyline_features.declarations.diversity import Diversity
from eddyline_features.declarations.fatigue import Fatigue
from eddyline_features.declarations.field_match import FieldMatch
from eddyline_features.declarations.fields import Boolean, Categories, Number
from eddyline_features.declarations.interacted_with import InteractedWith
from eddyline_features.declarations.item_age import ItemAge
from eddyline_features.declarations.local_time import LocalTime
from eddyline_features.declarations.online import OnlineScore, OnlineSimilarity
from eddyline_features.declarations.position import Position
from eddyline_features.declarations.rate import Rate
from eddyline_features.declarations.referer import Referer
from eddyline_features.declarations.relative import Relative
from eddyline_features.declarations.relevancy import Relevancy
from eddyline_features.declarations.scopes import OF_CONTEXT, OF_USER_FIELD
from eddyline_features.declarations.sequence import Sequence
from eddyline_features.declarations.trend import Trend
from eddyline_features.declarations.uncertainty import Uncertainty
from eddyline_features.declarations.user_agent import UserAgent
from eddyline_features.declarations.vector import Vector
from eddyline_features.declarations.windows import WindowCount, WindowRate
from eddyline_features.declarations.word_count import WordCount
from eddyline_features.kinds.kind import Kind
from eddyline_features.view import View


def _of(*declared: type[Any]) -> Callable[[Any], bool]:
    return lambda feature: isinstance(feature, declared)


def _by_group(feature: Any) -> bool:
    return feature.by in (OF_USER_FIELD, OF_CONTEXT)


def _grouped(feature: Any) -> bool:
    return isinstance(feature, CrossRate) or (isinstance(feature, Count | Rate) and _by_group(feature))


@dataclass(frozen=True)
class Entry:
    """A kind, by name."""

    module: str
    name: str
    serves: Callable[[Any], bool]
    """Whether a declaration is its own; each is of one kind."""
    always: Callable[[View], bool] = lambda view: False
    """Whether a view needs it even without a feature of it."""

    def load(self) -> type[Kind]:
        """The class."""
        kind: type[Kind] = getattr(import_module(f"eddyline_features.kinds.{self.module}"), self.name)
        return kind


ENTRIES = (
    Entry(
        "fields", "Fields",
        _of(Number, Relevancy, Boolean, Categories, Vector, WordCount, UserAgent, Referer),
    ),
    Entry("field_match", "FieldMatches", _of(FieldMatch)),
    Entry("chances", "Chances", _of(Random)),
    Entry("local_times", "LocalTimes", _of(LocalTime)),
    Entry("age", "Ages", _of(ItemAge)),
    Entry("rates", "Rates", lambda feature: isinstance(feature, Rate) and not _by_group(feature)),
    Entry("counts", "Counts", lambda feature: isinstance(feature, Count) and not _by_group(feature)),
    Entry("groups", "Groups", _grouped),
    Entry("windows", "Windows", _of(WindowCount, WindowRate)),
    Entry("trends", "Trends", _of(Trend)),
    Entry("uncertainties", "Uncertainties", _of(Uncertainty)),
    Entry(
        "online", "OnlineModel", _of(OnlineScore, OnlineSimilarity),
        always=lambda view: view.online is not None,
    ),
    Entry(
        "content", "Contents", _of(ContentSimilarity),
        always=lambda view: view.content is not None,
    ),
    Entry("affinity", "Affinities", _of(Affinity)),
    Entry("co_interaction", "CoInteractions", _of(CoInteraction)),
    Entry("interacted_with", "InteractedWiths", _of(InteractedWith)),
    Entry("sequence", "Sequences", _of(Sequence)),
    Entry("fatigue", "Fatigues", _of(Fatigue)),
    Entry("diversity", "Diversities", _of(Diversity)),
    Entry("position", "Positions", _of(Position)),
    # Last: they compare what the others have written.
    Entry("relative", "Relatives", _of(Relative)),
    # What it keeps of fields comes after what features keep.
    Entry(
        "retrieving", "Retrieving",
        lambda feature: False,
        always=lambda view: view.recommend is not None,
    ),
)  # fmt: skip


def kinds_of(view: View) -> Iterator[tuple[type[Kind], list[tuple[int, Any]]]]:
    """Each kind that a view needs, with its features and their first columns."""
    for entry in ENTRIES:
        features = []
        column = 0
        for feature in view.features:
            if entry.serves(feature):
                features.append((column, feature))
            column += len(feature.columns)
        if features or entry.always(view):
            yield entry.load(), features
