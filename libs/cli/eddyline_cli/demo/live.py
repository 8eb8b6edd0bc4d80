"""What people see while the demo runs: a line that is rewritten on a terminal, or one now and then without."""

from __future__ import annotations

import time
from functools import partial

from rich.console import Console
from rich.live import Live
from rich.text import Text

from eddyline_cli.demo.history import Size
from eddyline_cli.demo.prequential import RANKER, SHOWN
from eddyline_cli.demo.replay import Replay
from eddyline_cli.screen import say_on

_TERMINAL_EVERY_S, _PLAIN_EVERY_S = 0.5, 10.0


class LiveLine:
    """Progress, rate, quality so far and models; refreshed by hand, starts no thread."""

    def __init__(self, screen: Console, size: Size) -> None:
        self._size = size
        self._live = Live(console=screen, auto_refresh=False, transient=True) if screen.is_terminal else None
        self._say = partial(say_on, screen)
        self._began = time.monotonic()
        self._told = self._began
        self._models: set[str] = set()

    def __enter__(self) -> LiveLine:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, replay: Replay) -> None:
        """Tell how it stands, if it is time to."""
        for model in sorted(replay.measured.models - self._models):
            self._models.add(model)
            self._say(f"slate {replay.judged.n_slates:,}: model {model[:12]} serves now")
        now = time.monotonic()
        if now - self._told < (_TERMINAL_EVERY_S if self._live else _PLAIN_EVERY_S):
            return
        self._told = now
        line = self._line(replay, now - self._began)
        if self._live:
            self._live.update(Text(line), refresh=True)
        else:
            self._say(line)

    def _line(self, replay: Replay, seconds: float) -> str:
        n = replay.judged.n_slates
        lately = replay.judged.lately()
        quality = ""
        if lately[RANKER].n >= 50:
            quality = (
                f"; NDCG@10 of late {lately[RANKER].mean:.3f} (as shown: {lately[SHOWN].mean:.3f}), "
                f"{len(self._models)} models so far"
            )
        return (
            f"{n:,} of {self._size.slates:,} slates, {n / seconds:,.0f}/s; "
            f"{replay.tally.sent:,} of {self._size.lines:,} events{quality}"
        )
