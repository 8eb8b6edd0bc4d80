"""Every name on the bus, and who writes there (see ARCHITECTURE.md)."""

from __future__ import annotations

import hashlib

INBOX_STREAM = "EVENTS"
INBOX_SUBJECTS = "events.>"
INBOX_CONSUMER = "log-writer"
REJECTED_STREAM = "REJECTED"
REJECTED_SUBJECTS = "rejected.>"
COMMITTED = "log.committed"

EPOCH_METADATA = "eddyline_epoch"
"""Key of the inbox stream's metadata that holds its epoch; written by the log writer when it adopts the stream."""

MODELS_BUCKET = "models"
"""JetStream KV, written by the trainer."""
CHAMPION_KEY = "champion"
BUNDLES_BUCKET = "bundles"
"""JetStream object store, written by the trainer: bundles by model name."""
SNAPSHOTS_BUCKET = "snapshots"
"""JetStream object store, written by the feature-store: the newest snapshots of each view."""

MSG_ID = "Nats-Msg-Id"
EVENT_ID = "Eddyline-Event-Id"
"""Header: percent-encoded id that ingest assigned to an event which came without one."""
RECEIVED_AT = "Eddyline-Received-At"
"""Header: when ingest received the event, in ms since the Unix epoch."""
REASON = "Eddyline-Reason"
"""Header of a rejected event: why, percent-encoded."""
REASON_CODE = "Eddyline-Reason-Code"
ORIGIN = "Eddyline-Origin"
"""Header of a rejected event: the subject it came by, or ``http``."""


def event_subject(event_type: str) -> str:
    """Where an event of this type is published."""
    return f"events.{event_type}"


def vectors_subject(view: str) -> str:
    """Where the feature-store of a view answers `VectorsRequest`."""
    return f"features.{view}.vectors"


def candidates_subject(view: str) -> str:
    """Where the feature-store of a view answers `CandidatesRequest`."""
    return f"features.{view}.candidates"


def departures_subject(view: str) -> str:
    """Where the feature-store of a view answers `DeparturesRequest`."""
    return f"features.{view}.departures"


def embed_subject() -> str:
    """Where the encoder answers a text with its vector, ``<encoder>:<base64>``; both as UTF-8."""
    return "encoder.embed"


def snapshot_subject(view: str) -> str:
    """Where a replica of a view's feature-store tells the others that it will take a snapshot."""
    return f"features.{view}.snapshot"


def message_id(event_id: str) -> str:
    """De-duplication id of an event: header values are stripped and folded, a digest is not."""
    return hashlib.sha256(event_id.encode()).hexdigest()
