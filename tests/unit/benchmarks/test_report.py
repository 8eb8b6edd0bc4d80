"""A figure says whether its budget is met, and JSON has the members that readers rely on."""

from __future__ import annotations

import json

from benchmarks.report import at_least, at_most, decode, encode, table, told

FIGURES = [
    at_most("latency", 2.0, "ms", 2.5, 1.0),
    at_most("slow", 3.0, "ms", 2.5),
    at_least("rate", 9_000.0, "events/s", 10_000, 18_000.0),
    at_least("exact", 0.5, "×", 0.5),
    told("size", 4.70001, "MB"),
]


def test_a_budget_is_met_from_its_own_side() -> None:
    assert [figure.passed for figure in FIGURES] == [True, False, False, True, None]
    assert [figure.ratio for figure in FIGURES] == [2.0, None, 0.5, None, None]


def test_json_is_a_list_of_objects_with_null_for_what_there_is_not() -> None:
    members = json.loads(encode(FIGURES))
    assert members[0] == {
        "name": "latency",
        "value": 2.0,
        "unit": "ms",
        "budget": 2.5,
        "floor": 1.0,
        "ratio": 2.0,
        "pass": True,
    }
    assert members[-1] == {
        "name": "size",
        "value": 4.7,
        "unit": "MB",
        "budget": None,
        "floor": None,
        "ratio": None,
        "pass": None,
    }
    assert decode(encode(FIGURES)) == FIGURES


def test_the_table_has_a_line_for_each_figure_and_names_what_is_missed() -> None:
    lines = table(FIGURES).splitlines()
    assert len(lines) == 1 + len(FIGURES)
    assert [line.endswith("MISS") for line in lines[1:]] == [False, True, True, False, False]
    assert "10,000" in lines[3]
