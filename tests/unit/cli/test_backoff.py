"""Crash after crash the wait grows to a bound; a healthy while forgives."""

from __future__ import annotations

import pytest

from eddyline_cli.supervisor.backoff import Backoff


def test_the_wait_doubles_up_to_its_bound() -> None:
    backoff = Backoff(first_s=0.5, most_s=3.0, healthy_after_s=30.0)
    assert [backoff.after(0.1) for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_a_healthy_while_starts_over() -> None:
    backoff = Backoff(first_s=0.5, most_s=60.0, healthy_after_s=30.0)
    for _ in range(5):
        backoff.after(29.9)
    assert backoff.after(30.0) == 0.5
    assert backoff.after(1.0) == 1.0


def test_a_process_that_crashes_for_ever_overflows_nothing() -> None:
    backoff = Backoff(most_s=15.0)
    waits = [backoff.after(0.0) for _ in range(5_000)]
    assert waits[-1] == pytest.approx(15.0)
