"""What the feature-store knows of candidates, as words that sentences about them can have in them."""

from __future__ import annotations

from collections.abc import Sequence

from eddyline_contracts.candidates import Known
from eddyline_features.claims import NEW_DAYS
from eddyline_features.recommend_settings import BESIDE, CONTENT
from eddyline_features.retrieval.because import NONE
from eddyline_learning.explaining.sentences import Words, sayable

_DAY_MS = 86_400_000


def words_of(known: Known, first: Sequence[int], called: Sequence[str], *, at: int) -> list[Words]:
    """Of the candidates ``first``.

    Parameters
    ----------
    called
        Fields that say what an item is called: the first of them that is known of an item.
    at
        Time of the request, ms since the Unix epoch.
    """
    names_by_field = [known.recent_values[field] for field in called if field in known.recent_values]
    names = [
        next((name for values in names_by_field if (name := sayable(values[r]))), None)
        for r in range(len(known.recent))
    ]

    def led_by(reason: str, which: int) -> dict[str, str]:
        name = None if which == NONE else names[which]
        return {} if name is None else {reason: name}

    return [
        Words(
            values={field: values[i] for field, values in known.values.items()},
            items=led_by(BESIDE, known.beside[i]) | led_by(CONTENT, known.near[i]),
            is_new=at - known.first_seen[i] <= NEW_DAYS * _DAY_MS,
        )
        for i in first
    ]
