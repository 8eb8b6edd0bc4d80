"""How far the log is, as its writer tells it."""

from __future__ import annotations

import asyncio
import time

import aiohttp

_METRIC = "eddyline_log_cursor"
_TIMEOUT = aiohttp.ClientTimeout(total=2.0)


class LogAway(RuntimeError):
    """The log writer does not answer, or does not get there."""


class LogPosition:
    """Asks the log writer at ``url`` how far the log is."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url.rstrip("/")

    async def now(self) -> int | None:
        """The newest place that is decided; None when it cannot be had."""
        try:
            async with self._session.get(f"{self._url}/metrics", timeout=_TIMEOUT) as answer:
                text = await answer.text()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None
        for line in text.splitlines():
            name, _, value = line.partition(" ")
            if name == _METRIC:
                return int(float(value))
        return None

    async def reached(self, sequence: int, *, patience_s: float = 60.0) -> None:
        """Wait until the log has decided everything up to ``sequence``.

        Raises
        ------
        LogAway
            If it makes no progress for ``patience_s``.
        """
        newest, since = -1, time.monotonic()
        while newest < sequence:
            position = await self.now()
            if position is not None and position > newest:
                newest, since = position, time.monotonic()
            elif time.monotonic() - since > patience_s:
                what = "does not answer" if newest < 0 else f"stands at {newest}"
                raise LogAway(f"the log writer at {self._url} {what}; see `eddyline status`")
            if newest < sequence:
                await asyncio.sleep(0.02)
