"""Codes of categories. A code once given never changes its meaning, since boosters hold on to them."""

from __future__ import annotations

import math
from typing import Any

from eddyline_features.field_values import text


class Codes:
    """Codes from 0, fixed from the start or given by first appearance in the log."""

    def __init__(self, values: tuple[str, ...], limit: int) -> None:
        self.fixed = bool(values)
        self.limit = limit
        self.by_text: dict[str, int] = {text(value) or "": code for code, value in enumerate(values)}

    def known(self, value: Any) -> float:
        """Code of a value (of a list, that of its first member with one); NaN where it has none."""
        for member in value if isinstance(value, list) else (value,):
            spelt = text(member)
            if spelt is not None:
                code = self.by_text.get(spelt)
                if code is not None:
                    return float(code)
        return math.nan

    def name(self, code: float) -> str:
        """The value that a code stands for."""
        return list(self.by_text)[int(code)]

    def learn(self, value: Any) -> float:
        """As `known`, but a value that appears for the first time gets the next code while there are any."""
        if not self.fixed and len(self.by_text) < self.limit:
            for member in value if isinstance(value, list) else (value,):
                spelt = text(member)
                if spelt is not None:
                    if spelt not in self.by_text:
                        self.by_text[spelt] = len(self.by_text)
                    break
        return self.known(value)
