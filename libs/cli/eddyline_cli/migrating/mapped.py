"""What becomes of one part of another system's configuration."""

from __future__ import annotations

from dataclasses import dataclass

SAME, NEAR, NOT_YET, NEEDLESS = "same", "near", "not there yet", "needless"


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """One line of the report."""

    what: str
    """What it was: ``ctr (rate)``."""
    verdict: str
    """``same``, ``near`` (works alike, the note says how it differs), ``not there yet`` or ``needless``."""
    features: tuple[dict[str, str], ...] = ()
    """Our features, each as members of its YAML mapping."""
    note: str = ""
    """How it differs, or why it is not there and what to do."""
