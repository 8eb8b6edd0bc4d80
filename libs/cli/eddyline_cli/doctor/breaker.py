"""The breaker: whether the trainer still gets the clicks that it learns from."""

from __future__ import annotations

from collections.abc import Iterator

from eddyline_cli.doctor.finding import Finding, fail, ok
from eddyline_cli.doctor.seen import Seen


def check_breaker(seen: Seen) -> Iterator[Finding]:
    """Whether the trainer holds because clicks have stalled."""
    trainer = seen.service("trainer")
    if trainer is None or "held" not in trainer.details:
        return
    held = trainer.details["held"]
    if held is None:
        yield ok("clicks", "breaker", "as many slates are answered as usual, or too few were shown to say")
        return
    yield fail(
        "clicks",
        "breaker",
        f"clicks have stalled, so nothing is learnt: {held}",
        "see that clients still send their interactions (POST /v1/events), with the `slate` they belong to and within "
        "the label_window; learning goes on by itself once they come. If people really click so much less now, set "
        "learning.breaker.share lower, or 0",
    )
