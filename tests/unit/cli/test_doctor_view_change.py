"""What the doctor says while a view changes: it is no fault as long as the old view is still computed."""

from __future__ import annotations

from pathlib import Path

from eddyline_cli.doctor import agreement
from eddyline_cli.doctor.finding import Finding
from eddyline_cli.doctor.place import Place
from eddyline_cli.doctor.seen import Seen, SeenBus, SeenService


def _service(**details: object) -> SeenService:
    return SeenService(url="http://x", answered=True, details=details)


def _found(**services: SeenService) -> list[Finding]:
    place = Place(data=Path("."), holder=None, state=None, config=None)
    seen = Seen(
        services={name.replace("_", "-"): service for name, service in services.items()},
        bus=SeenBus(url="", champion={"model": "aa", "view": "shop-1"}),
    )
    return list(agreement.check_agreement(place, seen, "shop-2"))


def test_a_change_under_way_is_told_with_both_views_and_is_no_fault() -> None:
    new = {
        "feature_store": _service(view="shop-2"),
        "trainer": _service(view="shop-2", champion=None),
        "ranker": _service(declared_view="shop-1", view="shop-1", model="aa"),
    }
    view, model = _found(**new, feature_store_former=_service(view="shop-1"))
    assert (view.verdict, model.verdict) == ("warn", "warn")
    assert "from shop-1 to shop-2" in view.detail
    assert "models of the old one serve" in (model.remedy or "")

    # Nobody computes the old view: the orders suffer.
    view, model = _found(**new)
    assert view.verdict == "fail"
    assert "how often items were chosen" in (model.remedy or "")


def test_a_ranker_that_serves_the_new_view_agrees_whatever_it_was_started_with() -> None:
    found = _found(
        feature_store=_service(view="shop-2"),
        trainer=_service(view="shop-2", champion="aa"),
        ranker=_service(declared_view="shop-1", view="shop-2", model="aa"),
    )
    assert [finding.verdict for finding in found] == ["ok", "ok"]
