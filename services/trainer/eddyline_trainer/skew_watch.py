"""Shows what the comparison of served with replayed vectors finds: as metrics, and in the log at most once a minute."""

from __future__ import annotations

import logging
import math
from collections import Counter
from typing import Any

from eddyline_learning.cycle import Learner
from eddyline_learning.skew import DIFFERENT, EQUAL
from eddyline_trainer import metrics

log = logging.getLogger(__name__)
_EVERY_S = 60.0
_COLUMNS_NAMED = 20


class SkewWatch:
    """Looks at a learner from time to time."""

    def __init__(self) -> None:
        self._slates = metrics.Mirror(metrics.SKEW_SLATES)
        self._columns = metrics.Mirror(metrics.SKEW_COLUMNS)
        self._n_told = 0
        self._told_at = -math.inf
        for outcome in (EQUAL, DIFFERENT):
            metrics.SKEW_SLATES.labels(outcome)

    def look(self, learner: Learner, now_s: float) -> None:
        """Bring the metrics up to date; ``now_s`` is of a clock that never goes back."""
        skew = learner.skew
        self._slates.show(skew.slates + Counter(uncompared=learner.examples.joiner.n_uncompared))
        self._columns.show(skew.columns)
        metrics.SKEW_LARGEST.set(skew.largest)
        n_different = skew.slates[DIFFERENT]
        # Fewer than were told of: the log is being read from its beginning once more.
        if n_different < self._n_told:
            self._n_told = 0
        if n_different == self._n_told or now_s - self._told_at < _EVERY_S or skew.newest is None:
            return
        slate, found = skew.newest
        log.error(
            "a slate was ranked by other vectors than the log gives (largest difference %g): models learn from other "
            "numbers than they are asked with",
            found.largest,
            extra={
                "slate": slate,
                "columns": dict(Counter(found.columns).most_common(_COLUMNS_NAMED)),
                "slates": n_different - self._n_told,
            },
        )
        self._n_told, self._told_at = n_different, now_s


def told(learner: Learner) -> dict[str, Any]:
    """The same for whoever asks how the trainer is."""
    skew = learner.skew
    return {
        "compared": skew.slates[EQUAL] + skew.slates[DIFFERENT],
        "different": skew.slates[DIFFERENT],
        # JSON has no infinity.
        "largest": skew.largest if math.isfinite(skew.largest) else None,
        "columns": sorted(skew.columns),
    }
