"""Settings of the log writer."""

from __future__ import annotations

from dataclasses import dataclass

from eddyline_runtime.settings import ServiceSettings, setting


@dataclass(frozen=True, kw_only=True)
class LogWriterSettings(ServiceSettings):
    """Inbox → log."""

    port: int = setting("EDDYLINE_PORT", 7444, at_least=0)
    """Port of health and metrics; 0 takes a free one."""
    database_url: str = setting("EDDYLINE_DATABASE_URL", "postgresql://postgres@127.0.0.1:7446/postgres")
    """Where the log is."""
    inbox_max_bytes: int = setting("EDDYLINE_INBOX_MAX_BYTES", 0, at_least=0)
    """Size of the inbox on disk. 0 means 8 GiB, or what the bus has room for if that is less."""
    inbox_max_age_s: float = setting("EDDYLINE_INBOX_MAX_AGE_S", 72 * 3600.0, at_least=1)
    """How long the inbox keeps events; what the log has not taken by then is lost."""
    duplicate_window_s: float = setting("EDDYLINE_DUPLICATE_WINDOW_S", 120.0, at_least=0.1)
    """How long the bus itself drops repeated ids. The log drops them for ever."""
    replicas: int = setting("EDDYLINE_NATS_REPLICAS", 1, at_least=1)
    """Copies of the streams in a NATS cluster."""
    batch_rows: int = setting("EDDYLINE_LOG_BATCH_ROWS", 2_000, at_least=1)
    """Events per transaction, at most."""
