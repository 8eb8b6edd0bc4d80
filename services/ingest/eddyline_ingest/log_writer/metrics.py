"""Metrics of the log writer."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

ROWS = Counter("eddyline_log_rows_total", "Events written to the log")
DUPLICATES = Counter("eddyline_log_duplicates_total", "Events dropped because the log has their id")
REFUSED = Counter("eddyline_log_refused_total", "Messages of the inbox that are no event", ["code"])
UNKEPT = Counter("eddyline_log_refused_unkept_total", "Refused messages that REJECTED did not take a copy of")
LOST = Counter("eddyline_log_lost_total", "Messages that left the inbox before they reached the log")
BATCH_SECONDS = Histogram(
    "eddyline_log_batch_seconds",
    "Decided batch → committed and pushed",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5),
)
BATCH_ROWS = Histogram(
    "eddyline_log_batch_rows", "Events of a batch", buckets=(1, 2, 5, 10, 50, 100, 500, 1_000, 2_000)
)
LATENCY_SECONDS = Histogram(
    "eddyline_log_latency_seconds",
    "Stored by the inbox → committed, the oldest event of each batch",
    buckets=(
        *(0.001, 0.002, 0.003, 0.004, 0.006, 0.008, 0.01, 0.015, 0.02, 0.03, 0.05),
        *(0.1, 0.2, 0.5, 1.0, 5.0, 10.0, 60.0),
    ),
)
LAG = Gauge("eddyline_log_lag_events", "Messages of the inbox that are not in the log yet")
CURSOR = Gauge("eddyline_log_cursor", "The log's newest place")
ACTIVE = Gauge("eddyline_log_writer_active", "1 for the active writer, 0 for a standby")
TRIMMED = Counter("eddyline_log_trimmed_total", "Times that logged events were cleared from a filling inbox")
