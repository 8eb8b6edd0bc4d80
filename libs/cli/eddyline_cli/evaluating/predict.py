"""Protocol ``predict``: the value of every rating, said before it is known."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from rich.console import Console

from eddyline_cli.evaluating.answer import cycles_table
from eddyline_cli.evaluating.forms import warmup_of
from eddyline_cli.evaluating.history import Found, History
from eddyline_cli.evaluating.hosting import Asked
from eddyline_cli.evaluating.progress import EvaluationProgress
from eddyline_cli.refusals import Refused
from eddyline_cli.screen import table
from eddyline_features.declarations.online import VALUE
from eddyline_features.state import State
from eddyline_features.view import View, load_view
from eddyline_learning.labels import RATING
from eddyline_learning.metrics import Estimate
from eddyline_learning.prequential import Evaluation, Prequential
from eddyline_learning.running_values import FoldWithValues, RunningValues
from eddyline_learning.scored import CHAMPION
from eddyline_learning.value_judging import ForetoldValues, ValueJudging
from eddyline_learning.warmup import Warmup
from eddyline_runtime.cost import Energy, Meter

_NAMES = {
    CHAMPION: "Eddyline",
    "online": "its online model alone",
    "frozen": "its first model, frozen",
    "biases": "running biases",
    "user_item_means": "running user + item means",
    "daily_svd": "SVD, retrained daily",
    "item_mean": "item mean",
    "mean": "mean",
}


class PredictAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that ``--json`` prints."""

    protocol: str
    events: int
    scored: int
    """Ratings."""
    seconds: float
    metrics: dict[str, dict[str, float | int | None]]
    baselines: dict[str, dict[str, dict[str, float | int | None]]]
    daily_svd: dict[str, Any]
    """How the factorisation was trained, and how often."""
    timeline: list[dict[str, Any]]
    cycles: list[dict[str, Any]]


@dataclass(frozen=True)
class Predicted:
    """As `Outcome`."""

    found: Evaluation
    foretold: ForetoldValues
    measured: Mapping[str, Mapping[str, Estimate]]
    svd: dict[str, Any]

    @property
    def unscored(self) -> Mapping[str, int]:
        """As `Outcome`."""
        return self.found.unscored

    def answer(self, *, events: int, seconds: float) -> PredictAnswer:
        """As `Outcome`."""
        plain = {who: {m: e.as_json() for m, e in of.items()} for who, of in self.measured.items()}
        return PredictAnswer(
            protocol="predict",
            events=events,
            scored=len(self.foretold),
            seconds=round(seconds, 3),
            metrics=plain.pop(CHAMPION),
            baselines=plain,
            daily_svd=self.svd,
            timeline=[stretch.as_json() for stretch in self.foretold.stretches()],
            cycles=[cycle.as_json() for cycle in self.found.cycles],
        )

    def show(self, screen: Console, *, events: int, seconds: float) -> None:
        """As `Outcome`."""
        screen.print()
        screen.print(
            f"{events:,} events, {len(self.foretold):,} ratings foretold before they were known, in {seconds:.1f} s"
        )
        screen.print()
        listed = table("", "rmse", "mae")
        for name in _NAMES:
            if name in self.measured:
                of = self.measured[name]
                cells = [f"{of[m].mean:.4f} ± {of[m].se:.4f}" for m in ("rmse", "mae")]
                listed.add_row(_NAMES[name], *cells, style="bold" if name == CHAMPION else "")
        screen.print(listed)
        screen.print()
        screen.print(cycles_table(self.found.cycles))
        screen.print()


class Predict:
    """As `Host`."""

    def lacks(self, found: Found, files: str) -> str | None:
        """As `Host`."""
        if found.interactions:
            return None
        return f"there is no interaction in {files}: --protocol predict foretells the values of ratings"

    def warmup(self, text: str, found: Found) -> Warmup:
        """As `Host`."""
        return warmup_of(text, n_interactions=found.interactions)

    def fitted(self, proposed: str) -> View:
        """As `Host`."""
        return load_view(proposed)

    def run(self, history: History, view: View, asked: Asked, progress: EvaluationProgress) -> Predicted:
        """As `Host`."""
        if view.learning.objective != RATING:
            raise Refused(
                f"the view learns by the objective {view.learning.objective}: --protocol predict foretells values and "
                "needs `learning: {objective: rating}`: set it in the view (autoconfig proposes it where most "
                "interactions carry marks of a scale, and there are no slates)"
            )
        says_values = view.online is not None and view.online.target == VALUE
        values = RunningValues(view.actions, view.learning.seed)
        judging = ValueJudging(view, values, online_says_values=says_values)
        evaluation = Prequential(
            view,
            FoldWithValues(State(view), values),
            self.warmup(asked.warmup, history.found),
            seed=view.learning.seed,
            now=time.perf_counter,
            cpu=time.process_time,
            meter=functools.partial(Meter, Energy()),
            judging=judging,
        )
        progress.begin("evaluating", history.found.events)
        n = 0
        for batch in history.batches():
            evaluation.read(batch)
            n += len(batch)
            progress.show(n, f"{evaluation.n_scored:,} ratings foretold")
        found = evaluation.finish()
        if not len(judging.foretold):
            raise Refused("there is no rating after the warm-up: choose a shorter one")
        svd = {} if values.recipe is None else {**values.recipe.as_json(), "trained": values.n_trained}
        return Predicted(found, judging.foretold, judging.foretold.measured(), svd)
