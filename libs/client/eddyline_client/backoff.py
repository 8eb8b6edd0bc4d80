"""How long to wait before trying again. Pure."""

from __future__ import annotations

import random

_MAX_ASKED_S = 60.0


def pause_s(attempt: int, *, first_s: float, most_s: float, asked_s: float, rng: random.Random) -> float:
    """Seconds to wait after the ``attempt``-th failure (from 1).

    Between half and all of a span that doubles, so that many clients do not come back at the same moment; never before
    the server's own ``Retry-After`` (``asked_s``), which is believed up to a minute.
    """
    span = min(first_s * 2.0 ** min(attempt - 1, 30), most_s)
    jittered = span * (0.5 + 0.5 * rng.random())
    asked = min(asked_s, _MAX_ASKED_S)
    # The jitter is added to what is asked for, or all who were told the same would return together.
    return max(jittered, asked + 0.1 * jittered) if asked > 0 else jittered
