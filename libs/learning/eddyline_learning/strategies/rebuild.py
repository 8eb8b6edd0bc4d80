"""From scratch, on all examples that are held. The right way while the data doubles."""

from __future__ import annotations

from collections.abc import Callable

from eddyline_features.view import Learning
from eddyline_learning.boosters import Columns, Fitted, train
from eddyline_learning.store import Table


def rebuild(
    table: Table, columns: Columns, settings: Learning, *, should_stop: Callable[[], bool] = lambda: False
) -> Fitted:
    """A new booster; knows nothing of the one before."""
    return train(table, columns, settings, should_stop=should_stop)
