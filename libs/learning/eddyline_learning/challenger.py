"""A model with its papers, before anyone has decided whether it is served."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from eddyline_contracts.bundle import Bundle, model_name
from eddyline_features.view import View
from eddyline_learning.boosters import Columns, Fitted
from eddyline_learning.fold import Fold
from eddyline_learning.metrics import mean_of, ndcg
from eddyline_learning.onnx_export import export
from eddyline_learning.scoring import OnnxScorer, load_outside, slate_by_slate
from eddyline_learning.store import ExampleStore, Table
from eddyline_learning.strategies.compact import compact
from eddyline_learning.strategies.extend import best_length, extend
from eddyline_learning.strategies.rebuild import rebuild
from eddyline_learning.strategies.refit import refit
from eddyline_learning.trees import as_text, from_text
from eddyline_learning.verification import edge_rows, verify_export

_EDGE_ROWS = 20_000
_REAL_ROWS = 5_000
_K = 10


REBUILD, COMPACT, EXTEND, REFIT, REFIT_EXTEND = "rebuild", "compact", "extend", "refit", "refit+extend"
OUTSIDE = "outside"
"""Among the metrics of a bundle: what is known of a model that was made elsewhere."""


@dataclass(frozen=True, slots=True)
class Made:
    """How a model came about; kept among its papers as ``metrics["made"]``."""

    strategy: str
    """``rebuild``, ``compact``, ``extend``, ``refit`` or ``refit+extend``."""
    parent: str | None
    """The model that was extended or refitted."""
    n_trees: int
    tail: int
    """Trees beyond the base: at most ``learning.tail``."""
    dropped: int
    """Trees of the parent that had stopped helping."""
    n_seen: int
    """Examples since the start of the log, to the cut: it was trained on none after them."""
    bias: float
    reason: str = ""
    """Why it was due: ``growth``, ``drift``, ``time``, ``tail full`` or ``new examples``; empty in older papers."""


@dataclass(frozen=True, slots=True)
class Challenger:
    """What a cycle made."""

    bundle: Bundle
    booster: str
    """LightGBM's text of it, to be extended; empty when it is lost, and then it cannot be."""
    seconds: dict[str, float] = field(default_factory=dict)
    """By phase: ``train``, ``export``, ``verify``."""
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    """As ``seconds``, where a CPU clock was given."""
    labelled_at: int = 0
    """When the log got the newest label of it all, in ms since the Unix epoch; 0: not known. No part of the bundle: the
    same events have other such times in another log."""

    @property
    def made(self) -> Made | None:
        """How it came about; None for a model of an older Eddyline."""
        told = self.bundle.metrics.get("made")
        return None if told is None else Made(**told)

    @property
    def is_outside(self) -> bool:
        """Whether it was made elsewhere: nothing is known of it but its scores."""
        return OUTSIDE in self.bundle.metrics

    @property
    def fitted(self) -> Fitted:
        """The booster itself."""
        assert self.made is not None
        return Fitted(from_text(self.booster), self.made.bias)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is due at a cut."""

    strategy: str
    reason: str
    parent: Challenger | None = None
    """Whom to extend or refit."""
    newest: int | None = None
    """Of how many of the newest slates it is made; of all where none is given. Trees are added by some of them."""


@dataclass(frozen=True, slots=True)
class Priors:
    """How good each item is for anybody, at the place where the fold stands."""

    items: list[str]
    scores: NDArray[np.float32]
    default: float
    sequence: int
    """Log position up to which none of the items was removed, or else is back."""

    @classmethod
    def of(cls, fold: Fold, departed: Set[str], sequence: int) -> Priors:
        """Those that a fold knows now, but for what has left the catalogue since, up to ``sequence``."""
        items, scores, default = fold.item_priors(fold.clock)
        if departed:
            left = [at for at, item in enumerate(items) if item not in departed]
            items, scores = [items[at] for at in left], scores[left]
        return cls(items, scores, default, sequence)


def make_challenger(
    view: View,
    store: ExampleStore,
    plan: Plan,
    priors: Priors,
    *,
    cut: int,
    n_seen: int,
    labelled_at: int,
    champion: str | None,
    metrics: dict[str, Any],
    now: Callable[[], float],
    cpu: Callable[[], float] = lambda: 0.0,
    should_stop: Callable[[], bool] = lambda: False,
) -> Challenger:
    """Train, export, and check to the bit.

    Parameters
    ----------
    cut
        Log position that the examples belong to.
    n_seen
        Examples since the start of the log.
    labelled_at
        When the log got the newest label of them.
    champion
        Who serves now.
    now
        Gives seconds, to time the phases by.
    cpu
        Gives CPU seconds, likewise.
    should_stop
        Asked now and then whether to give up.

    Raises
    ------
    InexactModel
        If the exported form differs from the booster: nobody may serve it.
    Abandoned
        If ``should_stop`` said so.
    """
    columns, settings = Columns.of(view), view.learning
    clock = _Stopwatch(now, cpu)
    parent, dropped = plan.parent, 0
    if parent is None:
        make = compact if plan.strategy == COMPACT else rebuild
        table = store.table(newest=plan.newest)
        fitted = make(table, columns, settings, should_stop=should_stop)
    else:
        assert parent.made is not None
        n_new = n_seen - parent.made.n_seen
        table = store.newest_and_replayed(n_new, settings.replay, settings.seed + n_seen, among=plan.newest)
        before, newest = parent.fitted, store.table(newest=n_new)
        # Judged by labels that no leaf has seen, so before the leaves are refitted by them.
        fitted = before.first(best_length(before, newest, settings))
        dropped = before.n_trees - fitted.n_trees
        if plan.strategy in (REFIT, REFIT_EXTEND):
            fitted = refit(fitted, newest, columns, settings, should_stop=should_stop)
        if plan.strategy in (EXTEND, REFIT_EXTEND):
            fitted = extend(fitted, table, columns, settings, should_stop=should_stop)
    clock.lap("train")
    # A name for each cut: two models may have the same trees (none worth a split, at the beginning).
    origin = {"view": view.id, "cut": str(cut), "learning": digest_of(view)}
    onnx, covers = export(fitted.booster, len(columns.names), fitted.bias, origin)
    clock.lap("export")
    verify(fitted, onnx, table, seed=settings.seed)
    clock.lap("verify")
    made = Made(
        strategy=plan.strategy,
        parent=None if parent is None else parent.bundle.model,
        n_trees=fitted.n_trees,
        tail=max(0, fitted.n_trees - settings.trees),
        dropped=dropped,
        n_seen=n_seen,
        bias=fitted.bias,
        reason=plan.reason,
    )
    bundle = Bundle(
        model=model_name(onnx),
        view=view.id,
        features=columns.names,
        objective=settings.objective,
        onnx=onnx,
        prior_items=priors.items,
        prior_scores=priors.scores.astype("<f4").tobytes(),
        prior_default=priors.default,
        priors_sequence=priors.sequence,
        first_sequence=int(table.sequences.min()),
        last_sequence=int(table.sequences.max()),
        n_slates=table.n_slates,
        n_examples=table.n_rows,
        metrics={**metrics, "made": dataclasses.asdict(made)},
        parent=champion,
        covers=covers.astype("<i4").tobytes(),
    )
    return Challenger(bundle, as_text(fitted.booster), clock.seconds, clock.cpu_seconds, labelled_at)


def with_covers(made: Challenger) -> Bundle:
    """Its bundle with the covers of its leaves: the booster tells those that bundles of an older Eddyline lack."""
    if made.bundle.covers or not made.booster:
        return made.bundle
    _, covers = export(from_text(made.booster), len(made.bundle.features))
    return msgspec.structs.replace(made.bundle, covers=covers.astype("<i4").tobytes())


def digest_of(view: View) -> str:
    """8 hex of all in a view that changes examples or models without changing the view's id."""
    told = {
        "learning": dataclasses.asdict(view.learning),
        "label_window_ms": view.label_window_ms,
        "gains": {name: action.gain for name, action in view.actions.items()},
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:8]


