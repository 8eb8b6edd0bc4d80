"""How far sending is: a bar on a terminal, a plain line now and then without one."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

_PLAIN_EVERY_S = 5.0


class SendingProgress:
    """Shows events, rate and remaining time of one file after another. Starts no thread."""

    def __init__(self, screen: Console) -> None:
        self._screen = screen
        self._bar: Progress | None = None
        if screen.is_terminal:
            # Refreshed by hand: a thread of its own would be one more thing to end.
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TextColumn("{task.fields[figures]}"),
                TimeRemainingColumn(),
                console=screen,
                auto_refresh=False,
            )
        self._began = time.monotonic()
        self._told = self._began
        self._path = ""
        self._size: int | None = None
        self._before = 0

    def __enter__(self) -> SendingProgress:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def begin(self, path: str, size: int | None, events: int) -> None:
        """The next file; ``events`` were sent before it."""
        self._path, self._size, self._before = path, size, events
        self._began = time.monotonic()
        if self._bar:
            self._bar.add_task(path, total=size, figures="")

    def show(self, position: int, events: int, note: str = "") -> None:
        """``position`` bytes of the file were read, ``events`` events sent in all."""
        now = time.monotonic()
        n = events - self._before
        rate = n / max(now - self._began, 1e-9)
        figures = f"{n:,} events, {rate:,.0f}/s"
        if self._bar:
            task = self._bar.task_ids[-1]
            self._bar.update(task, completed=position, figures=f"{figures} {note}".rstrip(), refresh=True)
        elif note or now - self._told >= _PLAIN_EVERY_S:
            self._told = now
            done = position / self._size if self._size else 0.0
            left = (
                f", {done:.0%}, {(now - self._began) * (1 - done) / done:.0f} s left" if 0 < done < 1 else ""
            )
            self._screen.print(f"{self._path}: {figures}{left}{'; ' + note if note else ''}", markup=False)
            sys.stdout.flush()
