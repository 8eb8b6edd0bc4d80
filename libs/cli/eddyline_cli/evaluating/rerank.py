"""Protocol ``rerank``: the items of every slate in a new order."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console

from eddyline_cli.evaluating.answer import Answer, answer_of, show
from eddyline_cli.evaluating.diversity import values_of
from eddyline_cli.evaluating.forms import warmup_of
from eddyline_cli.evaluating.history import Found, History
from eddyline_cli.evaluating.hosting import Asked
from eddyline_cli.evaluating.progress import EvaluationProgress
from eddyline_features.state import State
from eddyline_features.view import View, load_view
from eddyline_learning.metrics import Estimate
from eddyline_learning.prequential import Evaluation, Prequential
from eddyline_learning.tradeoff import Tradeoff, tradeoffs
from eddyline_learning.warmup import Warmup
from eddyline_runtime.cost import Energy, Meter


@dataclass(frozen=True)
class Reranked:
    """As `Outcome`."""

    found: Evaluation
    measured: Mapping[str, Mapping[str, Estimate]]
    objective: str
    k: int
    """Of the timeline."""
    diversity: Sequence[Tradeoff] = ()
    """By the dial, where it was asked for."""

    @property
    def unscored(self) -> Mapping[str, int]:
        """As `Outcome`."""
        return self.found.unscored

    def answer(self, *, events: int, seconds: float) -> Answer:
        """As `Outcome`."""
        return answer_of(
            self.found,
            self.measured,
            objective=self.objective,
            k=self.k,
            protocol="rerank",
            events=events,
            seconds=seconds,
            diversity=self.diversity,
        )

    def show(self, screen: Console, *, events: int, seconds: float) -> None:
        """As `Outcome`."""
        show(
            screen,
            self.found,
            self.measured,
            objective=self.objective,
            k=self.k,
            events=events,
            seconds=seconds,
            diversity=self.diversity,
        )


class Rerank:
    """As `Host`."""

    def lacks(self, found: Found, files: str) -> str | None:
        """As `Host`."""
        if found.slates:
            return None
        return (
            f"there is no slate in {files}, so there is no order to judge: --protocol rerank needs events of "
            'type "slate" (in the Metarank form "ranking"), the lists that were shown, beside the interactions; '
            "--protocol next-item needs interactions only"
        )

    def warmup(self, text: str, found: Found) -> Warmup:
        """As `Host`."""
        return warmup_of(text, n_slates=found.slates)

    def fitted(self, proposed: str) -> View:
        """As `Host`."""
        return load_view(proposed)

    def run(self, history: History, view: View, asked: Asked, progress: EvaluationProgress) -> Reranked:
        """As `Host`."""
        state = State(view)
        evaluation = Prequential(
            view,
            state,
            self.warmup(asked.warmup, history.found),
            seed=view.learning.seed,
            now=time.perf_counter,
            cpu=time.process_time,
            meter=functools.partial(Meter, Energy()),
            values_of=values_of(state) if asked.dials else lambda items: (),
        )
        progress.begin("evaluating", history.found.events)
        n = 0
        for batch in history.batches():
            evaluation.read(batch)
            n += len(batch)
            progress.show(n, f"{evaluation.n_scored:,} slates scored")
        found, objective = evaluation.finish(), view.learning.objective
        measured: dict[str, dict[str, Estimate]] = {}
        for k in asked.ks:
            for who, metrics in found.slates.measured(objective, k).items():
                measured.setdefault(who, {}).update(metrics)
        diversity = tradeoffs(found.slates, asked.dials, asked.ks[0]) if asked.dials else ()
        return Reranked(found, measured, objective, asked.ks[0], diversity)
