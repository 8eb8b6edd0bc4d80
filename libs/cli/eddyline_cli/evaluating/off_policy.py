"""Protocol ``off-policy``: what another policy would have been worth, from the log of the one that served."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from eddyline_cli.evaluating.forms import warmup_of
from eddyline_cli.evaluating.history import Found, History
from eddyline_cli.evaluating.hosting import Asked
from eddyline_cli.evaluating.progress import EvaluationProgress
from eddyline_cli.refusals import Refused
from eddyline_cli.screen import table
from eddyline_cli.sending.event_lines import EventFile
from eddyline_contracts.csv_table import decoded_lines, read_table
from eddyline_contracts.events import SlateServed
from eddyline_features.view import View, load_view
from eddyline_learning.off_policy import open_bandit
from eddyline_learning.off_policy.estimators import ESTIMATORS, Estimates, Value, estimated
from eddyline_learning.off_policy.logged import Logged, Numbers
from eddyline_learning.off_policy.open_bandit import BadBanditLog, Impressions
from eddyline_learning.off_policy.slates import EDDYLINE, GREEDY, SlateLog, UnknownTarget, Wanted
from eddyline_learning.warmup import Warmup

UNIFORM = "uniform"
_NAMES = {"ips": "IPS", "snips": "SNIPS", "dr": "DR", "as_logged": "as logged"}
_FEW = 300.0
"""Effective rows below which an interval is hardly one."""
_COVERS = 0.8
"""Mean weight below which the log never shows some of what the target does."""


class OffPolicyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that ``--json`` prints."""

    protocol: str
    events: int
    """Or rows of impressions."""
    scored: int
    """Slates, or impressions, that say something of the target."""
    seconds: float
    target: str
    unit: str
    """What a value is per: ``slate`` or ``impression``."""
    estimates: dict[str, Any]
    """Mean, standard error and bounds (95 %) by estimator; effective rows, mean and largest weight, clipping."""
    left_out: dict[str, int]
    """Slates that say nothing of the target, by the reason."""
    warnings: list[str]
    """Why the estimates are not to be relied upon."""


@dataclass(frozen=True)
class Estimated:
    """As `Outcome`."""

    found: Estimates
    target: str
    unit: str
    unscored: Mapping[str, int] = field(default_factory=dict)

    def answer(self, *, events: int, seconds: float) -> OffPolicyAnswer:
        """As `Outcome`."""
        return OffPolicyAnswer(
            protocol="off-policy",
            events=events,
            scored=self.found.n_units,
            seconds=round(seconds, 3),
            target=self.target,
            unit=self.unit,
            estimates=self.found.as_json(),
            left_out=dict(self.unscored),
            warnings=list(self._warnings()),
        )

    def show(self, screen: Console, *, events: int, seconds: float) -> None:
        """As `Outcome`."""
        found = self.found
        screen.print()
        screen.print(f"{events:,} events, {found.n_units:,} {self.unit}s by chance, in {seconds:.1f} s")
        screen.print(f"What the policy {self.target} would have got per {self.unit}:", markup=False)
        screen.print()
        listed = table("", "value", "95 % interval")
        for name in (*ESTIMATORS, "as_logged"):
            value: Value = getattr(found, name)
            told = f"{value.mean:.5f} ± {value.se:.5f}"
            listed.add_row(_NAMES[name], told, f"[{value.lower:.5f}, {value.upper:.5f}]".replace("[", "\\["))
        screen.print(listed)
        screen.print()
        screen.print(
            f"effective sample: {found.effective_rows:,.0f} of {found.n_rows:,} rows; mean weight "
            f"{found.mean_weight:.3f} (1 where the log covers the policy), largest {found.largest_weight:,.1f}"
            + (
                "; none was clipped"
                if found.clip is None
                else f"; {found.clipped:.2%} clipped at {found.clip:g}"
            )
        )
        for warning in self._warnings():
            screen.print(warning, style="bold")
        screen.print()

    def _warnings(self) -> Iterator[str]:
        if self.found.mean_weight < _COVERS:
            yield (
                "The log never shows some of what this policy does (the mean weight is far below 1): IPS and SNIPS do "
                "not know what that is worth, DR goes by its model there."
            )
        if self.found.mean_weight > 1.0 / _COVERS and self.found.effective_rows >= _FEW:
            yield (
                "The mean weight is far above 1: the propensities in the log are lower than those by which it was "
                "drawn, and the estimates are too high. Log of each item the probability that it stood at its place."
            )
        if self.found.effective_rows < _FEW:
            yield "Few rows decide: the intervals are too narrow. Log more, or more random, slates."


