"""Which Eddyline is examined: where its data, its services, its bus and its database are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from eddyline_cli.configuration import DEFAULT
from eddyline_cli.data_folder import RunState, read_state
from eddyline_cli.supervisor.data_lock import holder
from eddyline_cli.supervisor.ports import ports_from

SERVICES = ("log-writer", "ingest", "feature-store", "trainer", "ranker")


@dataclass(frozen=True, kw_only=True)
class Place:
    """One Eddyline, running or not."""

    data: Path
    holder: int | None
    """As `data_lock.holder` tells."""
    state: RunState | None
    """What was written down, by a running one or by one that was killed."""
    config: Path | None
    services: Mapping[str, str] = field(default_factory=dict)
    """Addresses by name; none while nothing is known to run."""
    elsewhere: bool = False
    """The services were named, so this machine's ports and folders say nothing of them."""
    nats_url: str | None = None
    database_url: str | None = None
    ports: Mapping[str, int] = field(default_factory=dict)
    """That an `eddyline up` would take, or has taken."""

    @property
    def running(self) -> bool:
        """Whether an Eddyline runs in the data folder."""
        return bool(self.holder) and self.state is not None


def find_place(
    data: Path,
    config: Path | None,
    urls: Mapping[str, str],
    *,
    port_base: int,
    n_rankers: int,
    environ: Mapping[str, str] = os.environ,
) -> Place:
    """From the options, the data folder and the environment, in that order."""
    data = data.resolve()
    held, state = holder(data), read_state(data)
    nats_url = environ.get("EDDYLINE_NATS_URL") or None
    database_url = environ.get("EDDYLINE_DATABASE_URL") or None
    if urls:
        return Place(
            data=data,
            holder=None,
            state=None,
            config=config,
            services=dict(urls),
            elsewhere=True,
            nats_url=nats_url,
            database_url=database_url,
        )
    if held and state is not None:
        return Place(
            data=data,
            holder=held,
            state=state,
            config=config or Path(state.config),
            services={n: p.url for n, p in state.processes.items() if p.url.startswith("http")},
            nats_url=state.nats_url,
            database_url=state.database_url,
        )
    ports = ports_from(port_base, n_rankers=n_rankers)
    # A server of the user's leaves the port of the embedded one alone.
    for name, given in (("nats", nats_url), ("postgres", database_url)):
        if given:
            ports.pop(name)
    return Place(
        data=data,
        holder=held,
        state=state,
        config=config or (DEFAULT if DEFAULT.is_file() else None),
        nats_url=nats_url,
        database_url=database_url,
        ports=ports,
    )
