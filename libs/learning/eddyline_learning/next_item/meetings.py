"""The interactions that were to be foreseen, and at which place everybody had them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_learning.cold_start import ITEMS, USERS, ColdStart, in_bands
from eddyline_learning.metrics import Estimate, Floats, mean_of

CHAMPION, FROZEN, RANDOM = "champion", "frozen", "random"
POPULAR, TOGETHER, POPULAR_TOGETHER = "popular", "together", "popular_together"
BASELINES = (POPULAR, TOGETHER, POPULAR_TOGETHER, RANDOM, FROZEN)
WEIGHTS = (0.03, 0.1, 0.3, 1.0)
"""Of co-visitation beside popularity, each relative to the best candidate's; the warm-up says which is best."""
_NOWHERE = np.iinfo(np.int32).max
_MOST, _SMALLEST = 40, 25
_CHOSEN_AT = 10

Ranks = NDArray[np.int32]


@dataclass(slots=True)
class Meeting:
    """A person and the item that came next; places are 0 for the first candidate."""

    sequence: int
    """Of the interaction, in its log."""
    at: int
    """ms since the Unix epoch."""
    baselines: Ranks | None = None
    """Place of the item by each of `rankers`, shape (B,); None where it is not among the candidates: a miss."""
    champion: int = _NOWHERE
    frozen: int = _NOWHERE
    interactions: int = 0
    """Of the person before."""
    impressions: int = 0
    """Of the item before, each interaction with it being one, too."""


def rankers(half_lives: Sequence[str]) -> list[tuple[str, str]]:
    """Baseline and variant of each column of ``Meeting.baselines``, in this order."""
    return [
        *((POPULAR, name) for name in half_lives),
        (TOGETHER, ""),
        *((POPULAR_TOGETHER, f"{name} + {weight:g}") for weight in WEIGHTS for name in half_lives),
        (RANDOM, ""),
    ]


def ranked(scores: NDArray[Any], item: int) -> NDArray[np.int64]:
    """Place of one item in each order, shape (B,), 0 for the first; equal scores keep the order of the candidates.

    ``scores``: shape (B, N), higher is better.
    """
    own = scores[:, item : item + 1]
    found: NDArray[np.int64] = (scores > own).sum(axis=1) + (scores[:, :item] == own).sum(axis=1)
    return found


@dataclass
class Meetings:
    """All of them, in the order of the log.

    Attributes
    ----------
    half_lives
        Of popularity, as people write them.
    """

    half_lives: list[str]
    of: list[Meeting] = field(default_factory=list)

    def measured_after(self, warm: int, ks: Sequence[int]) -> Measured:
        """What is to be reported: those behind a place of the log; the variants are chosen by those before it."""
        split = next((n for n, meeting in enumerate(self.of) if meeting.sequence > warm), len(self.of))
        names = rankers(self.half_lives)
        before = _baselines(self.of[:split], len(names))
        chosen = {}
        for baseline in BASELINES[:-1]:
            places = [n for n, (of, _) in enumerate(names) if of == baseline]
            worth = [float(_reciprocal(before[:, n], _CHOSEN_AT).sum()) for n in places]
            chosen[baseline] = places[int(np.argmax(worth))]
        return Measured(self.of[split:], self.half_lives, chosen, tuple(ks))


@dataclass(frozen=True)
class Measured:
    """Meetings after the warm-up, and which variant of a baseline stands for it."""

    of: list[Meeting]
    half_lives: list[str]
    chosen: dict[str, int]
    """Column by baseline."""
    ks: tuple[int, ...]

    @property
    def n_found(self) -> int:
        """How many have their item among the candidates: no order can hit more."""
        return sum(meeting.baselines is not None for meeting in self.of)

    @property
    def variants(self) -> dict[str, str]:
        """What was chosen, by baseline."""
        names = rankers(self.half_lives)
        return {baseline: names[n][1] for baseline, n in self.chosen.items() if names[n][1]}

    def metrics(self) -> dict[str, dict[str, Estimate]]:
        """By who ranked, every metric by its name."""
        return {who: _metrics(ranks, self.ks) for who, ranks in self._ranks().items()}

    def popularity(self) -> dict[str, dict[str, Estimate]]:
        """Of recent popularity by each half-life: nothing is hidden by the choice."""
        columns = _baselines(self.of, len(rankers(self.half_lives)))
        return {name: _metrics(columns[:, n], self.ks) for n, name in enumerate(self.half_lives)}

    def cold_start(self) -> ColdStart:
        """The same by how often the person, and the item that came, were met before; by the first of ``ks``."""
        ranks = self._ranks()

        def measured(among: NDArray[np.bool_]) -> tuple[int, dict[str, dict[str, Estimate]]]:
            told = {who: _metrics(of[among], self.ks[:1]) for who, of in ranks.items()}
            return int(among.sum()), told

        people = np.array([meeting.interactions for meeting in self.of], np.int32)
        items = np.array([meeting.impressions for meeting in self.of], np.int32)
        return ColdStart(in_bands(people, USERS, measured), in_bands(items, ITEMS, measured))

    def timeline(self) -> Iterator[dict[str, Any]]:
        """The meetings in stretches of equal number, at most 40, of at least 25: each measured alone."""
        n_stretches = min(_MOST, max(1, len(self.of) // _SMALLEST))
        ranks = self._ranks()
        for rows in np.array_split(np.arange(len(self.of)), n_stretches):
            if not len(rows):
                continue
            told = {
                who: {name: estimate.as_json() for name, estimate in _metrics(of[rows], self.ks).items()}
                for who, of in ranks.items()
            }
            first, last = self.of[rows[0]], self.of[rows[-1]]
            yield {
                "at_ms": first.at,
                "until_ms": last.at,
                "n": len(rows),
                "metrics": told.pop(CHAMPION),
                "baselines": told,
            }

    def _ranks(self) -> dict[str, Ranks]:
        columns = _baselines(self.of, len(rankers(self.half_lives)))
        return {
            CHAMPION: np.array([meeting.champion for meeting in self.of], np.int32),
            **{baseline: columns[:, n] for baseline, n in self.chosen.items()},
            FROZEN: np.array([meeting.frozen for meeting in self.of], np.int32),
        }


def _baselines(meetings: Sequence[Meeting], n: int) -> Ranks:
    nowhere: Ranks = np.full(n, _NOWHERE, np.int32)
    found = [nowhere if meeting.baselines is None else meeting.baselines for meeting in meetings]
    return np.array(found, np.int32).reshape(-1, n)


def _metrics(ranks: Ranks, ks: Sequence[int]) -> dict[str, Estimate]:
    """``hr@k``, ``mrr@k`` and ``ndcg@k``: one item is right, so NDCG is 1 / log2(place + 2)."""
    found = {}
    for k in ks:
        hit = ranks < k
        discount = 1.0 / np.log2(np.where(hit, ranks, 0) + 2.0)
        found[f"hr@{k}"] = mean_of(hit.astype(np.float64))
        found[f"mrr@{k}"] = mean_of(_reciprocal(ranks, k))
        found[f"ndcg@{k}"] = mean_of(np.where(hit, discount, 0.0))
    return found


def _reciprocal(ranks: Ranks, k: int) -> Floats:
    found: Floats = np.where(ranks < k, 1.0 / (np.where(ranks < k, ranks, 0) + 1.0), 0.0)
    return found
