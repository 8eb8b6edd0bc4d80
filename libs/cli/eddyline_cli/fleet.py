"""What an Eddyline consists of: which processes, with which settings, started and stopped in which order."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aiohttp

from eddyline_cli.servers.nats_server import nats_command
from eddyline_cli.servers.postgres import accepts, drop_stale_lock, postgres_command, url_on
from eddyline_cli.supervisor.ports import FORMER_STORE, FROZEN_RANKER, ports_from, ranker_names
from eddyline_cli.supervisor.probes import health_probe, port_probe
from eddyline_cli.supervisor.spec import Spec

NATS, POSTGRES = "nats", "postgres"
STORE, TRAINER = "feature-store", "trainer"
ENCODER = "encoder"
"""Runs only where the view asks for what items' texts say."""
_MODULES = {
    "ingest": "eddyline_ingest",
    "log-writer": "eddyline_ingest.log_writer",
    "feature-store": "eddyline_feature_store",
    "trainer": "eddyline_trainer",
    "ranker": "eddyline_ranker",
    ENCODER: "eddyline_encoder",
}


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """One Eddyline on this machine."""

    data: Path
    """Folder of all its data; absolute."""
    config: Path
    """eddyline.yaml; absolute."""
    ports: Mapping[str, int]
    """By process; of the servers too, used only when they are embedded."""
    n_rankers: int = 1
    nats_url: str | None = None
    """A nats-server of the user's; none means an embedded one."""
    database_url: str | None = None
    """A PostgreSQL of the user's; none means an embedded one."""
    frozen_ranker: bool = False
    """Whether there is one more ranker, which keeps the first model that it gets."""
    host: str = "127.0.0.1"
    """Where the services listen; the embedded servers never leave loopback."""

    @classmethod
    def planned(
        cls,
        data: Path,
        config: Path,
        *,
        port_base: int,
        n_rankers: int,
        frozen_ranker: bool = False,
        environ: Mapping[str, str] = os.environ,
    ) -> Fleet:
        """A fleet with ports counted from ``port_base`` (0: free ones) and servers as the environment says."""
        return cls(
            data=data.resolve(),
            config=config.resolve(),
            ports=ports_from(port_base, n_rankers=n_rankers, frozen=frozen_ranker, former=True),
            n_rankers=n_rankers,
            frozen_ranker=frozen_ranker,
            nats_url=environ.get("EDDYLINE_NATS_URL") or None,
            database_url=environ.get("EDDYLINE_DATABASE_URL") or None,
            host=environ.get("EDDYLINE_HOST") or "127.0.0.1",
        )

    @property
    def services(self) -> list[str]:
        """The services, in the order in which they start."""
        return ["log-writer", "ingest", STORE, TRAINER, *self.rankers]

    @property
    def rankers(self) -> list[str]:
        """The rankers among them."""
        return [*ranker_names(self.n_rankers), *([FROZEN_RANKER] if self.frozen_ranker else [])]

    @property
    def servers(self) -> list[str]:
        """The embedded servers."""
        return [n for n, given in ((POSTGRES, self.database_url), (NATS, self.nats_url)) if given is None]

    @property
    def stop_order(self) -> list[list[str]]:
        """Groups in the order in which they stop: who asks before who answers, what feeds before what stores."""
        groups = [[ENCODER], [TRAINER], [STORE, FORMER_STORE], ["ingest"], ["log-writer"], [NATS], [POSTGRES]]
        return [self.rankers, *groups]

    @property
    def used_ports(self) -> dict[str, int]:
        """The ports that this fleet will listen on; one more for a while when its view changes."""
        return {name: self.ports[name] for name in [*self.servers, *self.services]}

    @property
    def bus(self) -> str:
        """Address of the bus."""
        return self.nats_url or f"nats://127.0.0.1:{self.ports[NATS]}"

    @property
    def database(self) -> str:
        """Address of the database."""
        return self.database_url or url_on(self.ports[POSTGRES])

    def url(self, name: str) -> str:
        """Where a service is reached from this machine."""
        return self._url(self.ports[name])

    def _url(self, port: int) -> str:
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host
        return f"http://{host}:{port}"

    def log(self, name: str) -> Path:
        """The log file of a process."""
        return self.data / "logs" / f"{name}.log"

    def server_specs(self) -> list[Spec]:
        """The embedded servers, as processes to run."""
        return [self._nats() if name == NATS else self._postgres() for name in self.servers]

    def service_spec(
        self, name: str, session: aiohttp.ClientSession, declaration: Path, *, place: str | None = None
    ) -> Spec:
        """A service, as a process to run.

        Parameters
        ----------
        session
            Asks for its health.
        declaration
            The eddyline.yaml that it reads.
        place
            Whose port and log it takes; its own where none is given.
        """
        place = place or name
        url = self._url(self.ports[place])
        return Spec(
            name=name,
            command=service_command(name),
            log=self.log(place),
            probe=health_probe(session, url),
            url=url,
            environ=self._environ(name, self.ports[place], declaration),
        )

    def _environ(self, name: str, port: int, declaration: Path) -> dict[str, str]:
        state = self.data / "services" / name
        state.mkdir(parents=True, exist_ok=True)
        own = {"EDDYLINE_KEEP_FIRST_MODEL": "true"} if name == FROZEN_RANKER else {}
        return {
            **os.environ,
            "EDDYLINE_NATS_URL": self.bus,
            "EDDYLINE_DATABASE_URL": self.database,
            "EDDYLINE_CONFIG": str(declaration),
            "EDDYLINE_HOST": self.host,
            "EDDYLINE_PORT": str(port),
            "EDDYLINE_STATE_DIR": str(state),
            **own,
        }

    def _nats(self) -> Spec:
        port = self.ports[NATS]
        return Spec(
            name=NATS,
            command=nats_command(self.data / NATS, port=port),
            log=self.log(NATS),
            probe=port_probe(port),
            url=self.bus,
        )

    def _postgres(self) -> Spec:
        port = self.ports[POSTGRES]
        folder = self.data / POSTGRES
        return Spec(
            name=POSTGRES,
            command=postgres_command(folder, port=port),
            log=self.log(POSTGRES),
            probe=port_probe(port, accepts),
            url=self.database,
            stop_signal=signal.SIGINT,
            prepare=partial(drop_stale_lock, folder),
        )


def service_command(name: str) -> Sequence[str]:
    """The command that runs a service; ``ranker-2`` is a ranker."""
    module = _MODULES.get(name) or _MODULES[name.rpartition("-")[0]]
    # -P: a file in the user's folder must not be taken for a package.
    return [sys.executable, "-P", "-m", module]
