"""What `eddyline evaluate --protocol off-policy --json` printed, read back."""

from __future__ import annotations

from msgspec import Struct

PROTOCOL = "off-policy"


class Value(Struct, frozen=True):
    """What a policy is worth per unit, by one estimator; None where it could not be told."""

    mean: float | None = None
    se: float | None = None
    lower: float | None = None
    upper: float | None = None


class Estimates(Struct, frozen=True):
    """By all estimators, and what they rest on."""

    ips: Value
    snips: Value
    dr: Value
    as_logged: Value
    rows: int
    effective_rows: float
    mean_weight: float
    largest_weight: float
    clip: float | None = None
    clipped: float = 0.0


class OffPolicyFile(Struct, frozen=True):
    """The file."""

    target: str
    unit: str
    estimates: Estimates
    events: int = 0
    scored: int = 0
    seconds: float = 0.0
    left_out: dict[str, int] = {}
    warnings: list[str] = []


class OffPolicyTold(Struct, frozen=True):
    """One estimate."""

    name: str
    """Of the file, without its ending."""
    told: OffPolicyFile

    @property
    def protocol(self) -> str:
        """As of every evaluation; with what values are per, since others cannot be compared."""
        return f"{PROTOCOL} per {self.told.unit}"
