"""Our own log: slates that chance had a say in, what people did with them, and another order of the same candidates.

Choices are ranks: where an item would have stood without chance. Only the places that chance drew are looked at; below
them every policy here does the same. A slate that shows all of its candidates tells their scores, so any order of them
can be asked for; one that was chosen from more tells where each shown item would have stood, which is all that the
value of the order without chance needs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from eddyline_contracts.events import InteractionRecorded, SlateServed
from eddyline_contracts.record import Logged as Event
from eddyline_features.exploration.scale import spread
from eddyline_features.view import View
from eddyline_learning.off_policy import targets
from eddyline_learning.off_policy.logged import Logged, Numbers, Target

GREEDY, SHUFFLED, EPSILON, PLACKETT_LUCE, BY = "greedy", "shuffled", "epsilon", "plackett-luce", "by"
EDDYLINE = "eddyline"
NO_CHANCE, NO_PROPENSITIES, NOT_RIPE = "not by chance", "no propensities", "not ripe"
SCORES_UNKNOWN, NO_FIELD = "chosen from more than it shows", "an item without the field"
NOT_SCORED = "not scored"


class UnknownTarget(ValueError):
    """There is no such policy; the text says which there are."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A target as it is written: ``greedy``, ``shuffled``, ``epsilon:0.1``, ``plackett-luce:0.2``, ``by:relevancy``;
    ``eddyline`` is the order by scores that are given beside the log."""

    policy: str
    parameter: float = 0.0
    field: str = ""

    @classmethod
    def of(cls, text: str) -> Wanted:
        """Read it.

        Raises
        ------
        UnknownTarget
            If it is none of them.
        """
        policy, _, rest = text.partition(":")
        if policy in (GREEDY, SHUFFLED, EDDYLINE) and not rest:
            return cls(policy)
        if policy == BY and rest:
            return cls(BY, field=rest)
        most = {EPSILON: 1.0, PLACKETT_LUCE: 1_000.0}.get(policy)
        try:
            parameter = float(rest)
        except ValueError:
            most = None
        if most is None or not 0.0 <= parameter <= most or (policy == PLACKETT_LUCE and parameter < 0.001):
            raise UnknownTarget(
                f"{text}: a policy is expected, as greedy (the order without chance), shuffled, epsilon:0.1, "
                "plackett-luce:0.2 (its temperature), by:FIELD (falling by a field of the slate's items) or eddyline "
                "(by the model that is learnt on the way)"
            )
        return cls(policy, parameter)


@dataclass(slots=True)
class _Shown:
    """A slate that chance had a say in: its drawn places."""

    person: str
    ranks: list[int]
    propensities: list[float]
    scores: Numbers | None
    """shape (places,), by rank; None where candidates were not shown."""
    spread: float
    """Standard deviation of all scores."""
    values: list[float] | None
    """By which the order that is asked for falls, place by place."""
    items: dict[str, int]
    """Its place of each item."""
    until: int
    """Interactions later than this do not count, in ms since the Unix epoch."""
    rewards: list[float] = field(default_factory=list)


class SlateLog:
    """Collects slates and interactions in the order of the log.

    Parameters
    ----------
    scores
        For ``eddyline``: of each slate that was scored, by its id, the score of each item.
    """

    def __init__(
        self, view: View, wanted: Wanted, scores: Mapping[str, Mapping[str, float]] | None = None
    ) -> None:
        self._scores = scores or {}
        self._gains = {name: action.gain for name, action in view.actions.items() if action.gain > 0}
        self._window = view.label_window_ms
        self._wanted = wanted
        self._slates: dict[str, _Shown] = {}
        self._clock = 0
        self.left_out: Counter[str] = Counter()
        """Slates that say nothing of the target, by the reason."""

    def add(self, event: Event) -> None:
        """The next event."""
        self._clock = max(self._clock, event.occurred_at)
        if isinstance(event.event, SlateServed):
            self._serve(event, event.event)
        elif isinstance(event.event, InteractionRecorded):
            self._act(event, event.event)

    def finish(self) -> tuple[Logged, Target]:
        """The log of what can be used, and the target's tables."""
        rows: list[tuple[int, int, float, float, int, int]] = []
        people: dict[str, int] = {}
        tables: dict[object, int] = {}
        found: list[Numbers] = []
        of_row: list[int] = []
        unit = 0
        n_ranks = max((max(slate.ranks) + 1 for slate in self._slates.values()), default=0)
        for slate in self._slates.values():
            if slate.until > self._clock:
                self.left_out[NOT_RIPE] += 1
                continue
            key = self._key(slate)
            at = tables.get(key)
            if at is None:
                at = tables[key] = len(found)
                found.append(self._table(slate, n_ranks))
            person = people.setdefault(slate.person, len(people))
            for place, (rank, propensity) in enumerate(zip(slate.ranks, slate.propensities, strict=True)):
                rows.append((rank, place, slate.rewards[place], propensity, unit, person))
                of_row.append(at)
            unit += 1
        columns = list(zip(*rows, strict=True)) or [()] * 6
        log = Logged(
            choices=np.array(columns[0], np.int64),
            places=np.array(columns[1], np.int64),
            rewards=np.array(columns[2], np.float64),
            propensities=np.array(columns[3], np.float64),
            units=np.array(columns[4], np.int64),
            clusters=np.array(columns[5], np.int64),
        )
        return log, Target(found, np.array(of_row, np.int64))

    def _serve(self, event: Event, slate: SlateServed) -> None:
        # A client that draws orders itself may log its propensities as well.
        if any(shown.propensity is None for shown in slate.items):
            self.left_out[NO_PROPENSITIES] += 1
            return
        told = [shown.propensity or 1.0 for shown in slate.items]
        drawn = [place for place, propensity in enumerate(told) if propensity < 1.0]
        if not drawn:
            self.left_out[NO_CHANCE] += 1
            return
        n = drawn[-1] + 1
        shown = slate.items[:n]
        whole = slate.candidates is None or len(slate.candidates) == len(slate.items)
        ranks = _ranks(slate, n, whole=whole)
        values = None
        if ranks is None or (not whole and self._wanted.policy != GREEDY):
            self.left_out[SCORES_UNKNOWN] += 1
            return
        if self._wanted.policy in (BY, EDDYLINE):
            by, given = self._wanted.field, self._scores.get(event.id, {})
            values = [_number(item.fields, by) if by else given.get(item.item) for item in shown]
            if any(value is None for value in values):
                self.left_out[NO_FIELD if by else NOT_SCORED] += 1
                return
        scores = None
        if whole:
            scores = np.empty(n)
            scores[ranks] = [item.score or 0.0 for item in shown]
        self._slates[event.id] = _Shown(
            person=slate.user or slate.session or event.id,
            ranks=ranks,
            propensities=told[:n],
            scores=scores,
            spread=spread(np.array([item.score or 0.0 for item in slate.items])),
            values=[value or 0.0 for value in values] if values is not None else None,
            items={item.item: place for place, item in enumerate(shown)},
            until=event.occurred_at + self._window,
            rewards=[0.0] * n,
        )

    def _act(self, event: Event, interaction: InteractionRecorded) -> None:
        slate = self._slates.get(interaction.slate or "")
        if slate is None or interaction.action not in self._gains or event.occurred_at > slate.until:
            return
        place = slate.items.get(interaction.item)
        if place is not None:
            # Acted on or not: a repeated click is one, as in the labels.
            slate.rewards[place] = 1.0

    def _key(self, slate: _Shown) -> object:
        """Slates of one key have one table."""
        if self._wanted.policy == PLACKETT_LUCE and slate.scores is not None:
            return slate.scores.tobytes(), slate.spread
        return id(slate) if slate.values is not None else len(slate.ranks)

    def _table(self, slate: _Shown, n_ranks: int) -> Numbers:
        n, wanted = len(slate.ranks), self._wanted
        if wanted.policy == GREEDY:
            return targets.greedy(n_ranks, n)
        if wanted.policy == SHUFFLED:
            return targets.shuffled(n)
        if wanted.policy == EPSILON:
            return targets.epsilon_greedy(n, wanted.parameter)
        if wanted.policy == PLACKETT_LUCE:
            assert slate.scores is not None
            return targets.plackett_luce_of(slate.scores / (wanted.parameter * slate.spread))
        assert slate.values is not None
        # Equal ones as without chance: by their places, the target would be what chance drew.
        falling = sorted(zip(slate.values, slate.ranks, strict=True), key=lambda one: (-one[0], one[1]))
        return targets.by_order([rank for _, rank in falling])


def _ranks(slate: SlateServed, n: int, *, whole: bool) -> list[int] | None:
    """Where each of the first ``n`` would have stood without chance; None where nobody can say."""
    told = [place if item.by_score is None else item.by_score for place, item in enumerate(slate.items)]
    if any(item.by_score is not None for item in slate.items) or not whole:
        ranks = told[:n]
        return ranks if not whole or sorted(ranks) == list(range(n)) else None
    # Logged before that was told, or drawn as it was scored: the scores say.
    shown = slate.items[:n]
    if any(item.score is None for item in shown):
        return None
    # Of equal ones an order that chance had no say in.
    listed = {item: at for at, item in enumerate(slate.candidates or ())}

    def key(place: int) -> tuple[float, int, str]:
        item = shown[place]
        return -(item.score or 0.0), listed.get(item.item, n), item.item

    ranks = [0] * n
    for rank, place in enumerate(sorted(range(n), key=key)):
        ranks[place] = rank
    return ranks


def _number(fields: Mapping[str, object], name: str) -> float | None:
    value = fields.get(name)
    return float(value) if isinstance(value, int | float) else None
