"""Whether services, bus and database answer, and are ready."""

from __future__ import annotations

from collections.abc import Iterator

import psutil

from eddyline_cli.doctor.finding import Finding, fail, ok, warn
from eddyline_cli.doctor.place import Place
from eddyline_cli.doctor.seen import Seen, SeenBus, SeenDatabase, SeenService

_TAKES_TIME = {"caught_up"}
"""What a service waits for by itself, and gets."""


def check_answers(place: Place, seen: Seen) -> Iterator[Finding]:
    """Everything that there is an address for."""
    for name, service in seen.services.items():
        yield _service(place, name, service)
    if seen.bus is not None:
        yield _bus(place, seen.bus)
    if seen.database is not None:
        yield from _database(place, seen.database)


def _service(place: Place, name: str, service: SeenService) -> Finding:
    if not service.answered:
        process = place.state.processes.get(name) if place.state and place.running else None
        if process is None:
            return fail(
                "answers",
                name,
                f"no answer at {service.url}: {service.why}",
                "see that it runs and that this address is right (`docker compose ps`, its log); "
                f"`curl {service.url}/health/ready` asks the same",
            )
        if process.pid and _is_stopped(process.pid):
            return fail(
                "answers",
                name,
                f"process {process.pid} is stopped: {service.why} at {service.url}",
                f"let it go on with `kill -CONT {process.pid}`, or restart all: `eddyline down`, `eddyline up`",
                pid=process.pid,
            )
        return fail(
            "answers",
            name,
            f"no answer at {service.url}: {service.why}",
            f"look into {process.log}; `kill {process.pid}` has it started anew"
            if process.pid
            else f"it has ended ({process.restarts} restarts); {process.log} says why",
            pid=process.pid,
        )
    if service.waiting_for:
        waits = ", ".join(service.waiting_for)
        if set(service.waiting_for) <= _TAKES_TIME:
            return warn(
                "answers",
                name,
                f"it is reading the log: waits for {waits}",
                "wait; see lag for how far it is",
            )
        return fail(
            "answers",
            name,
            f"it is not ready: waits for {waits}",
            "mend what it waits for (bus and database: see the findings on them; inbox: the log writer makes it)",
        )
    return ok("answers", name, f"ready at {service.url}")


def _is_stopped(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False


def _bus(place: Place, bus: SeenBus) -> Finding:
    if bus.fault is not None:
        remedy = (
            f"look into {place.data / 'logs' / 'nats.log'}, and restart: `eddyline down`, `eddyline up`"
            if place.state and place.running and "nats" in place.state.processes
            else "start it, or correct EDDYLINE_NATS_URL; unset, `eddyline up` brings one along"
        )
        return fail("answers", "nats", f"no nats-server answers at {bus.url}: {bus.fault}", remedy)
    if not bus.jetstream:
        return fail(
            "answers",
            "nats",
            f"the nats-server at {bus.url} has no JetStream (for this account)",
            "start it with `-js`, or a `jetstream {}` block in its configuration",
        )
    return ok("answers", "nats", f"answers at {bus.url}")


def _database(place: Place, database: SeenDatabase) -> Iterator[Finding]:
    if database.fault is not None:
        remedy = (
            f"look into {place.data / 'logs' / 'postgres.log'}, and restart: `eddyline down`, `eddyline up`"
            if place.state and place.running and "postgres" in place.state.processes
            else "start it, or correct EDDYLINE_DATABASE_URL; unset, `eddyline up` brings one along"
        )
        yield fail("answers", "postgres", f"no database to use at {database.url}: {database.fault}", remedy)
        return
    yield ok("answers", "postgres", f"answers at {database.url}")
    yield tables(database)


def tables(database: SeenDatabase) -> Finding:
    """Whether the database's tables are those of this version."""
    figures = {"version": database.tables, "newest": database.newest_tables}
    if database.encoding != "UTF8":
        return fail(
            "tables",
            "postgres",
            f"the database is encoded in {database.encoding}; the log needs UTF8",
            "create it with `CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`",
        )
    if not database.tables_known:
        return fail(
            "tables",
            "postgres",
            f"the tables are of version {database.tables}, newer than this Eddyline knows ({database.newest_tables})",
            "upgrade Eddyline here to the version that made them; nothing was changed",
            **figures,
        )
    if database.tables != database.newest_tables:
        what = (
            "there are no tables yet" if database.tables is None else f"they are of version {database.tables}"
        )
        return warn(
            "tables",
            "postgres",
            f"{what}, the newest is {database.newest_tables}",
            "nothing to do by hand: `eddyline up`, and each service at its start, brings them up to date",
            **figures,
        )
    return ok("tables", "postgres", f"up to date (version {database.tables})", **figures)
