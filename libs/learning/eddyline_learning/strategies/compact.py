"""A new base in place of one whose tail is full, made of the newest examples: so no booster outgrows its bound."""

from __future__ import annotations

from collections.abc import Callable

from eddyline_features.view import Learning
from eddyline_learning.boosters import Columns, Fitted
from eddyline_learning.store import Table
from eddyline_learning.strategies.rebuild import rebuild


def compact(
    window: Table, columns: Columns, settings: Learning, *, should_stop: Callable[[], bool] = lambda: False
) -> Fitted:
    """A booster of ``trees`` trees.

    Made from the labels and not from the old booster's scores: what a tail has learnt by many small steps is in the
    newest examples too, without the steps that later ones took back.
    """
    return rebuild(window, columns, settings, should_stop=should_stop)
