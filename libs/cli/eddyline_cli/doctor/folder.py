"""The data folder: what a crash left, who holds it, and how often processes were started again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil

from eddyline_cli.data_folder import MARK, STATE, read_mark
from eddyline_cli.doctor.finding import Finding, fail, ok, warn
from eddyline_cli.doctor.place import Place

_PROGRAMS = ("postgres", "nats-server", "eddyline_")


def check_folder(place: Place) -> Iterator[Finding]:
    """Only of this machine's own."""
    if place.elsewhere:
        return
    yield _mark(place.data)
    yield from _left_over(place)
    if place.running and place.state is not None:
        for name, process in place.state.processes.items():
            if process.restarts:
                yield warn(
                    "restarts",
                    name,
                    f"started again {process.restarts} times, last after exit code {process.last_exit}",
                    f"{process.log} says why",
                    restarts=process.restarts,
                )
        if not any(process.restarts for process in place.state.processes.values()):
            yield ok("restarts", "processes", "none was started again")


def _mark(data: Path) -> Finding:
    if not data.exists():
        return ok("folder", "data", f"{data} is not there yet; `eddyline up` makes it")
    if (data / MARK).exists() and read_mark(data) is None:
        return fail(
            "folder",
            "data",
            f"{data / MARK} cannot be read: damaged, or not yours to read",
            f"run as the user who owns {data}; if the file is damaged delete it alone, `eddyline up` writes it anew",
        )
    return ok("folder", "data", f"{data}")


def _left_over(place: Place) -> Iterator[Finding]:
    if place.running:
        yield ok("folder", "lock", f"held by process {place.holder}")
        return
    if place.holder is not None:
        yield warn(
            "folder",
            "lock",
            f"{place.data} is held"
            + (
                f" by process {place.holder}, which is starting"
                if place.holder
                else ", its holder was killed"
            ),
            "wait some seconds and look again: what a killed run left is ended by its guard; `eddyline down` helps "
            "if it stays",
        )
        return
    orphans = _orphans(place.data)
    if orphans:
        listed = ", ".join(f"{name} ({pid})" for pid, name in orphans.items())
        yield fail(
            "folder",
            "orphans",
            f"no Eddyline runs in {place.data}, but these processes work on it: {listed}",
            f"end them: `kill {' '.join(map(str, orphans))}`",
            pids=list(orphans),
        )
    if place.state is not None:
        yield warn(
            "folder",
            "state",
            f"{place.data / STATE} is left of a run that was killed (process {place.state.pid})",
            "nothing is lost, and nothing to do: the next `eddyline up` recovers and replaces it",
        )
    if not orphans and place.state is None:
        yield ok("folder", "leftovers", "none")


def _orphans(data: Path) -> dict[int, str]:
    """Programs of ours that were started for this folder."""
    found: dict[int, str] = {}
    for process in psutil.process_iter(["pid", "name", "cmdline"]):
        told = process.info
        line = told["cmdline"] or []
        if not any(str(data) + "/" in word for word in line):
            if not any(word.startswith("eddyline_") for word in line):
                continue
            try:
                state = process.environ().get("EDDYLINE_STATE_DIR", "")
            except psutil.Error:
                continue
            if not state.startswith(str(data) + "/"):
                continue
        if any(word.rpartition("/")[2].startswith(_PROGRAMS) for word in line):
            found[told["pid"]] = told["name"]
    return found
