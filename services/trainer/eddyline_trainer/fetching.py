"""Models of the registry for the learner, which asks from the worker's thread and knows no event loop."""

from __future__ import annotations

import asyncio

from eddyline_learning.boosters import Abandoned
from eddyline_learning.challenger import Challenger
from eddyline_trainer.library import Library
from eddyline_trainer.worker import Worker

_LOOK_EVERY_S = 0.2


class Fetching:
    """Asks the registry by way of the loop that it was made in; called in the worker's thread only."""

    def __init__(self, library: Library, worker: Worker) -> None:
        self._library = library
        self._worker = worker
        self._loop = asyncio.get_running_loop()

    def __call__(self, model: str) -> Challenger | None:
        """The model of this name, or None.

        Raises
        ------
        Abandoned
            If the worker is to stop while the database is away.
        """
        asked = asyncio.run_coroutine_threadsafe(self._library.challenger(model), self._loop)
        while True:
            try:
                return asked.result(_LOOK_EVERY_S)
            except TimeoutError:
                if self._worker.stopping():
                    asked.cancel()
                    raise Abandoned from None
