"""What became of the events that were sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from eddyline_cli.sending.event_lines import Line
from eddyline_contracts.api import Receipt

_KEPT = 10


@dataclass
class Tally:
    """Counts, and the first refusals with the lines that they are about."""

    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    unreadable: int = 0
    """Rows of CSV that made no event."""
    sequence: int = 0
    """Place of the newest accepted event."""
    reasons: list[str] = field(default_factory=list)
    """The first few refusals."""

    @property
    def sent(self) -> int:
        """Events that were answered for."""
        return self.accepted + self.duplicates + self.refused

    def add(self, path: str, batch: Sequence[Line], receipt: Receipt) -> None:
        """Count a batch and its receipt."""
        self.accepted += receipt.accepted
        self.duplicates += receipt.duplicates
        self.refused += len(receipt.rejected)
        self.sequence = max(self.sequence, receipt.sequence or 0)
        for refusal in receipt.rejected[: max(0, _KEPT - len(self.reasons))]:
            self.reasons.append(f"{path}:{batch[refusal.index].number}: {refusal.detail} ({refusal.code})")
