"""What people see while a simulation runs: a panel on a terminal, a plain line every few seconds without one."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from functools import partial

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from eddyline_cli.screen import say_on
from eddyline_cli.simulating.outcomes import click_rate, curve_of
from eddyline_cli.simulating.traffic import Traffic
from eddyline_cli.simulating.watching import Verdict, Watch

_TERMINAL_EVERY_S, _PLAIN_EVERY_S = 0.5, 5.0
_NOW_S = 5.0
_BARS = "▁▂▃▄▅▆▇█"
_HOLDS = "; clicks have stalled: nothing is learnt until they are back"
_TOLD = {
    "warm-up": "people come; the system begins with nothing and learns from their clicks",
    "steady": "it knows what people like; tastes do not change",
    "shift": "tastes turn: what was cheap, old and quiet was liked; now what is dear, new and loud",
    "recovery": "it learns the new taste; its frozen first model cannot",
}


class LiveFigures:
    """Refreshed by hand, starts no thread."""

    def __init__(self, screen: Console, traffic: Traffic, watch: Watch) -> None:
        self._traffic, self._watch = traffic, watch
        self._live = Live(console=screen, auto_refresh=False, transient=True) if screen.is_terminal else None
        self._say = partial(say_on, screen)
        self._told_at = time.monotonic()
        self._phase = ""
        self._waiting = ""

    def __enter__(self) -> LiveFigures:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def waits(self, why: str) -> None:
        """Something does not answer: told once for each outage."""
        if not self._waiting:
            self._say(f"waiting, nothing is lost: {why}")
        self._waiting = why

    def answered(self) -> None:
        """All answers again."""
        if self._waiting:
            self._say("it answers again; what was not acknowledged is sent again with the same ids")
        self._waiting = ""

    def show(self) -> None:
        """Tell how it stands, if it is time to."""
        traffic = self._traffic
        if traffic.seconds <= 0.0:
            return
        phase = traffic.phases.name(traffic.seconds)
        if phase != self._phase and traffic.seconds < traffic.phases.end:
            self._phase = phase
            self._say(f"{phase}: {_said(phase, traffic)}")
        now = time.monotonic()
        if now - self._told_at < (_TERMINAL_EVERY_S if self._live else _PLAIN_EVERY_S):
            return
        self._told_at = now
        if self._live:
            self._live.update(self._panel(), refresh=True)
        else:
            self._say(self._line())

    def _line(self) -> str:
        traffic, watch = self._traffic, self._watch
        beside = []
        if traffic.models and self._has_frozen:
            beside.append(f"first model {_percent(self._rate(frozen=True))}")
        if traffic.outcomes.recommended:
            beside.append(f"of all items {_percent(self._rate_of_chosen())}")
        others = f" ({', '.join(beside)})" if beside else ""
        return (
            f"{_clock(traffic.seconds)} {traffic.phases.name(traffic.seconds)}: click rate "
            f"{_percent(self._rate(frozen=False))}{others}; {self._events()}; "
            f"event → list {self._fresh()}; model {_age(watch.model_age_s)}; gate: {_counts(watch.decisions)}"
            f"{_HOLDS if watch.holds else ''}"
        )

    def _panel(self) -> Group:
        traffic, watch = self._traffic, self._watch
        seconds, end = traffic.seconds, traffic.phases.end
        rows = Table.grid(padding=(0, 2))
        rows.add_row("click rate now", _bold(_percent(self._rate(frozen=False))), self._curve(frozen=False))
        if self._has_frozen:
            rows.add_row("  first model, frozen", _percent(self._rate(frozen=True)), self._curve(frozen=True))
        if traffic.outcomes.recommended:
            chosen = sparkline(curve_of(traffic.outcomes.recommended, min(seconds, end), end / 40))
            rows.add_row("  chosen from all items", _percent(self._rate_of_chosen()), chosen)
        recent = traffic.outcomes.shown[-200:]
        if recent:
            best = statistics.fmean(one.oracle for one in recent)
            random = statistics.fmean(one.random for one in recent)
            rows.add_row("  for scale", "", f"best order {best:.0%}, random order {random:.0%}")
        rows.add_row("events", self._events(), "")
        rows.add_row("event → next list", self._fresh(), "")
        rows.add_row("model", _age(watch.model_age_s), f"{len(traffic.models)} have served")
        rows.add_row("gate", _counts(watch.decisions), "")
        if watch.holds:
            rows.add_row("", "", Text(_HOLDS.removeprefix("; "), style="yellow"))
        for verdict in watch.verdicts:
            rows.add_row("", "", Text(_verdict(verdict), style="dim"))
        phase = traffic.phases.name(seconds)
        head = Text.assemble(
            (f"{_clock(seconds)} of {_clock(end)}  ", "dim"), (phase, "bold"), f"  {_said(phase, traffic)}"
        )
        parts: list[RenderableType] = [Text(""), head, Text(""), rows]
        if self._waiting:
            parts.append(Text(f"waiting: {self._waiting}", style="yellow"))
        return Group(*parts)

    @property
    def _has_frozen(self) -> bool:
        return any(one.frozen for one in self._traffic.outcomes.shown[-500:])

    def _rate(self, *, frozen: bool) -> float | None:
        # A tenth of the people needs a longer look.
        width = _NOW_S * (3 if frozen else 1)
        now = self._traffic.seconds
        return click_rate(self._traffic.outcomes.between(now - width, now, frozen=frozen)).mean

    def _rate_of_chosen(self) -> float | None:
        since = self._traffic.seconds - _NOW_S
        return click_rate(one for one in self._traffic.outcomes.recommended if one.at >= since).mean

    def _curve(self, *, frozen: bool) -> str:
        seconds = min(self._traffic.seconds, self._traffic.phases.end)
        return sparkline(self._traffic.outcomes.curve(seconds, self._traffic.phases.end / 40, frozen=frozen))

    def _events(self) -> str:
        watch = self._watch
        rate = "–" if watch.events_per_s is None else f"{watch.events_per_s:.0f}/s"
        return rate if watch.logged is None else f"{rate} ({watch.logged:,} in the log)"

    def _fresh(self) -> str:
        recent = self._traffic.event_to_slate_ms[-20:]
        return f"{statistics.median(recent):.0f} ms" if recent else "–"


def sparkline(values: Sequence[float | None]) -> str:
    """A small curve from 0 to the largest value; a gap where nothing is known."""
    most = max((value for value in values if value is not None), default=0.0) or 1.0
    last = len(_BARS) - 1
    return "".join(" " if v is None else _BARS[round(v / most * last)] for v in values)


def _said(phase: str, traffic: Traffic) -> str:
    if phase == "recovery" and not any(one.frozen for one in traffic.outcomes.shown[-500:]):
        return "it learns the new taste"
    return _TOLD[phase]


def _verdict(verdict: Verdict) -> str:
    at = time.strftime("%H:%M:%S", time.localtime(verdict.decided_at / 1_000))
    verb = {"promote": "promoted over", "reject": "rejected against", "roll_back": "taken back for"}
    said = verb.get(verdict.outcome, "given up against")
    return f"{at} {verdict.challenger[:8]} {said} {verdict.opponent[:8]}: {verdict.mean:+.3f} over {verdict.n:,} lists"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:.0%}"


def _bold(text: str) -> Text:
    return Text(text, style="bold green")


def _age(age_s: float | None) -> str:
    return "none yet" if age_s is None else f"{age_s:.0f} s old"


def _counts(counts: dict[str, int]) -> str:
    told = {"promote": "promoted", "reject": "rejected", "give_up": "given up", "roll_back": "rolled back"}
    return ", ".join(f"{told[what]} {counts[what]}" for what in told if counts.get(what)) or "–"
