"""Why items stand where they do: what each feature adds to their scores, and a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_contracts.api import Contribution, Explanation
from eddyline_contracts.bundle import Bundle
from eddyline_features.claims import Claim, claims_of, holds
from eddyline_features.explanation_settings import RELEVANT
from eddyline_features.recommend_settings import CONTENT, NEW
from eddyline_features.view import View, ViewError, load_view
from eddyline_learning.explaining.sentences import Reason, Speaker, Words
from eddyline_learning.explaining.served_trees import Doubles, NoTrees, read_trees
from eddyline_learning.explaining.tree_shap import TreeExplainer

EXPLAINED = 50
"""Of a slate the first so many items are explained: about 1 ms each, and nobody reads more."""
LANGUAGE = "language"
"""Field of a request's context that goes before the browser's languages."""
TOP = 10
"""Contributions that are named of each item; the others are summed up as the rest."""
_ENOUGH = 0.25
"""A feature is a reason for an item if it adds at least this part of what the largest one adds."""
NO_MODEL = "no model gave the scores"
NO_VECTORS = "the features are not known any more"
_NO_COVERS = (
    "the model was made elsewhere, or by an older Eddyline: what its trees were made from is not known"
)


class ModelExplainer:
    """A model's trees and what its columns may say; both are read when they are first asked for, in tens of ms.

    Not for two threads at a time.

    Parameters
    ----------
    declared
        The view in use: what it declares about explanations counts, where the model is of the same view.
    """

    def __init__(self, bundle: Bundle, declared: View | None = None) -> None:
        self._onnx, self._covers = bundle.onnx, bundle.covers
        self._declaration = bundle.declaration
        self._declared = declared if declared is not None and declared.id == bundle.view else None
        self._trees: TreeExplainer | None = None
        self._claims: list[tuple[Claim, ...]] | None = None
        self.columns = tuple(bundle.features)
        self.missing: str | None = None if self._covers else _NO_COVERS
        """Why nothing can be said of the contributions; known for sure once `trees` has been asked."""

    @property
    def trees(self) -> TreeExplainer | None:
        """Its trees; none where they cannot be explained, and then `missing` says why."""
        if self._trees is None and self.missing is None:
            try:
                self._trees = TreeExplainer(read_trees(self._onnx), np.frombuffer(self._covers, "<i4"))
            except NoTrees as error:
                self.missing = str(error)
        return self._trees

    @property
    def claims(self) -> list[tuple[Claim, ...]]:
        """Of each of its columns."""
        if self._claims is None:
            view = self._declared
            if view is None and self._declaration:
                try:
                    view = load_view(self._declaration)
                except ViewError:
                    # Of another version of Eddyline: then nothing is claimed.
                    view = None
            known = view is not None and tuple(view.columns) == self.columns
            self._claims = claims_of(view) if view is not None and known else [()] * len(self.columns)
        return self._claims


def explanations(
    model: ModelExplainer | None,
    vectors: NDArray[np.float32] | None,
    *,
    speaker: Speaker,
    language: str,
    sources: Sequence[str | None],
    words: Sequence[Words],
    context: Mapping[str, Any] | None = None,
    queries: Sequence[str] = (),
    top: int = TOP,
) -> list[Explanation]:
    """Explain N items.

    Takes about 1 ms an item for a hundred trees of 31 leaves: call it off the event loop.

    Parameters
    ----------
    model
        That gave the scores; none where none did.
    vectors
        shape (N, F), as the model got them; none where they are not known.
    sources
        Where each item was found, where it was retrieved: the reason that goes before all others.
    words
        What is known of each item.
    context
        Fields of the request.
    queries
        Those of them that hold texts which were asked for: what is alike in content is alike to these.
    """
    asked = _asked_for(queries, context or {})
    trees = None if model is None or vectors is None else model.trees
    if model is None or vectors is None or trees is None:
        missing = NO_MODEL if model is None else NO_VECTORS if vectors is None else model.missing
        return [
            Explanation(
                sentence=speaker.say(language, _of_source(source, known, asked), known), missing=missing
            )
            for source, known in zip(sources, words, strict=True)
        ]
    adds, below = trees.contributions(vectors), trees.shares_below(vectors)
    told = []
    for row, (source, known) in enumerate(zip(sources, words, strict=True)):
        reasons = _of_source(source, known, asked) + _of_features(
            model.claims, vectors[row], adds[row], below[row], context or {}
        )
        told.append(
            _explanation(
                speaker.say(language, reasons, known), model.columns, trees.mean, vectors[row], adds[row], top
            )
        )
    return told


def _explanation(
    sentence: str,
    columns: Sequence[str],
    mean: float,
    vector: NDArray[np.float32],
    adds: Doubles,
    top: int,
) -> Explanation:
    order = np.argsort(-np.abs(adds), kind="stable")
    named = [column for column in order[:top].tolist() if adds[column] != 0.0]
    return Explanation(
        sentence=sentence,
        mean=mean,
        contributions=[
            Contribution(feature=columns[column], value=_value(vector[column]), adds=float(adds[column]))
            for column in named
        ],
        rest=float(adds[order[len(named) :]].sum()),
    )


def _value(value: np.float32) -> float | None:
    # The shortest decimals that are this float32, and nothing that JSON has no word for.
    return float(str(value)) if np.isfinite(value) else None


def _of_source(source: str | None, known: Words, asked: Reason | None) -> list[Reason]:
    if source is None or (source == NEW and not known.is_new):
        # The newest that there are may have come long ago.
        return []
    return [asked if source == CONTENT and asked is not None else Reason(source)]


def _asked_for(queries: Sequence[str], context: Mapping[str, Any]) -> Reason | None:
    """What retrieval goes by instead of what was chosen before."""
    for name in queries:
        if isinstance(context.get(f"{name}_vector"), str):
            text = context.get(name)
            return Reason(RELEVANT, query=text if isinstance(text, str) else None)
    return None


def _of_features(
    claims: Sequence[tuple[Claim, ...]],
    vector: NDArray[np.float32],
    adds: Doubles,
    below: Doubles,
    context: Mapping[str, Any],
) -> list[Reason]:
    """What the features that raised the score may say, the largest first."""
    found = []
    least = max(0.0, float(adds.max(initial=0.0))) * _ENOUGH
    for column in np.argsort(-adds, kind="stable").tolist():
        if adds[column] <= 0.0 or adds[column] < least:
            break
        for claim in claims[column]:
            if holds(claim, float(vector[column]), float(below[column])):
                asked = None if claim.query is None else context.get(claim.query)
                found.append(Reason(claim.reason, claim.field, asked if isinstance(asked, str) else None))
    return found
