"""Where the Eddyline is that people are simulated on: given addresses, or whatever runs in a data folder now."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eddyline_cli.data_folder import read_state
from eddyline_cli.supervisor.ports import FROZEN_RANKER


@dataclass(frozen=True, kw_only=True)
class Target:
    """Asked before every request: an Eddyline that was restarted may be at other ports."""

    data: Path | None = None
    """Folder of a running Eddyline."""
    ranker: str | None = None
    ingest: str | None = None
    """Addresses that come before what the folder says."""

    def url(self, name: str) -> str | None:
        """Address of a process; None while it has none."""
        given = {"ranker": self.ranker, "ingest": self.ingest}.get(name)
        if given is not None:
            return given.rstrip("/")
        state = read_state(self.data) if self.data is not None else None
        return None if state is None else state.url(name)

    @property
    def ingest_url(self) -> str:
        """As `url`; an address where nothing answers while there is none, which is tried again like any other."""
        return self.url("ingest") or "http://127.0.0.1:9"

    @property
    def has_frozen(self) -> bool:
        """Whether there is a ranker that keeps its first model."""
        return self.url(FROZEN_RANKER) is not None
