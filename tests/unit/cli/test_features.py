"""`eddyline features` on files: the fold at any place, in a readable form, and clear words for what is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner, Result

from eddyline_cli.evaluating.history import History
from eddyline_cli.main import main
from eddyline_cli.sending.event_lines import EventFile
from eddyline_cli.travelling.place_in_log import spelled_time
from eddyline_contracts.record import Logged
from eddyline_features.state import State
from tests.support.serving import CONFIG, DATA, fixture_view

EVENTS = DATA / "events.jsonl"
ITEMS = ["i1", "i2", "i9"]


def features(*arguments: object, items: str = ",".join(ITEMS)) -> Result:
    given = ["features", "--events", EVENTS, "--config", CONFIG, "--user", "u1", "--items", items, *arguments]
    return CliRunner().invoke(main, [str(one) for one in given])


def answer(*arguments: object, items: str = ",".join(ITEMS)) -> dict[str, Any]:
    found = features(*arguments, "--json", items=items)
    assert found.exit_code == 0, found.stderr
    told: dict[str, Any] = json.loads(found.stdout)
    return told


def vectors(told: dict[str, Any]) -> np.ndarray:
    return np.array([[np.nan if v is None else v for v in row] for row in told["vectors"]], np.float32)


def history() -> list[Logged]:
    found = History([lambda: EventFile(str(EVENTS))])
    list(found.look())
    return [logged for batch in found.batches() for logged in batch]


def folded(events: list[Logged], at: int) -> np.ndarray:
    state = State(fixture_view())
    state.apply_all(events)
    return state.vectors("u1", None, ITEMS, None, {}, state.time_of(at, at))


def test_at_a_sequence_the_state_is_that_after_its_event_and_no_later_one_is_seen() -> None:
    events = history()
    for place in (1, 250, 251, len(events)):
        told = answer("--at", place)
        assert told["sequence"] == told["events"] == place
        assert told["recorded_at"] == events[place - 1].recorded_at
        assert vectors(told).tobytes() == folded(events[:place], events[place - 1].recorded_at).tobytes()
    assert vectors(answer("--at", 250)).tobytes() != vectors(answer("--at", 400)).tobytes()


def test_a_time_is_the_place_of_the_last_event_recorded_by_then_and_ages_are_counted_to_it() -> None:
    events = history()
    one = next(k for k in range(300, 400) if events[k].recorded_at > events[k - 1].recorded_at + 1)
    for at, n in ((events[one].recorded_at, one + 1), (events[one].recorded_at - 1, one)):
        told = answer("--at", spelled_time(at))
        assert (told["events"], told["ranked_at"]) == (n, at)
        assert vectors(told).tobytes() == folded(events[:n], at).tobytes()
    before = answer("--at", "2000-01-01")
    assert (before["sequence"], before["events"], before["recorded_at"]) == (0, 0, None)


def test_decay_is_counted_to_the_time_that_is_asked_for_but_never_to_before_the_newest_act() -> None:
    events = history()
    newest = events[-1].recorded_at
    later = answer("--ranked-at", newest + 86_400_000)
    assert vectors(later).tobytes() == folded(events, newest + 86_400_000).tobytes()
    assert vectors(later).tobytes() != vectors(answer()).tobytes()
    state = State(fixture_view())
    state.apply_all(events)
    early = answer("--ranked-at", spelled_time(newest - 86_400_000))
    assert early["ranked_at"] == state.clock < newest
    assert vectors(early).tobytes() == folded(events, state.clock).tobytes()


def test_fields_of_the_request_and_of_its_candidates_are_seen() -> None:
    items = '["i1", {"item": "i2", "fields": {"relevancy": 2.5}}]'
    told = answer("--context", '{"device": "phone"}', items=items)
    row = dict(zip(told["columns"], zip(*told["vectors"], strict=True), strict=True))
    assert row["relevancy"] == (None, 2.5)
    assert row["device=phone"] == (1.0, 1.0)


def test_the_table_has_a_row_for_each_feature_and_says_where_it_was_looked_and_what_is_unknown() -> None:
    shown = features("--user", "nobody", "--at", "300", items="i1,new")
    assert shown.exit_code == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[0].startswith("sequence  300, recorded 2025-01-06T")
    assert lines[1].startswith("time      2025-01-06T")
    assert fixture_view().id in lines[2]
    assert "user nobody is not known here" in shown.stdout
    assert "item new: not known here" in shown.stdout
    cells = {line.split()[0]: line.split()[1:] for line in lines if line}
    assert cells["feature"] == ["i1", "new", "(unknown)"]
    assert cells["price"] == ["3.23", "-"]
    assert set(fixture_view().columns) <= cells.keys()


def test_items_that_do_not_fit_beside_each_other_go_into_further_tables() -> None:
    many = [f"i{k}" for k in range(40)]
    shown = features(items=",".join(many)).stdout
    heads = [line.split()[1:] for line in shown.splitlines() if line.startswith("feature ")]
    assert len(heads) > 1
    assert [name for head in heads for name in head if name != "(unknown)"] == many
    assert max(map(len, shown.splitlines())) <= 160


def test_what_cannot_be_is_refused_with_what_to_do(tmp_path: Path) -> None:
    cases: list[tuple[Result, str]] = [
        (features("--at", "566"), "the log ends at 565"),
        (features("--at", "yesterday"), "RFC 3339"),
        (features("--ranked-at", "soon"), "--ranked-at soon"),
        (features("--context", "[1]"), "--context is no JSON object"),
        (features(items='["i1", 5]'), "--items is no list of items"),
        (features(items="i1,i2,i1"), "'i1' twice"),
        (features(items=" , "), "names no item"),
        (features("--slate", "s1"), "--slate says all"),
        (CliRunner().invoke(main, ["features", "--items", "i1"]), "Give --user (or --session)"),
    ]
    for result, words in cases:
        assert result.exit_code == 1, result.output
        assert words in result.stderr
        assert not result.stdout
    here = [
        "features",
        "--config",
        str(CONFIG),
        "--user",
        "u",
        "--items",
        "i",
        "--data",
        str(tmp_path / "none"),
    ]
    nothing = CliRunner().invoke(main, here)
    assert "nothing runs in" in nothing.stderr
    assert "--events FILE" in nothing.stderr
