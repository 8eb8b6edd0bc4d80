"""Settings of ingest."""

from __future__ import annotations

from dataclasses import dataclass

from eddyline_runtime.settings import ServiceSettings, setting


@dataclass(frozen=True, kw_only=True)
class IngestSettings(ServiceSettings):
    """HTTP → inbox. Replicas need nothing of each other."""

    port: int = setting("EDDYLINE_PORT", 7441, at_least=0)
    """Port to listen on; 0 takes a free one."""
    max_body_bytes: int = setting("EDDYLINE_MAX_BODY_BYTES", 32 * 1024 * 1024, at_least=1024)
    """Largest request, unpacked."""
    max_pending_bytes: int = setting("EDDYLINE_MAX_PENDING_BYTES", 64 * 1024 * 1024, at_least=1024)
    """Events of all requests that wait for the bus; beyond it requests are told to come back."""
    patience_s: float = setting("EDDYLINE_PUBLISH_PATIENCE_S", 5.0, at_least=0.1)
    """How long a request waits for a bus that is away before it is told to come back."""
