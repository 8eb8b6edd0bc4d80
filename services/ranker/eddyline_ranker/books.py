"""What is done with every slate once it is made: counted by what was missing, and put on its way to the log."""

from __future__ import annotations

from eddyline_contracts.candidates import Answered
from eddyline_ranker.metrics import Calls
from eddyline_ranker.outbox import Outbox
from eddyline_ranker.skew import is_chosen
from eddyline_ranker.slate import Ranking


class Books:
    """Enters slates."""

    def __init__(self, outbox: Outbox, skew_share: float) -> None:
        self._outbox = outbox
        self._skew_share = skew_share

    def enter(self, ranking: Ranking, answer: Answered | None, now: int, calls: Calls) -> None:
        """Count a slate, and log it unless its request says otherwise or nothing is shown; returns at once.

        ``answer`` is what it was ranked by; a share of the slates carries that into the log.
        """
        calls.answered(ranking.degraded)
        candidates = ranking.candidates
        if candidates.request.log and ranking.order:
            told = answer if is_chosen(ranking.slate, self._skew_share) else None
            self._outbox.add(ranking, now if candidates.at is None else candidates.at, told)
