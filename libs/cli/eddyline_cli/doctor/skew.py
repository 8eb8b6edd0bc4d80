"""Skew: whether rankers see the numbers that the trainer learns from."""

from __future__ import annotations

from collections.abc import Iterator

from eddyline_cli.doctor.finding import Finding, fail, ok
from eddyline_cli.doctor.seen import Seen

_NAMED = 5


def check_skew(seen: Seen) -> Iterator[Finding]:
    """What the trainer found where it compared served vectors with its replay."""
    trainer = seen.service("trainer")
    told = trainer.details.get("skew") if trainer is not None else None
    if not isinstance(told, dict):
        return
    compared, different = int(told.get("compared", 0)), int(told.get("different", 0))
    if not different:
        detail = (
            f"{compared:,} slates were ranked by the very vectors that the log gives"
            if compared
            else "no slate with its vectors was compared yet"
        )
        yield ok("skew", "vectors", detail, compared=compared, different=0)
        return
    columns, largest = list(told.get("columns") or ()), told.get("largest")
    named = ", ".join(columns[:_NAMED]) + (" …" if len(columns) > _NAMED else "")
    size = "only one of them a number" if largest is None else f"by at most {largest:g}"
    yield fail(
        "skew",
        "vectors",
        f"{different:,} of {compared:,} slates were ranked by other vectors than the log gives"
        + (f" ({size}, in {named})" if columns else " (of another shape)"),
        "see that feature-store and trainer run the same version and eddyline.yaml, and restart the feature-store: it "
        "folds the log anew where its snapshot is of another version; docs/operating.md says more",
        compared=compared,
        different=different,
        columns=columns,
    )
