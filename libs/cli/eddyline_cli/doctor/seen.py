"""What one look at an Eddyline saw: plain values, judged elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Another clock against this machine's."""

    ahead_ms: float
    """Positive: it is ahead of ours."""
    within_ms: float
    """How far wrong this reading may be."""


@dataclass(frozen=True, kw_only=True)
class SeenService:
    """A service's answer of ``/health/ready``; or none."""

    url: str
    answered: bool
    why: str = ""
    """Why there was none."""
    version: str | None = None
    waiting_for: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    clock: Clock | None = None
    cursor: int | None = None
    """Of the log writer: the log's newest place."""


@dataclass(frozen=True, kw_only=True)
class SeenStream:
    """A stream of the bus."""

    messages: int
    n_bytes: int
    max_bytes: int
    """-1: without bound."""
    last: int
    last_at: str
    """Time of the newest message, RFC 3339."""
    epoch: int | None
    by_subject: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SeenBus:
    """The bus; ``fault`` says why nothing else is known."""

    url: str
    fault: str | None = None
    version: str = ""
    jetstream: bool = True
    inbox: SeenStream | None = None
    rejected: SeenStream | None = None
    champion: Mapping[str, Any] | None = None
    """Value of the champion key."""
    bundle_there: bool = True
    """Whether the champion's bundle is in the object store."""
    storage: int = 0
    """Bytes of JetStream in use by the account."""
    max_storage: int = -1
    clock: Clock | None = None
    oldest_waiting_ms: float | None = None
    """Age of the oldest event in the inbox that the log has not."""


@dataclass(frozen=True, kw_only=True)
class SeenDatabase:
    """The database; ``fault`` says why nothing else is known."""

    url: str
    fault: str | None = None
    version: str = ""
    encoding: str = "UTF8"
    n_bytes: int = 0
    tables: str | None = None
    """Version of the tables; none when there are none."""
    newest_tables: str | None = None
    tables_known: bool = True
    cursor: int | None = None
    epoch: int | None = None
    champions: Mapping[str, str] = field(default_factory=dict)
    """View → model, by the registry."""
    clock: Clock | None = None
    behind_ms: Mapping[str, float] = field(default_factory=dict)
    """Follower → age of the oldest event of the log that it has not passed."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Everything at one moment; parts that there was no address for are none."""

    services: Mapping[str, SeenService] = field(default_factory=dict)
    bus: SeenBus | None = None
    database: SeenDatabase | None = None

    @property
    def rankers(self) -> dict[str, SeenService]:
        """Those that answered."""
        return {n: s for n, s in self.services.items() if n.startswith("ranker") and s.answered}

    def service(self, name: str) -> SeenService | None:
        """A service that answered."""
        found = self.services.get(name)
        return found if found is not None and found.answered else None

    def place_of(self, follower: str) -> int | None:
        """Where in the log a follower is."""
        found = self.service(follower)
        at = found.details.get("sequence") if found else None
        return at if isinstance(at, int) else None

    @property
    def cursor(self) -> int | None:
        """The log's newest place, from the database or else from its writer."""
        if self.database is not None and self.database.cursor is not None:
            return self.database.cursor
        writer = self.service("log-writer")
        return writer.cursor if writer else None
