"""Values of item fields as small numbers, so that kernels can count them.

Bounded: at most ``limit`` values have a code. A value that no item has any longer keeps its code and its counts until
the code is needed for a new one; the longest unused goes first. While every code is in use, a new value stays
unknown and is counted in ``n_refused``. Texts beyond 64 characters are kept as a digest.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import numpy as np

from eddyline_features.identities import identity
from eddyline_features.kernel import FloatTable, Longs
from eddyline_features.reserving import reserved

NEVER = -(2**62)
"""A time before all others."""


class Values:
    """Codes of (field, text), with the number of items that have each."""

    def __init__(self, limit: int, *, n_fields: int, n_counters: int) -> None:
        self.limit = limit
        self.codes: list[dict[str, int]] = [{} for _ in range(n_fields)]
        """By field."""
        self.fields: list[int] = []
        self.texts: list[str] = []
        self.uses: list[int] = []
        """By code."""
        self.unused: OrderedDict[int, None] = OrderedDict()
        """Codes that no item has, the longest unused first."""
        self.counters: FloatTable = reserved((limit, n_counters))
        self.identities: Longs = reserved(limit, np.int64)
        """By code: of the text alone, whatever the field; see ``identities``."""
        self.seen: Longs = reserved(limit, np.int64)
        """By code: fold time (ms) of the newest event that was counted for it, or `NEVER`."""
        self.n_refused = 0
        self.on_begin: list[Callable[[int], None]] = []
        """Told each code that gets a new value."""

    def __len__(self) -> int:
        return len(self.texts)

    def use(self, field: int, text: str) -> int:
        """Code of a value for one more item; -1 while there is none to be had."""
        code = self.codes[field].get(text)
        if code is not None:
            if self.uses[code] == 0:
                del self.unused[code]
            self.uses[code] += 1
            return code
        if len(self.texts) < self.limit:
            code = len(self.texts)
            self.fields.append(field)
            self.texts.append(text)
            self.uses.append(1)
        elif self.unused:
            code, _ = self.unused.popitem(last=False)
            del self.codes[self.fields[code]][self.texts[code]]
            self.fields[code], self.texts[code], self.uses[code] = field, text, 1
            self.counters[code] = 0.0
        else:
            self.n_refused += 1
            return -1
        self.codes[field][text] = code
        self.identities[code] = identity(text)
        self.seen[code] = NEVER
        for begun in self.on_begin:
            begun(code)
        return code

    def release(self, code: int) -> None:
        """One item fewer has this value."""
        self.uses[code] -= 1
        if self.uses[code] == 0:
            self.unused[code] = None