def verify(fitted: Fitted, onnx: bytes, table: Table, *, seed: int) -> None:
    """Compare booster and ONNX form on rows of the table and on edge cases made from them."""
    verify_export(fitted, onnx, table.vectors[-_REAL_ROWS:])
    verify_export(fitted, onnx, edge_rows(fitted, table.vectors, _EDGE_ROWS, seed))


def measure(champion: Bundle, table: Table) -> dict[str, Any]:
    """How the champion orders slates that it was not trained on, beside the order in which they were shown."""
    scores = {
        "champion": slate_by_slate(
            load_outside(champion.onnx), np.split(table.vectors, np.cumsum(table.sizes)[:-1])
        )
        if OUTSIDE in champion.metrics
        else OnnxScorer(champion.onnx).raw_scores(table.vectors),
        "shown": -table.positions.astype(np.float64),
    }
    return {
        f"ndcg@{_K}": {
            name: mean_of(ndcg(of_rows, table.labels, table.sizes, _K)).as_json()
            for name, of_rows in scores.items()
        }
    }


class _Stopwatch:
    def __init__(self, now: Callable[[], float], cpu: Callable[[], float]) -> None:
        self.seconds: dict[str, float] = {}
        self.cpu_seconds: dict[str, float] = {}
        self._now, self._cpu = now, cpu
        self._since = now(), cpu()

    def lap(self, phase: str) -> None:
        now = self._now(), self._cpu()
        self.seconds[phase] = now[0] - self._since[0]
        self.cpu_seconds[phase] = now[1] - self._since[1]
        self._since = now
