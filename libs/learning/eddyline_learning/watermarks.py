"""How far behind the log's end the fold may move: by event time, decided by the log alone.

The fold trails by at least ``window_ms`` of event time, so that slates which reach the log late still find the state
that they were ranked by. It moves in steps of 1/256 of the window, because a step can be remembered by two numbers
and every event's own clock cannot.
"""

from __future__ import annotations

from collections import deque

_STEPS = 256


class TrailingMark:
    """Follows the event clock and says which event is the last that the fold may apply.

    Attributes
    ----------
    clock
        Newest time of a slate or interaction, in ms since the Unix epoch; -1 before the first.
    sequence
        The last event that the fold may apply; 0 before the first.
    """

    def __init__(self, window_ms: int) -> None:
        self._step_ms = max(1, -(-window_ms // _STEPS))
        self._n_steps = -(-window_ms // self._step_ms)
        # (step, the newest event before the first one of this step): at most one for each step of the window.
        self._entered: deque[tuple[int, int]] = deque()
        self._newest_sequence = 0
        self.clock = -1
        self.sequence = 0

    def pass_by(self, sequence: int) -> None:
        """The log has an event here whose time tells nothing."""
        self._newest_sequence = sequence

    def finish(self) -> None:
        """The log has ended: the fold may move to its last event."""
        self.sequence = self._newest_sequence

    def advance(self, sequence: int, occurred_at: int) -> bool:
        """The log has an event here that moves the clock. True when the fold may move further than before."""
        before = self._newest_sequence
        self._newest_sequence = sequence
        if occurred_at <= self.clock:
            return False
        step = occurred_at // self._step_ms
        entered = step != self.clock // self._step_ms
        self.clock = occurred_at
        if not entered:
            return False
        self._entered.append((step, before))
        # Events of older steps lie the whole window behind: (step - n_steps) × step_ms ≤ clock - window.
        while self._entered[0][0] < step - self._n_steps:
            self._entered.popleft()
        allowed = self._entered[0][1]
        moved = allowed > self.sequence
        self.sequence = max(self.sequence, allowed)
        return moved
