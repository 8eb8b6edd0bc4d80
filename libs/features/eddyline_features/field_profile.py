"""What the values of one field look like."""

from __future__ import annotations

from typing import Any

from eddyline_features.field_values import moment, text
from eddyline_features.sampling import DistinctSample

_MAX_MEMBERS = 50
_LATEST_SECONDS, _EARLIEST_SECONDS = 4_102_444_800.0, 86_400.0 * 365
"""2100 and 1971: numbers between them may be times."""


class FieldProfile:
    """Counts of a field's values by type, and a sample of the distinct ones."""

    def __init__(self) -> None:
        self.n = 0
        """Values other than null."""
        self.n_numbers = 0
        self.n_booleans = 0
        self.n_texts = 0
        self.n_lists = 0
        self.n_moments = 0
        """Texts in the form of a date, and numbers of a size that dates have."""
        self.n_fractions = 0
        """Members of lists that are numbers with decimals."""
        self.n_chars = 0
        self.n_words = 0
        """Of the texts, by the spaces in them."""
        self.values = DistinctSample()
        """Single values, and the members of lists, as texts."""

    def add(self, value: Any) -> None:
        """See one value."""
        if value is None:
            return
        self.n += 1
        if isinstance(value, list):
            self.n_lists += 1
            for member in value[:_MAX_MEMBERS]:
                self.n_fractions += isinstance(member, float) and not member.is_integer()
                self._keep(member)
            return
        if isinstance(value, bool):
            self.n_booleans += 1
        elif isinstance(value, str):
            self.n_texts += 1
            self.n_chars += len(value)
            self.n_words += value.count(" ") + 1
            # A bare year or a number in a text is no date.
            self.n_moments += len(value) >= 10 and "-" in value[:5] and moment(value) == moment(value)
        elif isinstance(value, (int, float)):
            self.n_numbers += 1
            seconds = value / 1_000 if value > _LATEST_SECONDS else value
            self.n_moments += _EARLIEST_SECONDS < seconds < _LATEST_SECONDS
        self._keep(value)

    def _keep(self, value: Any) -> None:
        spelt = text(value)
        if spelt is not None:
            self.values.add(spelt)

    @property
    def n_distinct(self) -> int:
        """Distinct values (members of lists)."""
        return self.values.n_distinct

    @property
    def repetition(self) -> float:
        """How often a value comes, on average."""
        return self.values.total / max(1, self.n_distinct)

    @property
    def mean_chars(self) -> float:
        """Mean length of the texts."""
        return self.n_chars / max(1, self.n_texts)

    @property
    def mean_words(self) -> float:
        """Words of a text, on average."""
        return self.n_words / max(1, self.n_texts)
