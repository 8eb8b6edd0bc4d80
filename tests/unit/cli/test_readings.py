"""What is read from a service's metrics is what it observed."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from eddyline_cli.demo.freshness import told_by
from eddyline_cli.demo.timings import Percentiles
from eddyline_cli.readings import Readings

BUCKETS = (0.001, 0.002, 0.004, 0.01)


def readings_of(registry: CollectorRegistry) -> Readings:
    return Readings(generate_latest(registry).decode())


def a_histogram(*observed: float, name: str = "h_seconds") -> Readings:
    registry = CollectorRegistry()
    histogram = Histogram(name, "Seconds", buckets=BUCKETS, registry=registry)
    for value in observed:
        histogram.observe(value)
    return readings_of(registry)


def test_a_quantile_lies_in_the_bucket_of_its_value() -> None:
    readings = a_histogram(*[0.0005] * 50, *[0.003] * 49, 0.008)
    assert readings.quantile("h_seconds", 0.5) == pytest.approx(0.001)
    assert readings.quantile("h_seconds", 0.25) == pytest.approx(0.0005)
    # 24.5 of the 49 that lie between 2 and 4 ms.
    assert readings.quantile("h_seconds", 0.745) == pytest.approx(0.003)
    assert readings.quantile("h_seconds", 0.99) == pytest.approx(0.004)
    assert readings.quantile("h_seconds", 1.0) == pytest.approx(0.01)


def test_what_exceeds_the_last_bound_is_told_as_that_bound() -> None:
    assert a_histogram(0.5, 0.7).quantile("h_seconds", 0.5) == pytest.approx(0.01)


def test_nothing_observed_and_no_such_metric_are_no_figures() -> None:
    assert a_histogram().quantile("h_seconds", 0.5) is None
    assert Readings("").quantile("h_seconds", 0.5) is None
    assert Readings("").value("g") is None
    assert Readings("").by("outcome", "c_total") == {}


def test_services_of_another_version_make_an_empty_summary_and_no_error() -> None:
    nothing = Readings("")
    told = told_by(nothing, nothing, nothing, nothing)
    assert told.event_to_log_ms == told.event_to_served_model_s == Percentiles(None, None)
    assert told.model_age_s is None
    assert told.decisions == told.cycles == told.cycle_seconds == {}


def test_freshness_is_what_the_services_measured() -> None:
    registry = CollectorRegistry()
    decisions = Counter("eddyline_trainer_decisions", "Decisions", ["outcome"], registry=registry)
    decisions.labels("promote").inc(3)
    decisions.labels("wait").inc(7)
    phases = Counter("eddyline_trainer_cycle_seconds", "Seconds", ["phase"], registry=registry)
    phases.labels("train").inc(1.25)
    Gauge("eddyline_model_age_seconds", "Age", registry=registry).set(12.34)
    both = readings_of(registry)
    told = told_by(
        a_histogram(0.003, name="eddyline_log_latency_seconds"),
        a_histogram(0.0005, name="eddyline_fold_latency_seconds"),
        both,
        both,
    )
    assert told.decisions == {"promote": 3, "wait": 7}
    assert told.cycle_seconds == {"train": 1.25}
    assert told.model_age_s == 12.3
    assert told.event_to_log_ms == Percentiles(3.0, 4.0)
    assert told.event_to_fold_ms == Percentiles(0.5, 1.0)


def test_a_model_that_never_was_has_no_age() -> None:
    registry = CollectorRegistry()
    Gauge("eddyline_model_age_seconds", "Age", registry=registry).set(-1)
    nothing = Readings("")
    assert told_by(nothing, nothing, nothing, readings_of(registry)).model_age_s is None
