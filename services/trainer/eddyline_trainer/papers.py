"""What the trainer's tables hold, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from eddyline_contracts.bundle import Champion
from eddyline_learning.challenger import Challenger
from eddyline_learning.comparison import Decision
from eddyline_learning.cycle import Cut

CHALLENGER, CHAMPION, FORMER = "challenger", "champion", "former"


class ModelPapers(Struct, frozen=True, kw_only=True):
    """A model, as the registry knows it."""

    model: str
    view: str
    parent: str | None
    """Who was champion when it was made."""
    predecessor: str | None
    """Who was champion before it: what a roll-back goes back to."""
    objective: str
    """What its trees were made for, as declared: ``rank`` or another."""
    first_sequence: int
    """Place in the log of the first slate that it was trained on."""
    last_sequence: int
    """Place in the log of the last."""
    n_slates: int
    """It was trained on."""
    n_examples: int
    """Impressions in those slates."""
    metrics: dict[str, Any]
    """``cut``: where it was made; ``made``: how; ``seconds``: by phase; ``decision``: of the gate, if it was promoted;
    ``ndcg@10`` of the champion of that time, on slates that it was not trained on."""
    created_at: int
    """ms since the Unix epoch."""
    promoted_at: int | None
    """ms since the Unix epoch; none if it never served."""
    decided_at: int | None
    """Place in the log of the decision that made it champion last."""
    role: str
    """``challenger`` (never promoted), ``champion`` or ``former``."""

    @property
    def as_champion(self) -> Champion:
        """What the champion key says of it."""
        assert self.promoted_at is not None
        return Champion(
            model=self.model,
            view=self.view,
            promoted_at=self.promoted_at,
            last_sequence=self.last_sequence,
            parent=self.predecessor,
        )


class DecisionPapers(Struct, frozen=True, kw_only=True):
    """A decision of the gate, or by hand."""

    cut: int | None
    """Number of the cycle; none by hand."""
    sequence: int
    """Place in the log at which it was taken."""
    challenger: str
    """The model that wants to serve."""
    opponent: str
    """What it was compared with: the champion, or ``item-priors`` while there was none."""
    outcome: str
    """``promote``, ``roll_back``, ``reject``, ``give_up``, ``wait``; ``take_over`` by the champion of another view; by
    hand also ``pin`` and ``release``; ``add`` of a model that was made elsewhere."""
    reason: str
    """In words."""
    n: int
    """Slates that it was compared on; none by hand."""
    mean: float
    """Difference of their NDCG, challenger less opponent."""
    lower: float | None
    """Bound of the difference, below."""
    upper: float | None
    """Bound of the difference, above."""
    delta: float
    """By so much the challenger may be worse."""
    seconds: float
    """It took."""
    decided_at: int
    """ms since the Unix epoch."""


class CyclePapers(Struct, frozen=True, kw_only=True):
    """A cycle and its cost."""

    number: int
    """Counted from 1 in this view."""
    sequence: int
    """Place in the log at which it was cut."""
    outcome: str
    """``made``, ``nothing_due``, ``failed``, ``order``, or ``held: …`` with the reason where clicks had stalled."""
    model: str | None
    cost: dict[str, Any]
    """Seconds by phase, and more: ``strategy`` and ``due``, what was to be made and why; ``loss`` of the champion since
    the cycle before, and ``drifts``, how often that loss was found to have risen, since the start of the log."""
    created_at: int
    """ms since the Unix epoch."""


class Told(Struct, frozen=True, kw_only=True):
    """Answer to a promotion or roll-back by hand."""

    model: str
    """The champion now."""
    replaced: str | None
    """The champion until now."""
    event: str
    """Id of the event that tells of it."""


class Added(Struct, frozen=True, kw_only=True):
    """Answer to a model that was taken."""

    model: str
    """Its name: sha256 of its bytes."""
    view: str
    """Feature view that its columns are of."""
    event: str
    """Id of the event that tells of it: where that is in the log, the model is compared from."""
    p50_us: int
    """µs of one core's time that it took for 100 rows, at the median."""
    n_rows: int
    """Rows of examples that it was tried on."""


class ColumnsPapers(Struct, frozen=True, kw_only=True):
    """What a model that is made elsewhere takes and gives."""

    view: str
    """Feature view in use."""
    columns: list[str]
    """Names of the F columns of the input, in their order. NaN where a value is not known."""
    objective: str
    """What scores are compared as: ``rank`` (larger is better), ``click`` (log-odds) or ``rating`` (the value)."""


@dataclass(frozen=True, kw_only=True)
class FinishedCycle:
    """All of a cycle that is to be remembered."""

    view: str
    learning: str
    cut: Cut
    outcome: str
    made: Challenger | None
    metrics: dict[str, Any]
    """Of the model, if one was made."""
    decisions: list[Decision]
    champion: str | None
    """Who became champion here; none where nothing changed."""
    takes_over: bool
    """Whether it may follow on a champion of another view."""
    live: list[str]
    """Models that are still compared."""
    state: dict[str, Any]
    cost: dict[str, Any]
    gate_seconds: float
    finished_at: int
    """ms since the Unix epoch."""
