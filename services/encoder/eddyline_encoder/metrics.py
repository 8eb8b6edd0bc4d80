"""Every metric of the encoder, with its meaning."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

SEQUENCE = Gauge("eddyline_encoder_sequence", "Log position that the encoder has seen")
UNREAD = Gauge("eddyline_encoder_unread", "Texts of items that this encoder has still to read")
READ = Counter("eddyline_encoder_read", "Texts that were read")
BATCH_SECONDS = Histogram(
    "eddyline_encoder_batch_seconds",
    "How long a batch of texts took to read",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0),
)
STORED = Counter("eddyline_encoder_events", "Vectors that the inbox has stored")
RETRIED = Counter(
    "eddyline_encoder_retries", "Batches of vectors that were not acknowledged, and are sent again"
)
FITS = Counter("eddyline_encoder_fits", "Encoders that were made of the log's own words")
ANSWERS = Counter("eddyline_encoder_answers", "Texts of requests that were read, by outcome", ["outcome"])
ANSWERS_READ = ANSWERS.labels("read")
ANSWERS_KNOWN = ANSWERS.labels("known")
ANSWERS_REFUSED = ANSWERS.labels("refused")
