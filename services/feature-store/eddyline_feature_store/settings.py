"""What can be set on a feature-store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eddyline_runtime.settings import ServiceSettings, setting


@dataclass(frozen=True, kw_only=True)
class FeatureStoreSettings(ServiceSettings):
    """Settings of the feature-store, from the environment."""

    port: int = setting("EDDYLINE_PORT", 7442, at_least=0)
    """Port to listen on; 0 takes a free one."""
    database_url: str = setting("EDDYLINE_DATABASE_URL", "postgresql://postgres@127.0.0.1:7446/postgres")
    """Where the log is."""
    config: Path = setting("EDDYLINE_CONFIG", Path("eddyline.yaml"))
    """Declares the feature view."""
    snapshot_events: int = setting("EDDYLINE_SNAPSHOT_EVENTS", 50_000, at_least=1)
    """Events between two snapshots; a restart folds at most about so many again."""
    max_waiters: int = setting("EDDYLINE_MAX_WAITERS", 10_000, at_least=0)
    """Requests that may wait for their ``min_sequence`` at once; further ones get the newest features there are."""
    max_wait_ms: int = setting("EDDYLINE_MAX_WAIT_MS", 10_000, at_least=0)
    """How long any request may wait for its ``min_sequence``, whatever it asks for."""
    exact_items: int = setting("EDDYLINE_EXACT_ITEMS", 100_000, at_least=0)
    """Beyond so many items, those that the online model likes best are found by an index, nearly all of them (0.98)."""
