"""Every metric of the trainer, with its meaning."""

from __future__ import annotations

from collections import Counter as Tally

from prometheus_client import Counter, Gauge, Histogram

ACTIVE = Gauge("eddyline_trainer_active", "1 for the trainer that works, 0 for one that stands by")
SEQUENCE = Gauge("eddyline_trainer_sequence", "Log position up to which slates and interactions are joined")
FOLD_SEQUENCE = Gauge("eddyline_trainer_fold_sequence", "Log position of the fold that takes vectors")
LAG = Gauge("eddyline_trainer_lag", "Places of the log that are not read yet; looked at every few seconds")
SLATES = Counter(
    "eddyline_trainer_slates", "Slates by what became of them; all but `used` train nothing", ["outcome"]
)
INTERACTIONS = Counter(
    "eddyline_trainer_interactions",
    "Interactions by what became of them; one on an unknown slate may join later and is then counted as both",
    ["outcome"],
)
BREAKER_OPEN = Gauge(
    "eddyline_trainer_breaker_open",
    "1 while nothing is learnt because clicks have stalled: slates ripen, and far fewer are answered than usual",
)
PENDING_SLATES = Gauge("eddyline_trainer_pending_slates", "Slates that wait for labels or vectors")
EXAMPLE_SLATES = Gauge("eddyline_trainer_example_slates", "Slates to train on")
EXAMPLE_ROWS = Gauge("eddyline_trainer_example_rows", "Their impressions")

SKEW_SLATES = Counter(
    "eddyline_trainer_skew_slates",
    "Slates that carry the vectors they were ranked by, by how these compare with the replay: `equal` bit for bit, "
    "`different`; `other_view` and `uncompared` could not be compared",
    ["outcome"],
)
SKEW_COLUMNS = Counter(
    "eddyline_trainer_skew_columns", "Values that differed from the replay, by column", ["column"]
)
SKEW_LARGEST = Gauge(
    "eddyline_trainer_skew_largest",
    "Largest difference between a value served and the same one replayed, of all slates compared since the start; 0 is "
    "as it should be, +Inf where only one of them was a number",
)

CYCLES = Counter(
    "eddyline_trainer_cycles",
    "Cuts by outcome: `made`, `nothing_due`, `failed`, `order` (by hand), `held` (clicks have stalled), `known` (found "
    "in the registry)",
    ["outcome"],
)
STRATEGIES = Counter(
    "eddyline_trainer_strategies",
    "Models that were due, by how they were to be made and why: `growth`, `drift`, `time`, `tail full`, `new examples`",
    ["strategy", "due"],
)
DRIFTS = Gauge(
    "eddyline_trainer_drifts",
    "Times that the champion's loss was found to have risen, since the start of the log",
)
CHAMPION_LOSS = Gauge(
    "eddyline_trainer_champion_loss",
    "Mean loss of the champion between the newest two cycles, on slates that it was not trained on: 1 less NDCG@10, or "
    "for other objectives its loss over that of a constant",
)
CYCLE_SECONDS = Counter("eddyline_trainer_cycle_seconds", "Seconds spent in cycles, by phase", ["phase"])
DECISIONS = Counter("eddyline_trainer_decisions", "Decisions of the gate", ["outcome"])
BY_HAND = Counter("eddyline_trainer_decisions_by_hand", "Decisions by hand", ["outcome"])
CONTENDERS = Gauge("eddyline_trainer_contenders", "Challengers that are being compared with the champion")
PROMOTIONS = Counter("eddyline_trainer_promotions", "Times that another model became champion")
EVENT_TO_SERVED = Histogram(
    "eddyline_trainer_event_to_served_seconds",
    "From the newest label that a model may have learnt from, as the bus recorded it, to its being champion",
    buckets=(1, 3, 10, 30, 60, 180, 600, 1_800, 3_600, 10_800, 43_200, 86_400, 604_800),
)
MODEL_AGE = Gauge(
    "eddyline_trainer_model_age_seconds", "Since the promotion of the champion; -1 while there is none"
)
MODEL_SEQUENCE = Gauge(
    "eddyline_trainer_model_sequence", "Log position of the newest slate that the champion was trained on"
)
BUS_CHECKS = Counter("eddyline_trainer_bus_checks", "Times that bus and registry were brought to agree")
ANNOUNCED = Counter(
    "eddyline_trainer_announcements", "What the bus had to be told of the champion, by kind", ["kind"]
)
ANNOUNCE_FAILURES = Counter("eddyline_trainer_announce_failures", "Times that the bus could not be told")


class Mirror:
    """Brings a labelled counter up to a tally that is kept elsewhere."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._shown: Tally[str] = Tally()

    def show(self, tally: Tally[str]) -> None:
        """Count what has been added since."""
        for outcome, n in tally.items():
            more = n - self._shown[outcome]
            if more > 0:
                self._counter.labels(outcome).inc(more)
                self._shown[outcome] = n
