"""Every metric of the feature-store, with its meaning."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

APPLIED = Counter("eddyline_fold_events", "Events of the log that the state has taken in")
SEQUENCE = Gauge("eddyline_fold_sequence", "Log position that the state reflects")
LAG = Gauge(
    "eddyline_fold_lag", "Places of the log that the state has yet to pass; looked at every few seconds"
)
FOLD_LATENCY = Histogram(
    "eddyline_fold_latency_seconds",
    "Stored by the inbox → reflected by the state, the oldest event of each batch, while caught up",
    buckets=(
        *(0.001, 0.002, 0.003, 0.004, 0.006, 0.008, 0.01, 0.015, 0.02, 0.03, 0.05),
        *(0.1, 0.2, 0.5, 1.0, 5.0, 10.0, 60.0),
    ),
)

ANSWERS = Counter("eddyline_vectors_answers", "Answers to the ranker, by outcome", ["outcome"])
ANSWERS_FRESH = ANSWERS.labels("fresh")
ANSWERS_STALE = ANSWERS.labels("stale")
ANSWERS_ERROR = ANSWERS.labels("error")
WAITERS = Gauge("eddyline_vectors_waiters", "Requests that wait for their place in the log")
VECTORS_SECONDS = Histogram(
    "eddyline_vectors_seconds",
    "Seconds to read the vectors of one request, waiting not counted",
    buckets=(0.00005, 0.0001, 0.00015, 0.0002, 0.0004, 0.0008, 0.0016, 0.003, 0.006, 0.012, 0.025),
)
CANDIDATES_SECONDS = Histogram(
    "eddyline_candidates_seconds",
    "Seconds to find the candidates of one request and read their vectors, waiting not counted",
    buckets=(0.0002, 0.0005, 0.001, 0.0015, 0.002, 0.0025, 0.003, 0.004, 0.006, 0.008, 0.012, 0.025, 0.05),
)

DEPARTURES_SECONDS = Histogram(
    "eddyline_departures_seconds",
    "Seconds to tell which of a ranker's items are not in the catalogue any more, of one request",
    buckets=(0.00005, 0.0001, 0.0002, 0.0004, 0.0008, 0.0016, 0.003, 0.006),
)

BROWSE_ANSWERS = Counter(
    "eddyline_browse_answers",
    "Answers of `/v1/similar` and `/v1/trending`, by call and outcome: `whole`; `short`, with fewer items than were "
    "asked for; `stale`, where `min_sequence` was not reached in time; `refused`",
    ["call", "outcome"],
)
BROWSE_SECONDS = Histogram(
    "eddyline_browse_seconds",
    "Seconds to find the items of one such request, waiting not counted",
    ["call"],
    buckets=(0.0001, 0.0002, 0.0004, 0.0008, 0.0016, 0.003, 0.006, 0.012, 0.025, 0.05, 0.1),
)


class Call:
    """One of the calls that browse the catalogue."""

    def __init__(self, name: str) -> None:
        self.seconds = BROWSE_SECONDS.labels(name)
        outcomes = ("whole", "short", "stale", "refused")
        self._outcomes = {outcome: BROWSE_ANSWERS.labels(name, outcome) for outcome in outcomes}

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count a request that ends in an error."""
        try:
            yield
        except Exception:
            self._outcomes["refused"].inc()
            raise

    def answered(self, n_items: int, n_wanted: int, *, stale: bool) -> None:
        """Count an answer."""
        outcome = "stale" if stale else "short" if n_items < n_wanted else "whole"
        self._outcomes[outcome].inc()


SIMILAR, TRENDING = Call("similar"), Call("trending")

INDEX_ITEMS = Gauge(
    "eddyline_index_items", "Items in the index of online vectors; 0 while all items are looked at instead"
)
INDEX_TO_LOOK_AT = Gauge(
    "eddyline_index_to_look_at", "Items that the round under way through the catalogue has yet to come to"
)
INDEX_BEHIND = Gauge(
    "eddyline_index_behind", "Vectors, new or moved, that the newest whole round had to put into the index"
)
INDEX_ROUNDS = Counter(
    "eddyline_index_rounds", "Rounds through the catalogue; the index answers after the first"
)
INDEX_ROUND_SECONDS = Gauge(
    "eddyline_index_round_seconds", "How long the newest whole round took; the first one builds the index"
)

SNAPSHOT_SECONDS = Gauge("eddyline_snapshot_seconds", "How long the newest snapshot took, storing included")
SNAPSHOT_PAUSE_SECONDS = Gauge(
    "eddyline_snapshot_pause_seconds", "How long the newest snapshot stopped everything"
)
SNAPSHOT_BYTES = Gauge("eddyline_snapshot_bytes", "Size of the newest snapshot")
SNAPSHOT_SEQUENCE = Gauge("eddyline_snapshot_sequence", "Log position of the newest snapshot")
SNAPSHOT_FAILURES = Counter("eddyline_snapshot_failures", "Snapshots that could not be made or stored")
