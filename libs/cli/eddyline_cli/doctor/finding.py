"""What a check found, and what to do about it."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

Verdict = Literal["ok", "warn", "fail"]


class Finding(Struct, frozen=True, kw_only=True):
    """One line of the doctor's report."""

    check: str
    """Group, as ``ports``; these words are stable."""
    subject: str
    """What was looked at, as ``ranker``."""
    verdict: Verdict
    detail: str
    """What was found."""
    remedy: str | None = None
    """What to do; always there unless the verdict is ``ok``."""
    figures: dict[str, Any] = {}
    """The numbers behind it, with their units in the names."""

    def __post_init__(self) -> None:
        if self.verdict != "ok" and not self.remedy:
            raise ValueError(f"{self.check}/{self.subject}: a complaint must say what to do")


class Skipped(Struct, frozen=True, kw_only=True):
    """What could not be looked at."""

    check: str
    why: str


class Examination(Struct, frozen=True, kw_only=True):
    """All of it; the form of ``--json``."""

    verdict: Verdict
    """The worst of the findings'."""
    running: bool
    """Whether an Eddyline runs in the data folder."""
    findings: list[Finding]
    skipped: list[Skipped]


def ok(check: str, subject: str, detail: str, **figures: Any) -> Finding:
    """All is well."""
    return Finding(check=check, subject=subject, verdict="ok", detail=detail, figures=figures)


def warn(check: str, subject: str, detail: str, remedy: str, **figures: Any) -> Finding:
    """It works, but somebody should know."""
    return Finding(
        check=check, subject=subject, verdict="warn", detail=detail, remedy=remedy, figures=figures
    )


def fail(check: str, subject: str, detail: str, remedy: str, **figures: Any) -> Finding:
    """Something does not work, or will not for long."""
    return Finding(
        check=check, subject=subject, verdict="fail", detail=detail, remedy=remedy, figures=figures
    )


def worst(findings: list[Finding]) -> Verdict:
    """The verdict on all of them together."""
    verdicts = {finding.verdict for finding in findings}
    return "fail" if "fail" in verdicts else "warn" if "warn" in verdicts else "ok"
