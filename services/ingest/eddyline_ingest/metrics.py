"""Metrics of ingest."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

ACCEPTED = Counter("eddyline_ingest_accepted_total", "Events stored by the inbox")
DUPLICATES = Counter(
    "eddyline_ingest_duplicates_total", "Events that the bus had already, or twice in a request"
)
REFUSED = Counter("eddyline_ingest_refused_total", "Events refused", ["code"])
UNKEPT = Counter(
    "eddyline_ingest_refused_unkept_total", "Refused events that REJECTED did not take a copy of"
)
UNAVAILABLE = Counter("eddyline_ingest_unavailable_total", "Requests that were told to come back later")
PUBLISH_SECONDS = Histogram(
    "eddyline_ingest_publish_seconds",
    "Handed to the bus → stored, by group of events",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
)
GROUP_EVENTS = Histogram(
    "eddyline_ingest_group_events",
    "Events that were stored together",
    buckets=(1, 2, 5, 10, 50, 100, 500, 1_000),
)
PENDING_BYTES = Gauge("eddyline_ingest_pending_bytes", "Events that wait for the bus")
