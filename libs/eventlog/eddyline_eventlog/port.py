"""The port that every projection follows: one total order, each event once, in contiguous batches.

A projection that starts at ``after`` and applies every batch in turn has seen the log without gap, repeat or
reorder, whatever happened to the bus, the database or the log writer meanwhile.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from eddyline_contracts.record import Batch


class LogEndsBefore(Exception):
    """The log ends before the place to go on from: it is another log than the one that was followed.

    A projection that meets it holds state of a history that is gone, and has to be built anew from 0.
    """

    def __init__(self, after: int, last: int) -> None:
        super().__init__(
            f"asked to go on after {after}, but the log ends at {last}: it was restored or replaced; "
            "build the state anew from the beginning"
        )
        self.after = after
        self.last = last


class LogUnavailable(Exception):
    """The log cannot be asked now; the same question may be answered later."""


class Log(Protocol):
    """What all adapters do.

    Batches are contiguous: ``previous`` of each is ``last`` of the one before, of the first it is ``after``. Duplicates
    and refusals have a place but no record, so ``last`` may move on without records. The iterators may be closed or
    cancelled at any await and leave nothing behind; close one that is left early with ``contextlib.aclosing``.
    """

    def follow(self, after: int) -> AsyncGenerator[Batch, None]:
        """Everything after this place, for ever: blocks for news. A log that is not live (a file) ends instead.

        Waits through outages of what it reads from, and goes on where it was.

        Raises
        ------
        LogEndsBefore
            If the log ends before ``after``.
        """
        ...

    def read(self, after: int, until: int) -> AsyncGenerator[Batch, None]:
        """Everything in ``(after, until]``, then it ends; ``last`` of the last batch is ``until``.

        Waits for what is not there yet, and through outages.

        Raises
        ------
        LogEndsBefore
            If the log ends before ``after``, or is not live and ends before ``until``.
        """
        ...

    async def last(self) -> int:
        """The newest place that is decided: committed, duplicate or refused. 0 for an empty log.

        Raises
        ------
        LogUnavailable
            While it cannot be known.
        """
        ...

    async def identity(self) -> str:
        """What tells this log from any other. Another log may use the same places, so state that was folded from a log
        is of use only where this is the same.

        Raises
        ------
        LogUnavailable
            While it cannot be known.
        """
        ...
