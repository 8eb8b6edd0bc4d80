"""How many histories a law is tried on: a few in every run, many with ``make laws EXAMPLES=10000``."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_EXAMPLES = "LAW_EXAMPLES"


def examples(usual: int) -> settings:
    """Settings of a law that is usually tried on so many."""
    return settings(
        max_examples=int(os.environ.get(_EXAMPLES, usual)),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
