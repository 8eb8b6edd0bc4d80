"""Interactions that arrived before their slate: a bounded memory, oldest forgotten first.

A ranker publishes its slates without delaying its answers, so a fast click can be in the log before its slate.
And a client that sends its slate after the click has let the features see the answer: that must be noticed.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from eddyline_contracts.events import InteractionRecorded
from eddyline_contracts.record import Logged
from eddyline_learning.pending import PendingSlate, people


@dataclass(slots=True, eq=False)
class Stray:
    """An interaction and its place in the log."""

    sequence: int
    occurred_at: int
    interaction: InteractionRecorded
    joined: bool
    """It belongs to a slate already."""
    alone: bool = False
    """It is to be an example by itself, unless a slate claims it."""


class Strays:
    """By the slate they name, or by person where they name none."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._in_order: deque[tuple[tuple[str, str], Stray]] = deque()
        self._by_key: dict[tuple[str, str], deque[Stray]] = {}

    def __len__(self) -> int:
        return len(self._in_order)

    def keep(
        self, logged: Logged, interaction: InteractionRecorded, *, joined: bool, alone: bool = False
    ) -> None:
        """Remember an interaction in case that a slate which it concerns arrives later."""
        stray = Stray(logged.sequence, logged.occurred_at, interaction, joined, alone)
        keys: tuple[tuple[str, str], ...]
        if interaction.slate is not None:
            keys = (("slate", interaction.slate),)
        else:
            keys = people(interaction.user, interaction.session)
        for key in keys:
            self._by_key.setdefault(key, deque()).append(stray)
            self._in_order.append((key, stray))
        while len(self._in_order) > self._at_most:
            key, _ = self._in_order.popleft()
            of_key = self._by_key[key]
            of_key.popleft()
            if not of_key:
                del self._by_key[key]

    def of(self, slate: PendingSlate) -> list[Stray]:
        """Those that concern a slate which has just arrived, in the order of the log.

        They name it; or they name none, come from the same person, and act on one of its items after it was shown.
        """
        found = {s.sequence: s for s in self._by_key.get(("slate", slate.id), ())}
        for key in slate.people:
            for stray in self._by_key.get(key, ()):
                if stray.interaction.item in slate.places and stray.occurred_at >= slate.occurred_at:
                    found[stray.sequence] = stray
        return [found[sequence] for sequence in sorted(found)]
