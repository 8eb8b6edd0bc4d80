"""Which view's feature-store is asked for a model, and what became of it; a question that fails is counted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from eddyline_ranker import metrics
from eddyline_ranker.errors import FeaturesLost
from eddyline_ranker.model import Model

A = TypeVar("A")


async def asked(
    model: Model | None, declared: str, ask: Callable[[str, bool], Awaitable[A]]
) -> tuple[str, A | None]:
    """The answer, or none; and the view that it is of.

    Parameters
    ----------
    declared
        The view of eddyline.yaml, whose store is asked where there is no model, or nobody serves the model's view.
    ask
        Puts the question to the store of a view; the second argument says whether to ask for priors, too.
    """
    view = declared if model is None else model.view
    try:
        # With a model they would cost the store as much as some columns, for nothing.
        return view, await ask(view, model is None)
    except FeaturesLost as lost:
        metrics.FEATURES_LOST.labels(lost.reason).inc()
        if lost.reason != "no_responders" or view == declared:
            return view, None
    # The model is of a view that nobody serves any more; the declared one may have no model yet, but is alive.
    try:
        return declared, await ask(declared, True)
    except FeaturesLost as lost:
        metrics.FEATURES_LOST.labels(lost.reason).inc()
        return view, None
