"""What the comparison finds is told: counted at once, said at most once a minute."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from prometheus_client import REGISTRY

from eddyline_features.state import State
from eddyline_learning.cycle import Learner
from eddyline_trainer.skew_watch import SkewWatch, told
from tests.support.serving import fixture_view
from tests.unit.learning.test_skew import a_slate, sent


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"eddyline_trainer_skew_{name}", labels) or 0.0


def test_differences_are_counted_named_and_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    view = fixture_view()
    learner, watch = Learner(view, State(view)), SkewWatch()
    column = view.columns[3]
    before = [metric("slates_total", outcome=o) for o in ("equal", "different")]
    columns_before = metric("columns_total", column=column)

    def compare(off: float) -> None:
        vectors = np.zeros((2, len(view.columns)), np.float32)
        served = vectors.copy()
        served[1, 3] = off
        learner.skew.compare(a_slate(vectors, sent(served), view=view.id))

    def look(now_s: float) -> list[logging.LogRecord]:
        caplog.clear()
        watch.look(learner, now_s)
        return list(caplog.records)

    compare(0.0)
    assert look(1.0) == []
    assert told(learner) == {"compared": 1, "different": 0, "largest": 0.0, "columns": []}
    compare(0.25)
    (said,) = look(2.0)
    assert (said.levelname, said.__dict__["slate"], said.__dict__["columns"]) == ("ERROR", "s", {column: 1})
    assert "0.25" in said.getMessage()
    compare(0.5)
    compare(0.125)
    assert look(61.9) == []
    (said,) = look(62.1)
    assert said.__dict__["slates"] == 2
    assert look(200.0) == []
    assert [metric("slates_total", outcome=o) for o in ("equal", "different")] == [
        before[0] + 1,
        before[1] + 3,
    ]
    assert metric("columns_total", column=column) == columns_before + 3
    assert metric("largest") == 0.5
    compare(float("nan"))
    look(300.0)
    assert metric("largest") == float("inf")
    assert told(learner) == {"compared": 5, "different": 4, "largest": None, "columns": [column]}
