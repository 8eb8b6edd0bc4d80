"""The doctor says when the trainer holds because clicks have stalled, and nothing of it where nobody knows."""

from __future__ import annotations

from typing import Any

from eddyline_cli.doctor.breaker import check_breaker
from eddyline_cli.doctor.seen import Seen, SeenService


def seen(**details: Any) -> Seen:
    """A trainer that says this."""
    return Seen(services={"trainer": SeenService(url="http://trainer", answered=True, details=details)})


def test_a_trainer_that_holds_is_a_fault_with_its_reason_and_a_remedy() -> None:
    (finding,) = check_breaker(seen(held="29 slates ripened with 0 answered, where 14.3 are usual"))
    assert finding.verdict == "fail"
    assert "29 slates" in finding.detail
    assert finding.remedy is not None
    assert "slate" in finding.remedy


def test_a_trainer_that_learns_is_well() -> None:
    (finding,) = check_breaker(seen(held=None))
    assert finding.verdict == "ok"


def test_an_older_trainer_says_nothing_of_it() -> None:
    assert list(check_breaker(seen())) == []
