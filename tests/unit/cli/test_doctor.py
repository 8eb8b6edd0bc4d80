"""What the doctor makes of what it saw."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from eddyline_cli.data_folder import RunState, write_state
from eddyline_cli.doctor import agreement, clocks, lag
from eddyline_cli.doctor.finding import Finding, ok, worst
from eddyline_cli.doctor.place import Place
from eddyline_cli.doctor.seen import Clock, Seen, SeenBus, SeenDatabase, SeenService
from eddyline_cli.doctor.services import tables
from eddyline_cli.doctor.skew import check_skew
from eddyline_cli.doctor.versions import OLDEST_NATS, numbers, packages, server_version
from eddyline_cli.main import main


def test_a_complaint_must_say_what_to_do() -> None:
    with pytest.raises(ValueError, match="must say what to do"):
        Finding(check="lag", subject="trainer", verdict="fail", detail="far behind")
    assert worst([]) == "ok"
    assert worst([ok("lag", "trainer", "none")]) == "ok"


@pytest.mark.parametrize(
    ("n", "seconds", "before", "verdict"),
    [
        (0, 0.0, 0, "ok"),
        (50, 0.3, 0, "ok"),
        (50_000, 90.0, 80_000, "warn"),
        (50_000, 90.0, 50_000, "fail"),
        (50_000, 90.0, 40_000, "fail"),
        (7, None, 7, "fail"),
        (7, None, 9, "warn"),
    ],
)
def test_lag_is_a_fault_when_it_is_old_and_not_worked_off(
    n: int, seconds: float | None, before: int, verdict: str
) -> None:
    assert lag.judged("trainer", n, seconds, before).verdict == verdict


@pytest.mark.parametrize(
    ("ahead_ms", "within_ms", "verdict"),
    [(3, 1, "ok"), (-900, 1, "warn"), (-900, 800, "ok"), (60_000, 500, "fail")],
)
def test_only_what_is_certain_of_a_clock_counts(ahead_ms: float, within_ms: float, verdict: str) -> None:
    assert clocks.judged("ranker", Clock(ahead_ms=ahead_ms, within_ms=within_ms)).verdict == verdict


@pytest.mark.parametrize(
    ("have", "verdict"), [("2.9.25", "fail"), ("2.13.9", "fail"), ("2.14.0", "ok"), ("2.15.1", "ok")]
)
def test_an_old_nats_server_is_a_fault(have: str, verdict: str) -> None:
    assert server_version("nats-server", have, OLDEST_NATS, "the inbox").verdict == verdict
    assert numbers("2.14.0-RC.1") == (2, 14, 0)


def test_a_missing_or_old_package_is_named() -> None:
    assert packages(["click>=8"]).verdict == "ok"
    found = packages(["click>=999", "no-such-package>=1; extra == 'all'", "other>=1; extra == 'dev'"])
    assert "click is" in found.detail
    assert "no-such-package is missing" in found.detail
    assert "other" not in found.detail


def test_tables_of_a_newer_version_are_a_fault_and_missing_ones_come_by_themselves() -> None:
    newer = SeenDatabase(url="", tables="0099", newest_tables="0003", tables_known=False)
    assert tables(newer).verdict == "fail"
    assert tables(SeenDatabase(url="", newest_tables="0003")).verdict == "warn"
    assert tables(SeenDatabase(url="", tables="0003", newest_tables="0003")).verdict == "ok"


def _service(**details: object) -> SeenService:
    return SeenService(url="http://x", answered=True, details=details)


def test_rankers_that_serve_another_model_than_the_bus_tells_are_named() -> None:
    place = Place(data=Path("."), holder=None, state=None, config=None)
    services = {
        "feature-store": _service(view="shop-1"),
        "trainer": _service(view="shop-1", champion="aa"),
        "ranker": _service(declared_view="shop-1", model="aa"),
        "ranker-2": _service(declared_view="shop-1", model="bb"),
    }
    seen = Seen(services=services, bus=SeenBus(url="", champion={"model": "aa", "view": "shop-1"}))
    view, model = agreement.check_agreement(place, seen, "shop-1")
    assert (view.verdict, model.verdict) == ("ok", "fail")
    assert (model.remedy or "").startswith("ranker-2 could not take the champion")


def test_skew_is_a_fault_with_its_columns_and_none_is_well() -> None:
    def found(**told: object) -> Finding:
        (finding,) = check_skew(Seen(services={"trainer": _service(skew=told)}))
        return finding

    assert list(check_skew(Seen(services={"trainer": _service()}))) == []
    assert found(compared=0, different=0, largest=0.0, columns=[]).verdict == "ok"
    assert "7 slates" in found(compared=7, different=0, largest=0.0, columns=[]).detail
    fault = found(compared=7, different=2, largest=0.25, columns=["ctr_1h", "price"])
    assert fault.verdict == "fail"
    assert "2 of 7" in fault.detail
    assert "at most 0.25, in ctr_1h, price" in fault.detail
    assert "only one of them a number" in found(compared=7, different=2, columns=["price"]).detail
    assert "another shape" in found(compared=7, different=2, columns=[]).detail


def test_nothing_running_is_no_fault_and_a_taken_port_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        told = CliRunner().invoke(main, ["doctor", "--json", "--min-free", "0", "--port-base", str(port - 3)])
    found = json.loads(told.output)
    (fault,) = [f for f in found["findings"] if f["verdict"] == "fail"]
    assert (told.exit_code, fault["check"], fault["subject"]) == (1, "ports", "trainer")
    assert "--port-base" in fault["remedy"]
    assert "lag" in {skipped["check"] for skipped in found["skipped"]}


def test_the_state_of_a_killed_run_is_told_and_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = tmp_path / ".eddyline"
    data.mkdir()
    left = RunState(
        pid=1, phase="ready", started_at=0, config="", view="", nats_url="", database_url="", processes={}
    )
    write_state(data, left)
    found = json.loads(CliRunner().invoke(main, ["doctor", "--json"]).output)
    (state,) = [f for f in found["findings"] if f["subject"] == "state"]
    assert state["verdict"] == "warn"
    assert found["running"] is False


def test_a_wrong_address_is_refused_with_the_form_that_is_expected() -> None:
    told = CliRunner().invoke(main, ["doctor", "--url", "ranker"])
    assert told.exit_code == 1
    assert "ranker=http://" in told.output
