"""Ports: free for an `eddyline up`, or held by the process that should hold them."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from eddyline_cli.doctor.finding import Finding, fail, ok
from eddyline_cli.doctor.place import Place
from eddyline_cli.supervisor.ports import by_whom, is_free, listener


def check_ports(place: Place) -> Iterator[Finding]:
    """Each port of this Eddyline."""
    if place.elsewhere:
        return
    if place.running and place.state is not None:
        for name, process in place.state.processes.items():
            port = urlsplit(process.url).port
            if port is not None:
                yield _held(name, port, process.pid)
        return
    for name, port in place.ports.items():
        if is_free("127.0.0.1", port):
            yield ok("ports", name, f"{port} is free", port=port)
        else:
            yield fail(
                "ports",
                name,
                f"{port} is taken{by_whom(port)}",
                "end what uses it, or count from another: `eddyline up --port-base 7540` (and `eddyline doctor "
                "--port-base 7540`); if it is an Eddyline of another folder, examine it with --data DIR or --host",
                port=port,
            )


def _held(name: str, port: int, pid: int) -> Finding:
    found = listener(port)
    if found is None:
        if is_free("127.0.0.1", port):
            return fail(
                "ports",
                name,
                f"nothing listens on {port}",
                "it is starting or crashing: `eddyline status` shows which, and its log says why",
                port=port,
            )
        return ok("ports", name, f"{port} is in use; whose it is cannot be seen", port=port)
    if found in _family(pid):
        return ok("ports", name, f"{port} is held by process {found}", port=port)
    return fail(
        "ports",
        name,
        f"{port} is taken{by_whom(port)}, and not by the process {pid} that should hold it",
        f"end process {found}, or restart on other ports: `eddyline down`, `eddyline up --port-base 7540`",
        port=port,
    )


def _family(pid: int) -> set[int]:
    """The process and all below it: PostgreSQL may run beneath a wrapper."""
    import psutil

    try:
        return {pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))}
    except psutil.Error:
        return {pid}