class OffPolicy:
    """As `Host`."""

    def lacks(self, found: Found, files: str) -> str | None:
        """As `Host`."""
        if found.slates:
            return None
        return (
            f"there is no slate in {files}: --protocol off-policy needs slates that the ranker served with "
            "propensities (section `exploration` of eddyline.yaml), and the interactions that name them"
        )

    def warmup(self, text: str, found: Found) -> Warmup:
        """As `Host`."""
        return warmup_of(text, n_slates=found.slates)

    def fitted(self, proposed: str) -> View:
        """As `Host`."""
        return load_view(proposed)

    def run(self, history: History, view: View, asked: Asked, progress: EvaluationProgress) -> Estimated:
        """As `Host`."""
        wanted = wanted_of(asked)
        scores = self._scores(history, view, asked, progress) if wanted.policy == EDDYLINE else None
        slates = SlateLog(view, wanted, scores)
        progress.begin("reading slates", history.found.events)
        n = 0
        for batch in history.batches():
            for event in batch:
                slates.add(event)
            n += len(batch)
            progress.show(n)
        return of_slates(slates, asked)

    def _scores(
        self, history: History, view: View, asked: Asked, progress: EvaluationProgress
    ) -> dict[str, dict[str, float]]:
        """Of each slate after the warm-up: what the champion of that moment says of its items."""
        from eddyline_features.state import State
        from eddyline_learning.pending import pending_of
        from eddyline_learning.prequential import Prequential
        from eddyline_learning.scored import CHAMPION
        from eddyline_runtime.cost import Energy, Meter

        warmup = self.warmup(asked.warmup, history.found)
        evaluation = Prequential(
            view,
            State(view),
            warmup,
            seed=view.learning.seed,
            now=time.perf_counter,
            cpu=time.process_time,
            meter=functools.partial(Meter, Energy()),
        )
        progress.begin("evaluating", history.found.events)
        items: dict[str, list[str]] = {}
        n = 0
        for batch in history.batches(last=False):
            for event in batch:
                if isinstance(event.event, SlateServed):
                    slate = pending_of(event, event.event)
                    items[event.id] = [slate.candidates[row] for row in slate.shown_rows]
            evaluation.read(batch)
            n += len(batch)
            progress.show(n, f"{evaluation.n_scored:,} slates scored")
        found = evaluation.finish().slates
        return {
            name: dict(zip(items[name], scores.tolist(), strict=True))
            for name, scores in zip(found.ids, found.scores[CHAMPION], strict=True)
        }


def wanted_of(asked: Asked) -> Wanted:
    """The policy that is asked for.

    Raises
    ------
    Refused
        If there is no such policy.
    """
    try:
        return Wanted.of(asked.target or GREEDY)
    except UnknownTarget as error:
        raise Refused(f"--target {error}") from error


def of_slates(slates: SlateLog, asked: Asked) -> Estimated:
    """The estimate from all slates that were collected.

    Raises
    ------
    Refused
        If none says anything of the target.
    """
    text = asked.target or GREEDY
    log, target = slates.finish()
    if not len(log):
        why = ", ".join(f"{n:,} {reason}" for reason, n in sorted(slates.left_out.items())) or "there is none"
        raise Refused(
            f"no slate says anything of {text} ({why}): slates are needed whose order chance had a say in, as the "
            "section `exploration` of eddyline.yaml makes them"
        )
    return Estimated(estimated(log, target, clip=asked.clip), text, "slate", dict(slates.left_out))


def are_impressions(files: Sequence[str]) -> bool:
    """Whether these are tables of impressions with propensities (the Open Bandit form) and not events."""
    return all(
        path.lower().removesuffix(".gz").endswith(".csv") and set(open_bandit.COLUMNS) <= set(_header(path))
        for path in files
    )


def of_impressions(files: Sequence[str], asked: Asked) -> Estimated:
    """Estimate from tables of impressions.

    Raises
    ------
    Refused
        If a row cannot be used, or the target is none.
    DamagedFile
        If a compressed file breaks off.
    """
    shown = _read(files)
    text = asked.target or UNIFORM
    other = None if text == UNIFORM else _other(text)
    both = [shown] if other is None else [shown, other]
    items = open_bandit.names([each.items for each in both])
    positions = open_bandit.names([each.positions for each in both])
    log: Logged = open_bandit.logged_of(shown, items, positions)
    actions: Numbers
    try:
        if other is None:
            actions = open_bandit.uniform(items, positions)
        else:
            actions = open_bandit.action_distribution(other, items, positions)
    except BadBanditLog as error:
        raise Refused(f"--target {text}: {error}") from error
    return Estimated(estimated(log, open_bandit.as_target(actions, log), clip=asked.clip), text, "impression")


def _other(text: str) -> Impressions:
    if not Path(text).is_file() or not are_impressions([text]):
        raise Refused(
            f"--target {text}: for impressions it is `uniform` (every item as likely); or give a file of "
            "impressions of the policy that is asked for, with the same columns"
        )
    return _read([text])


def _read(files: Sequence[str]) -> Impressions:
    def rows() -> Iterator[Mapping[str, str]]:
        for path in files:
            file = EventFile(path)
            try:
                header, found = read_table(decoded_lines(file.raw_lines()))
                for _, row in found:
                    yield dict(zip(header, row, strict=False))
            finally:
                file.close()

    try:
        return open_bandit.impressions_of(rows())
    except BadBanditLog as error:
        raise Refused(f"{', '.join(files)}: {error}") from error


def _header(path: str) -> list[str]:
    file = EventFile(path)
    try:
        return read_table(decoded_lines(file.raw_lines()))[0]
    finally:
        file.close()
