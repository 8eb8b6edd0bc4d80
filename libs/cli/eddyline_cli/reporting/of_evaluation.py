"""The page of an evaluation, or of several that are compared."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from eddyline_cli.reporting.evaluation import CHAMPION, EvaluationTold
from eddyline_cli.reporting.figures.calibration import calibration_of
from eddyline_cli.reporting.figures.cost import cost_of_cycles
from eddyline_cli.reporting.figures.decisions import gate_decisions
from eddyline_cli.reporting.figures.delay import cost_of_delay
from eddyline_cli.reporting.figures.importance import importance_and_drift
from eddyline_cli.reporting.figures.loss import loss_and_drift
from eddyline_cli.reporting.figures.metric_over_time import metric_compared, metric_over_time
from eddyline_cli.reporting.figures.standing import standing
from eddyline_cli.reporting.of_off_policy import page_of_off_policy
from eddyline_cli.reporting.off_policy import OffPolicyTold
from eddyline_cli.reporting.plate import Page, Part, Tile
from eddyline_cli.reporting.told import CHANGES, marks_of
from eddyline_cli.reporting.wording import count, duration, figure, joules, plural

_MAIN = ("ndcg@", "hr@", "log_loss", "rmse", "mae", "mrr@")
"""The metrics that are drawn, by how they begin, the first ones first."""
_DRAWN = 3


def page_of(told: Sequence[EvaluationTold | OffPolicyTold]) -> Page:
    """All figures of one; or of several of one protocol, what can be compared."""
    estimates = [each for each in told if isinstance(each, OffPolicyTold)]
    if estimates:
        return page_of_off_policy(estimates)
    return _page_of([each for each in told if isinstance(each, EvaluationTold)])


def _page_of(told: Sequence[EvaluationTold]) -> Page:
    metrics = _main_metrics(told)
    if len(told) > 1:
        plates = [standing(told, metrics), *(metric_compared(told, metric) for metric in metrics[:_DRAWN])]
        return Page(
            title="Evaluations compared",
            lead="; ".join(_lead(each) for each in told) + ".",
            tiles=[tile for each in told for tile in _metric_tiles(each, metrics[:1], each.name)],
            parts=[Part(title="Beside each other", plates=plates)],
            notes=[
                *_honest(told),
                "They can be compared where they scored the same lists: the same files and warm-up.",
            ],
        )
    (one,) = told
    delay = cost_of_delay(one.syncs, [name for name in metrics if name.startswith(("hr@", "mrr@"))])
    plates = [
        *(metric_over_time(one, metric) for metric in metrics[:_DRAWN]),
        standing(told, metrics),
        *([] if delay is None else [delay]),
    ]
    loss = loss_and_drift(one.cycles, marks_of(one.decisions, one.cycles))
    learnt = [
        gate_decisions(one.decisions),
        *([] if loss is None else [loss]),
        cost_of_cycles(one.cycles),
        importance_and_drift(one.versions),
        calibration_of(one.calibration, _objective(one)),
    ]
    return Page(
        title=f"Eddyline, evaluation {one.name}",
        lead=_lead(one) + ". All times are UTC, and those of the events.",
        tiles=_tiles(one, metrics),
        parts=[
            Part(title="How good the orders were", plates=plates),
            Part(title="What was learnt, and what it cost", plates=learnt),
        ],
        notes=_honest(told),
    )


_HONEST = (
    "Everything was scored by what was known just before it, and by the model that served then; only afterwards it was "
    "learnt from. Intervals hold 95 %."
)
_LATE = (
    "Where learning was held back, what had been learnt by the last sync scored: no more than that, and of what came "
    "since, only the person's own acts. "
)


def _honest(told: Sequence[EvaluationTold]) -> list[str]:
    late = [each for each in told if any(sync.interval_ms for sync in each.syncs)]
    if not late:
        return [_HONEST]
    first = [f"{each.name}: {each.syncs[0].interval}" for each in late if each.syncs[0].interval_ms]
    shown = (
        f"The figures outside of the table of delays are those of the first interval ({'; '.join(first)})."
        if first
        else ""
    )
    return [_HONEST, (_LATE + shown).strip()]


def _main_metrics(told: Sequence[EvaluationTold]) -> list[str]:
    names = list(dict.fromkeys(name for each in told for name in each.metrics[CHAMPION]))
    return [name for begin in _MAIN for name in names if name.startswith(begin)]


def _objective(told: EvaluationTold) -> str:
    """By what is measured."""
    names = told.metrics[CHAMPION]
    return "click" if "log_loss" in names else "rating" if "rmse" in names else "rank"


def _lead(told: EvaluationTold) -> str:
    return (
        f"{told.name}: {plural(told.events, 'event')}, {plural(told.scored, told.unit)} scored by the protocol "
        f"{told.protocol}, in {duration(told.seconds)}"
    )


def _metric_tiles(told: EvaluationTold, metrics: Sequence[str], before: str = "") -> list[Tile]:
    tiles = []
    for metric in metrics:
        value = told.metrics[CHAMPION].get(metric)
        if value is not None and value.mean is not None:
            error = "" if value.se is None else f"± {figure(value.se)}, "
            label = f"{before}: {metric}" if before else metric
            tiles.append(Tile(label=label, value=figure(value.mean), note=error + plural(value.n, told.unit)))
    return tiles


def _tiles(told: EvaluationTold, metrics: Sequence[str]) -> list[Tile]:
    tiles = _metric_tiles(told, metrics[:2])
    changes = {(d.at_ms, d.challenger) for d in told.decisions if d.outcome in CHANGES}
    tiles.append(
        Tile(
            label="cycles",
            value=count(len(told.cycles)),
            note=plural(len(changes), "change of model", "changes of model"),
        )
    )
    spent = [sum(each.seconds.values()) for each in told.cycles if each.seconds]
    if spent:
        energy = [each.joules for each in told.cycles if each.joules is not None]
        note = f"{joules(sum(energy))} in all" if energy else "energy not known"
        tiles.append(Tile(label="a cycle takes", value=duration(statistics.median(spent)), note=note))
    return tiles
