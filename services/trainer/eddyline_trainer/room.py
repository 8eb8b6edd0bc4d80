"""Room for so many calls at once: each holds a file, and memory is not for callers to fill."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from eddyline_runtime.problems import Unavailable


class Room:
    """Lets in so many at once.

    Parameters
    ----------
    doing
        What they do, for whoever finds no room: "models are tried".
    """

    def __init__(self, places: int, doing: str, *, retry_after_s: int) -> None:
        self._places, self._doing, self._retry_after_s = places, doing, retry_after_s
        self._taken = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """Have a place within.

        Raises
        ------
        Unavailable
            At once, if all are taken.
        """
        if self._taken >= self._places:
            raise Unavailable(
                f"{self._doing}: {self._places} at once, and all places are taken; try again in "
                f"{self._retry_after_s} s",
                retry_after_s=self._retry_after_s,
            )
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1
