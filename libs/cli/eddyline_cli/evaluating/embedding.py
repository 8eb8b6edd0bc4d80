"""A history with what an encoder reads of it: each item's vector comes right behind the item.

As if an encoder were at work that takes no time. The events are those that ``services/encoder`` would log.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eddyline_contracts.events import ItemEmbedded
from eddyline_contracts.record import Logged
from eddyline_encoding.choosing import source_of
from eddyline_encoding.encoder import Encoder
from eddyline_encoding.facts import fact_id, facts_of
from eddyline_encoding.shelf import Shelf, Unread


@dataclass(frozen=True)
class _Job:
    """A text to be read behind an event of the batch."""

    behind: int
    encoder: Encoder
    unread: Unread


class Embedding:
    """Adds ``item_embedded`` events to batches of a history, in its order."""

    def __init__(self, setting: str, fields: Sequence[str], limit: int, most_dims: int) -> None:
        self._source = source_of(setting, most_dims)
        self._shelf = Shelf(fields, limit)
        self._shelf.on_text = self._source.see
        self._n_before = 0
        self.n_read = 0
        """Texts so far."""

    def add_to(self, batch: list[Logged]) -> list[Logged]:
        """The events with what is read of them between; sequences make room. Blocks while texts are read."""
        jobs = [job for at, logged in enumerate(batch) for job in self._apply(at, logged)]
        facts = list(self._facts(jobs))
        self.n_read += len(jobs)
        found: list[Logged] = []
        at = 0
        for place, logged in enumerate(batch):
            found.append(self._placed(logged))
            while at < len(jobs) and jobs[at].behind == place:
                fact = facts[at]
                at += 1
                found.append(
                    self._placed(Logged(0, fact.id or "", logged.recorded_at, logged.recorded_at, fact))
                )
        return found

    def _placed(self, logged: Logged) -> Logged:
        self._n_before += 1
        return Logged(self._n_before, logged.id, logged.occurred_at, logged.recorded_at, logged.event)

    def _apply(self, at: int, logged: Logged) -> Iterator[_Job]:
        self._shelf.apply(logged.id, logged.event)
        self._source.settle()
        encoder = self._source.encoder
        if encoder is None:
            return
        self._shelf.read_by(encoder.id)
        for unread in list(self._shelf.unread()):
            job = _Job(at, encoder, unread)
            # What it says comes later, in a batch; that it has been said is known now.
            self._shelf.apply(fact_id(unread.item, encoder.id, unread.digest, unread.replaces), _said(job))
            yield job

    def _facts(self, jobs: Sequence[_Job]) -> Iterator[ItemEmbedded]:
        start = 0
        while start < len(jobs):
            encoder, end = jobs[start].encoder, start
            while end < len(jobs) and jobs[end].encoder is encoder:
                end += 1
            yield from facts_of(encoder, [job.unread for job in jobs[start:end]])
            start = end


def _said(job: _Job) -> ItemEmbedded:
    told = job.unread
    return ItemEmbedded(
        item=told.item, encoder=job.encoder.id, dims=1, scale=1.0, vector=b"\0", text=told.digest
    )
