"""What can be set on a ranker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eddyline_runtime.settings import ServiceSettings, setting


@dataclass(frozen=True, kw_only=True)
class RankerSettings(ServiceSettings):
    """Settings of the ranker, from the environment."""

    port: int = setting("EDDYLINE_PORT", 7440, at_least=0)
    """Port to listen on; 0 takes a free one."""
    config: Path = setting("EDDYLINE_CONFIG", Path("eddyline.yaml"))
    """Declares the feature view that is asked while no model is loaded."""
    state_dir: Path | None = setting("EDDYLINE_STATE_DIR", None)
    """Folder for the last bundle, from which the ranker starts while the bus is away; none keeps nothing."""
    features_timeout_ms: int = setting("EDDYLINE_FEATURES_TIMEOUT_MS", 50, at_least=1)
    """How long to wait for the feature-store, beside the wait that a request itself asks for."""
    retrieval_timeout_ms: int = setting("EDDYLINE_RETRIEVAL_TIMEOUT_MS", 200, at_least=1)
    """The same for candidates from the whole catalogue, which take longer to find."""
    encoder_timeout_ms: int = setting("EDDYLINE_ENCODER_TIMEOUT_MS", 20, at_least=1)
    """How long to wait for the encoder to read a text that is asked for (`content_similarity`, output `query`)."""
    max_wait_ms: int = setting("EDDYLINE_MAX_WAIT_MS", 1_000, at_least=0)
    """How long a request with ``min_sequence`` may wait for it."""
    outbox_slates: int = setting("EDDYLINE_OUTBOX_SLATES", 10_000, at_least=1)
    """Slates kept for sending again while the inbox does not answer; beyond it the oldest is dropped."""
    flush_ms: int = setting("EDDYLINE_FLUSH_MS", 3_000, at_least=0)
    """How long a stop may take to get the last slates stored."""
    remembered_answers: int = setting("EDDYLINE_REMEMBERED_ANSWERS", 4_096, at_least=1)
    """Answers kept for retries with the same ``request_id``."""
    champion_poll_ms: int = setting("EDDYLINE_CHAMPION_POLL_MS", 1_000, at_least=10)
    """How often to look for another champion, beside being told of it."""
    skew_share: float = setting("EDDYLINE_SKEW_SHARE", 0.01, at_least=0, at_most=1)
    """Share of the slates that are logged with the vectors they were ranked by, for the trainer to compare with its
    replay. 0: none; 1: all, which is for tests, since such a slate takes ten times the room in the log."""
    metarank_models: str = setting("EDDYLINE_METARANK_MODELS", "")
    """Model names that `/rank/{model}` answers to, with commas between them; empty: any name."""
    keep_first_model: bool = setting("EDDYLINE_KEEP_FIRST_MODEL", False)
    """Serve the first model that comes, for ever: something to compare the learning ones with. It is kept in the state
    folder across restarts; live features go on changing."""
