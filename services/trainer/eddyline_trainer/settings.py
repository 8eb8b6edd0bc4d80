"""What can be set on a trainer. How models are made is declared in eddyline.yaml, not here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eddyline_runtime.settings import ServiceSettings, setting


@dataclass(frozen=True, kw_only=True)
class TrainerSettings(ServiceSettings):
    """Settings of the trainer, from the environment."""

    port: int = setting("EDDYLINE_PORT", 7443, at_least=0)
    """Port to listen on; 0 takes a free one."""
    database_url: str = setting("EDDYLINE_DATABASE_URL", "postgresql://postgres@127.0.0.1:7446/postgres")
    """Where the log and the registry of models are."""
    config: Path = setting("EDDYLINE_CONFIG", Path("eddyline.yaml"))
    """Declares the feature view, the labels and the learning."""
    state_dir: Path | None = setting("EDDYLINE_STATE_DIR", None)
    """Scratch: the ring of examples. May be deleted at any time; in memory where none is given."""
    announce_every_ms: int = setting("EDDYLINE_ANNOUNCE_EVERY_MS", 2_000, at_least=10)
    """How often the bus is looked at: whether it still knows the champion."""
    added_model_bytes: int = setting("EDDYLINE_ADDED_MODEL_BYTES", 32 * 2**20, at_least=1)
    """A model that is added (`POST /v1/models`) may be so large, in bytes of its file."""
    added_model_us: int = setting("EDDYLINE_ADDED_MODEL_US", 2_000, at_least=1)
    """It may take so long for 100 rows, in µs of one core's time: half of the runs must take less."""
    added_model_seconds: int = setting("EDDYLINE_ADDED_MODEL_SECONDS", 30, at_least=1)
    """Trying it may take so many seconds of CPU time in all."""
    added_model_memory_mib: int = setting("EDDYLINE_ADDED_MODEL_MEMORY_MIB", 1_024, at_least=16)
    """Trying it may take so much memory, in MiB."""
    nice: int = setting("EDDYLINE_NICE", 10, at_least=0)
    """Added to the niceness of the thread that folds and trains: whoever serves comes first."""
    explained_impressions: int = setting("EDDYLINE_EXPLAINED_IMPRESSIONS", 50_000, at_least=0)
    """Of the newest slates that the ranker served, the features of so many impressions are kept, so that
    `GET /v1/slates/{slate}` can explain them whatever came of them: 4 bytes a column each. 0: only of slates that
    models learn from."""
