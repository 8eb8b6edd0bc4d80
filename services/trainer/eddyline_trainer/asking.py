"""Questions to the database on behalf of a call: who asks is told at once that it is away."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from eddyline_eventlog.database import is_transient
from eddyline_eventlog.port import LogUnavailable
from eddyline_runtime.problems import Unavailable

T = TypeVar("T")


async def asked(answer: Awaitable[T]) -> T:
    """The answer.

    Raises
    ------
    Unavailable
        If the database does not give it, and may later.
    """
    try:
        return await answer
    except Exception as error:
        if isinstance(error, LogUnavailable) or is_transient(error):
            raise Unavailable(f"the database does not answer: {error or type(error).__name__}") from error
        raise
