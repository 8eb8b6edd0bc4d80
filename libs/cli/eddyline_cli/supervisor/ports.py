"""Which port each process listens on, and whether they are free: checked before anything starts."""

from __future__ import annotations

import socket
from collections.abc import Mapping

import psutil

from eddyline_cli.servers.processes import free_port

DEFAULT_BASE = 7440
FROZEN_RANKER = "ranker-frozen"
"""A ranker that keeps the first model that it gets, for comparison."""
FORMER_STORE = "feature-store-former"
"""The feature-store of the view before, while that one's model still serves."""
_STEPS = {
    "ranker": 0,
    "ingest": 1,
    "feature-store": 2,
    "trainer": 3,
    "log-writer": 4,
    "nats": 5,
    "postgres": 6,
    "encoder": 9,
}


class PortTaken(RuntimeError):
    """Something else listens where a process of ours should."""


def ranker_names(n_rankers: int) -> list[str]:
    """``ranker``, ``ranker-2``, …"""
    return ["ranker", *(f"ranker-{n}" for n in range(2, n_rankers + 1))]


def ports_from(
    base: int, *, n_rankers: int = 1, frozen: bool = False, former: bool = False
) -> dict[str, int]:
    """Ports by process, counted from ``base``; further rankers at +10, +20, …; a base of 0 takes free ones.

    ``frozen``: with one for `FROZEN_RANKER`, at +7; ``former``: with one for `FORMER_STORE`, at +8.
    """
    steps = dict(_STEPS) | {name: 10 * n for n, name in enumerate(ranker_names(n_rankers))}
    if frozen:
        steps[FROZEN_RANKER] = 7
    if former:
        steps[FORMER_STORE] = 8
    if base:
        return {name: base + step for name, step in steps.items()}
    ports: dict[str, int] = {}
    for name in steps:
        port = free_port()
        while port in ports.values():
            port = free_port()
        ports[name] = port
    return ports


def check_free(ports: Mapping[str, int], host: str = "127.0.0.1") -> None:
    """Try to listen on each port once.

    Raises
    ------
    PortTaken
        Naming every taken port, who has it if that can be seen, and what to do.
    """
    taken = [(name, port) for name, port in ports.items() if not is_free(host, port)]
    if not taken:
        return
    lines = [f"  {port} (for {name}) is taken{by_whom(port)}" for name, port in taken]
    raise PortTaken(
        "these ports are not free:\n"
        + "\n".join(lines)
        + "\nEnd what uses them, or choose others: `eddyline up --port-base 7540` counts from there."
    )


def is_free(host: str, port: int) -> bool:
    """Whether we could listen there."""
    with socket.socket() as probe:
        # As the servers do: a connection that lingers from the last run is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def by_whom(port: int) -> str:
    """`` by NAME (process PID)``; empty when that cannot be seen."""
    pid = listener(port)
    try:
        return "" if pid is None else f" by {psutil.Process(pid).name()} (process {pid})"
    except psutil.Error:
        return ""


def listener(port: int) -> int | None:
    """Process id of who listens on this port; none when nobody does or it cannot be seen."""
    try:
        for connection in psutil.net_connections("tcp"):
            address = connection.laddr
            if connection.status != psutil.CONN_LISTEN or not address or connection.pid is None:
                continue
            if address.port == port:
                pid: int = connection.pid
                return pid
    except psutil.Error:
        pass
    return None
