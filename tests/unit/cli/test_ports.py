"""Ports are told apart and checked before anything starts."""

from __future__ import annotations

import os
import socket

import pytest

from eddyline_cli.supervisor.ports import PortTaken, check_free, ports_from


def test_default_ports_are_the_documented_ones() -> None:
    ports = ports_from(7440, n_rankers=3)
    assert ports == {
        "ranker": 7440,
        "ingest": 7441,
        "feature-store": 7442,
        "trainer": 7443,
        "log-writer": 7444,
        "nats": 7445,
        "postgres": 7446,
        "encoder": 7449,
        "ranker-2": 7450,
        "ranker-3": 7460,
    }


def test_a_frozen_ranker_has_a_port_of_its_own() -> None:
    assert ports_from(7440, frozen=True)["ranker-frozen"] == 7447


def test_free_ports_are_all_different() -> None:
    ports = ports_from(0, n_rankers=4)
    assert len(set(ports.values())) == len(ports) == 11
    check_free(ports)


def test_a_taken_port_is_named_with_its_owner_and_the_remedy() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken) as refusal:
            check_free({"ingest": port})
    text = str(refusal.value)
    assert f"{port} (for ingest) is taken" in text
    assert f"process {os.getpid()}" in text
    assert "--port-base" in text
