"""Filters of requests as masks over the items of a state: each filter is read once, as long as it is asked for."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import msgspec

from eddyline_features.filters.program import Program, Scratch
from eddyline_features.filters.reading import read_filter
from eddyline_features.kernel import Octets
from eddyline_features.state import State

_LONGEST_REMEMBERED = 16 * 1024
"""Bytes of JSON; a longer filter takes more time to run than to read."""

_canonical = msgspec.json.Encoder(order="sorted").encode


class Filters:
    """Of one state. ``remembered``: so many filters are kept, those that were asked for last."""

    def __init__(self, state: State, remembered: int = 1_000) -> None:
        self.state = state
        """Whose items are asked of."""
        self._scratch = Scratch(state)
        self._remembered = remembered
        self._programs: OrderedDict[bytes, Program] = OrderedDict()

    def __len__(self) -> int:
        return len(self._programs)

    def allowed(self, form: dict[str, Any] | None) -> Octets | None:
        """By item row, as many as there are: 1 where the filter is true; none where there is no filter.

        The array is written anew by the next call.

        Raises
        ------
        InvalidFilter
            If it cannot be used: says what to do.
        """
        if form is None or form == {}:
            return None
        program, mask = self._program(form), self._scratch.borrow()
        program.run(self._scratch, mask)
        self._scratch.give_back(mask)
        return mask

    def _program(self, form: dict[str, Any]) -> Program:
        programs, key = self._programs, _key_of(form)
        program = programs.get(key)
        if program is None:
            program = Program(read_filter(form), self.state.fields)
            if not key or len(key) > _LONGEST_REMEMBERED:
                return program
            programs[key] = program
            if len(programs) > self._remembered:
                programs.popitem(last=False)
        else:
            programs.move_to_end(key)
        return program


def _key_of(form: dict[str, Any]) -> bytes:
    """The same for the same filter; empty where it has none, as with half a surrogate pair, or beyond all depth."""
    try:
        return _canonical(form)
    except (UnicodeEncodeError, OverflowError, RecursionError):
        return b""
