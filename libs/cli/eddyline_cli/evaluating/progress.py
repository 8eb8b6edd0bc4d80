"""How far an evaluation is: a bar on a terminal, a plain line now and then without one. On standard error."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

_PLAIN_EVERY_S = 5.0


class EvaluationProgress:
    """Shows one phase after another. Starts no thread."""

    def __init__(self, screen: Console) -> None:
        self._screen = screen
        self._bar: Progress | None = None
        if screen.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TextColumn("{task.fields[figures]}"),
                TimeElapsedColumn(),
                console=screen,
                auto_refresh=False,
                transient=True,
            )
        self._told = time.monotonic()
        self._phase = ""
        self._total: int | None = None

    def __enter__(self) -> EvaluationProgress:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def begin(self, phase: str, total: int | None = None) -> None:
        """The next phase; of ``total`` events, if that is known."""
        self._phase, self._total = phase, total
        if self._bar:
            self._bar.add_task(phase, total=total, figures="")
            self._bar.refresh()

    def show(self, n: int, figures: str = "") -> None:
        """So many events of this phase are done."""
        if self._bar:
            task = self._bar.task_ids[-1]
            self._bar.update(task, completed=n, figures=figures, refresh=True)
        elif time.monotonic() - self._told >= _PLAIN_EVERY_S:
            self._told = time.monotonic()
            share = f" ({n / self._total:.0%})" if self._total else ""
            told = f"{self._phase}: {n:,} events{share}{', ' + figures if figures else ''}"
            self._screen.print(told, markup=False)
