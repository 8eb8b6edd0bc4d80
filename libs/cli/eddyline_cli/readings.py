"""What a service's ``/metrics`` says: single values, values by label, and quantiles of histograms.

A metric that is not there is no error, so that services of another version can be read too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

_TIMEOUT = aiohttp.ClientTimeout(total=5.0)


class Readings:
    """The metrics of one process at one moment, from their text form."""

    def __init__(self, text: str) -> None:
        self._samples: dict[str, list[tuple[Mapping[str, str], float]]] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self._samples.setdefault(sample.name, []).append((sample.labels, sample.value))

    def value(self, name: str) -> float | None:
        """Of a metric without labels; a counter's name ends in ``_total``."""
        return next((value for _, value in self._samples.get(name, [])), None)

    def by(self, label: str, name: str) -> dict[str, float]:
        """Of a metric with one label, by that label's value."""
        return {labels[label]: value for labels, value in self._samples.get(name, []) if label in labels}

    def quantile(self, name: str, share: float) -> float | None:
        """Of a histogram without labels; None when nothing was observed.

        Within a bucket values are taken to lie evenly. What exceeds the last bound is given as that bound: it is at
        least so much.
        """
        buckets = sorted((_bound(bound), n) for bound, n in self.by("le", f"{name}_bucket").items())
        if not buckets or buckets[-1][1] <= 0:
            return None
        wanted = share * buckets[-1][1]
        low, n_below = 0.0, 0.0
        for bound, n in buckets:
            if n >= wanted and n > n_below:
                return low if math.isinf(bound) else low + (bound - low) * (wanted - n_below) / (n - n_below)
            low, n_below = low if math.isinf(bound) else bound, n
        return low


async def read(session: aiohttp.ClientSession, url: str | None) -> Readings:
    """Ask a service; it says nothing if it does not answer, or is not there at all."""
    if url is None:
        return Readings("")
    try:
        async with session.get(f"{url}/metrics", timeout=_TIMEOUT) as answer:
            return Readings(await answer.text() if answer.status == 200 else "")
    except (aiohttp.ClientError, TimeoutError, OSError):
        return Readings("")


def _bound(text: str) -> float:
    return math.inf if text == "+Inf" else float(text)
