"""docs/metrics.md lists every metric as it is defined."""

from __future__ import annotations

from tests.support.metrics_catalogue import PATH, SERVICES, table, table_of


def test_the_catalogue_lists_every_metric_as_it_is_defined() -> None:
    told, defined = set(table_of(PATH.read_text())), set(table())
    differing = sorted(told ^ defined)
    assert differing == [], "bring it up to date with `python -m tests.support.metrics_catalogue`"


def test_names_say_whose_they_are_and_occur_once() -> None:
    names = [line.split("`")[1].partition("{")[0] for line in table()[2:]]
    assert len(names) > 10 * len(SERVICES)
    assert len(set(names)) == len(names)
    assert [name for name in names if not name.startswith("eddyline_")] == []
