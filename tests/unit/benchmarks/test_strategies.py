"""The benchmark of strategies predicts before it learns, sees the drift it makes up, and puts its pieces together."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.strategies.contenders import part
from benchmarks.strategies.running import run
from benchmarks.strategies.streams import Stream, made_up
from benchmarks.strategies.tables import markdown
from eddyline_features.view import Learning, Policy

SETTINGS = Learning(trees=20, leaves=7, tail=10, policy=Policy(refit_rows=200, drift_rows=500))
FEW = {"static", "refit on the newest", "the same + drift guard (ADWIN)"}


@pytest.fixture(scope="module")
def turned() -> Stream:
    """2 batches by the first taste, 4 by the second; after 300 slates to warm up."""
    whole = made_up("abrupt", "rank", 1)
    turn = whole.warm + 1 + (whole.table.n_slates - whole.warm) // 3
    table = part(whole.table, turn - 500, turn + 400)
    return dataclasses.replace(whole, table=table, warm=300)


def test_after_a_turn_those_who_learn_are_better_than_the_one_who_does_not(turned: Stream) -> None:
    found = run(turned, SETTINGS, FEW)
    assert set(found) == FEW
    assert len(found["static"]["by_batch"]) == 6
    assert np.mean(found["static"]["by_batch"][:2]) < np.mean(found["static"]["by_batch"][2:]) - 0.05
    for name in FEW - {"static"}:
        # Before the turn's labels are learnt, all are as bad.
        assert found[name]["by_batch"][2] == pytest.approx(found["static"]["by_batch"][2], abs=0.05)
        assert np.mean(found[name]["by_batch"][3:]) < np.mean(found["static"]["by_batch"][3:]) - 0.02
        assert found[name]["trees"] <= 30


def test_pieces_become_a_table_with_the_best_of_each_column_in_bold(tmp_path: Path) -> None:
    for seed, (one, other) in enumerate([(0.2, 0.3), (0.4, 0.1)]):
        found = {
            name: {"loss": loss, "by_batch": [], "ms": 10.0 * loss, "trees": 100}
            for name, loss in (("static", one), ("refit", other))
        }
        piece = {"stream": "abrupt", "objective": "rank", "found": found}
        (tmp_path / f"abrupt-rank-{seed}.json").write_text(json.dumps(piece))
    table = markdown(sorted(tmp_path.glob("*.json")))
    assert "| static | .3000 | 3 | ≤ 100 |" in table
    assert "| refit | **.2000** | 2 | ≤ 100 |" in table
