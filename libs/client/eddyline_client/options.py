"""How a client gathers and repeats, with defaults that suit a web server."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

Reading = Literal["user", "client", "off"]
"""Which of a client's own events `rank` waits for: those about this person and about items; all; none."""


@dataclass(frozen=True, kw_only=True)
class Batching:
    """How events are gathered, kept and sent again. All numbers are positive; ``linger_s`` may be 0."""

    max_events: int = 500
    """Events in a batch, at most."""
    max_bytes: int = 1024 * 1024
    """Bytes of a batch, at most; a single larger event goes alone."""
    linger_s: float = 0.005
    """How long an event waits for others to join it. Nobody who waits for an answer waits for this."""
    max_pending_events: int = 10_000
    """Events held in memory; beyond it a call waits until some are stored (back-pressure)."""
    max_pending_bytes: int = 16 * 1024 * 1024
    """The same in bytes."""
    attempt_timeout_s: float = 10.0
    """How long one attempt may take before it is made again."""
    first_backoff_s: float = 0.1
    """Pause before the second attempt; it doubles with each, and a random part of it is taken."""
    max_backoff_s: float = 5.0
    """The longest pause, unless the server asks for a longer one."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value < 0 or (value == 0 and field.name != "linger_s"):
                raise ValueError(f"{field.name} is {value}, but has to be positive")
