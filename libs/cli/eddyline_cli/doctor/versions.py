"""Versions: of Python, of the packages, of the servers, and of the services against each other."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from eddyline_cli.doctor.finding import Finding, fail, ok, warn
from eddyline_cli.doctor.seen import Seen

OLDEST_NATS = (2, 14)
OLDEST_POSTGRES = (14,)
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(?:>=\s*([0-9.]+))?\s*(?:;\s*(.*))?$")


def numbers(text: str) -> tuple[int, ...]:
    """``2.14.0-RC.1`` → (2, 14, 0)."""
    found = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def check_versions(seen: Seen) -> Iterator[Finding]:
    """Everything that has a version."""
    yield _python()
    yield packages(requires("eddyline") or [])
    yield from _servers(seen)
    yield from _services(seen)


def _python() -> Finding:
    have = sys.version_info[:3]
    wanted = str(metadata("eddyline")["Requires-Python"])
    told = ".".join(map(str, have))
    if have < numbers(wanted.removeprefix(">=")):
        return fail(
            "versions", "python", f"Python {told}, {wanted} is needed", "make PYTHON=python3.12 setup"
        )
    return ok("versions", "python", f"Python {told}")


def packages(wanted: list[str]) -> Finding:
    """What the installed project asks of its environment, of the extras only ``all``."""
    lacking: list[str] = []
    n = 0
    for line in wanted:
        found = _REQUIREMENT.match(line)
        if found is None or ("extra" in (found[3] or "") and "extra == 'all'" not in found[3]):
            continue
        n += 1
        name, least = found[1], found[2] or "0"
        try:
            have = version(name)
        except PackageNotFoundError:
            lacking.append(f"{name} is missing")
            continue
        if numbers(have) < numbers(least):
            lacking.append(f"{name} is {have}, {least} is needed")
    if lacking:
        return fail(
            "versions",
            "packages",
            "; ".join(lacking),
            "`make setup` installs what is pinned; in an environment of your own: pip install 'eddyline[all]'",
        )
    return ok("versions", "packages", f"{n} packages as asked for", packages=n)


def _servers(seen: Seen) -> Iterator[Finding]:
    if seen.bus is not None and seen.bus.version:
        yield server_version(
            "nats-server", seen.bus.version, OLDEST_NATS, "atomic batches and what else the inbox uses"
        )
    if seen.database is not None and seen.database.version:
        yield server_version("PostgreSQL", seen.database.version, OLDEST_POSTGRES, "the log's tables")


def server_version(name: str, have: str, oldest: tuple[int, ...], what_for: str) -> Finding:
    """Of a server."""
    if numbers(have) < oldest:
        least = ".".join(map(str, oldest))
        return fail(
            "versions",
            name,
            f"{name} {have} is too old for {what_for}",
            f"upgrade it to {least} or newer, or leave its address away and use the embedded one",
            version=have,
        )
    return ok("versions", name, f"{name} {have.split()[0]}", version=have)


def _services(seen: Seen) -> Iterator[Finding]:
    ours = version("eddyline")
    told = {name: s.version for name, s in seen.services.items() if s.answered}
    if not told:
        return
    others = {name: v or "older than it tells" for name, v in told.items() if v != ours}
    if others:
        listed = ", ".join(f"{name} {v}" for name, v in others.items())
        yield warn(
            "versions",
            "services",
            f"not of the version of this command, {ours}: {listed}",
            "run all of one version: upgrade and restart those that differ (log writer first, rankers last)",
            services=told,
        )
    else:
        yield ok("versions", "services", f"all are {ours}", services=told)
