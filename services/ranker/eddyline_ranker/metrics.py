"""Every metric of the ranker, with its meaning."""

from __future__ import annotations

from collections import Counter as CountedSources
from collections.abc import Sequence

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (
    0.0005,
    0.001,
    0.0015,
    0.002,
    0.0025,
    0.004,
    0.008,
    0.016,
    0.032,
    0.064,
    0.125,
    0.25,
    0.5,
    1.0,
    2.0,
)


class Calls:
    """How often a call was answered, and with what missing."""

    def __init__(self, requests: Counter, degraded: Counter) -> None:
        self._whole, self._degraded = requests.labels("whole"), requests.labels("degraded")
        self.repeated = requests.labels("repeated")
        self._missing = degraded

    def answered(self, missing: list[str]) -> None:
        """Count an answer."""
        if not missing:
            self._whole.inc()
            return
        self._degraded.inc()
        for what in missing:
            self._missing.labels(what).inc()


REQUESTS = Counter("eddyline_rank_requests", "Slates answered, by whether anything was missing", ["outcome"])
DEGRADED = Counter("eddyline_rank_degraded", "Degraded answers, by what was missing", ["missing"])
RANK = Calls(REQUESTS, DEGRADED)
FEATURES_LOST = Counter(
    "eddyline_rank_features_lost",
    "Questions to the feature-store that got no vectors or candidates, by reason",
    ["reason"],
)

_PHASES = Histogram("eddyline_rank_seconds", "Seconds of a request, by phase", ["phase"], buckets=_SECONDS)
FEATURES_SECONDS = _PHASES.labels("features")
SCORE_SECONDS = _PHASES.labels("score")
TOTAL_SECONDS = _PHASES.labels("total")

RECOMMEND_REQUESTS = Counter(
    "eddyline_recommend_requests", "Slates recommended, by whether anything was missing", ["outcome"]
)
RECOMMEND_DEGRADED = Counter(
    "eddyline_recommend_degraded", "Degraded recommendations, by what was missing", ["missing"]
)
RECOMMEND = Calls(RECOMMEND_REQUESTS, RECOMMEND_DEGRADED)
_RECOMMEND_PHASES = Histogram(
    "eddyline_recommend_seconds",
    "Seconds of a recommendation, by phase: `retrieval` (candidates and their vectors), `score`, `choose`, `total`",
    ["phase"],
    buckets=_SECONDS,
)
RETRIEVAL_SECONDS = _RECOMMEND_PHASES.labels("retrieval")
RECOMMEND_SCORE_SECONDS = _RECOMMEND_PHASES.labels("score")
CHOOSE_SECONDS = _RECOMMEND_PHASES.labels("choose")
RECOMMEND_TOTAL_SECONDS = _RECOMMEND_PHASES.labels("total")
RECOMMENDED = Counter(
    "eddyline_recommend_items", "Items recommended, by the source of retrieval that found them", ["source"]
)
RECOMMEND_SHORT = Counter("eddyline_recommend_short", "Recommendations with fewer items than were asked for")


def count_shown(order: Sequence[int], sources: Sequence[str], n: int) -> None:
    """Count what a recommendation shows: ``order``, places in ``sources``, of ``n`` that were asked for."""
    for source, times in CountedSources(sources[at] for at in order).items():
        RECOMMENDED.labels(source).inc(times)
    if len(order) < n:
        RECOMMEND_SHORT.inc()


PREDICT_REQUESTS = Counter(
    "eddyline_predict_requests", "Predictions answered, by whether anything was missing", ["outcome"]
)
PREDICT_DEGRADED = Counter(
    "eddyline_predict_degraded", "Degraded predictions, by what was missing", ["missing"]
)
PREDICTIONS = Calls(PREDICT_REQUESTS, PREDICT_DEGRADED)
PREDICT_SECONDS = Histogram(
    "eddyline_predict_seconds", "Seconds of a request for predictions", buckets=_SECONDS
)

SLATES_STORED = Counter("eddyline_slates_stored", "Slates that the inbox acknowledged")
SLATES_DROPPED = Counter("eddyline_slates_dropped", "Slates that were given up, by reason", ["reason"])
SLATES_RETRIED = Counter("eddyline_slates_retried", "Slates sent again, because no acknowledgement came")
SLATES_WAITING = Gauge("eddyline_slates_waiting", "Slates that the inbox has not acknowledged yet")

SKEW_SLATES = Counter(
    "eddyline_skew_slates",
    "Slates chosen for the skew monitor, by what became of their vectors: `logged`; `too_large` for an event; "
    "`waiting`, when too many slates waited for the inbox",
    ["outcome"],
)

SWAPS = Counter("eddyline_model_swaps", "Champions taken into service")
LOAD_FAILURES = Counter(
    "eddyline_model_load_failures", "Champions that could not be taken into service, by reason", ["reason"]
)
MODEL_AGE = Gauge("eddyline_model_age_seconds", "Seconds since the model in service was promoted; none: -1")
MODEL_SEQUENCE = Gauge(
    "eddyline_model_last_sequence",
    "Log position of the newest slate that the model in service was trained on",
)

REMOVALS = Gauge(
    "eddyline_removals_known", "Items among those of the model in service that were removed since it was made"
)
REMOVALS_CURRENT = Gauge(
    "eddyline_removals_current",
    "1 while all that was removed since the model in service was made is known; 0 while recommendations without the "
    "feature-store are empty, or say that they were not checked",
)

TEXTS_ASKED = Counter(
    "eddyline_ranker_texts_asked",
    "Texts of requests that the encoder was asked to read, by outcome",
    ["outcome"],
)
