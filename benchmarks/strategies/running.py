"""One stream, all contenders: predict a batch, then learn from it."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.strategies.contenders import Averaged, Past, contenders, part
from benchmarks.strategies.streams import Stream
from eddyline_features.view import Learning
from eddyline_learning.boosters import Fitted
from eddyline_learning.labels import RANK
from eddyline_learning.metrics import ndcg
from eddyline_learning.store import Table

K = 10


def run(stream: Stream, settings: Learning, only: set[str] | None = None) -> dict[str, dict[str, Any]]:
    """By contender: the mean loss over all slates (or rows), ms an update, trees at the end, losses by batch."""
    table, warm = stream.table, part(stream.table, 0, stream.warm)
    firsts = range(stream.warm, table.n_slates - stream.batch + 1, stream.batch)
    found: dict[str, dict[str, Any]] = {}
    for name, begin in contenders(stream.columns, settings).items():
        if only is not None and name not in only:
            continue
        contender = begin(warm)
        by_batch: list[float] = []
        entropy: list[float] = []
        n_judged: list[int] = []
        seconds = 0.0
        for number, first in enumerate(firsts, 1):
            batch = part(table, first, first + stream.batch)
            losses = _losses(contender.fitted, batch, settings.objective)
            known = losses[~np.isnan(losses)]
            by_batch.append(float(known.sum()))
            n_judged.append(len(known))
            entropy.append(_entropy(batch, settings.objective))
            per_slate = _per_slate(losses, batch, settings.objective)
            past = Past(part(table, 0, first + stream.batch), stream.batch, (1.0 - per_slate).tolist())
            began = time.process_time()
            contender.learn(past, number)
            seconds += time.process_time() - began
        scale = sum(entropy) / sum(n_judged) if settings.objective != RANK else 1.0
        found[name] = {
            "loss": sum(by_batch) / sum(n_judged) / scale,
            "by_batch": [
                round(loss / max(1, n) / scale, 4) for loss, n in zip(by_batch, n_judged, strict=True)
            ],
            "ms": 1_000 * seconds / len(firsts),
            "trees": contender.fitted.n_trees,
        }
    return found


def _losses(fitted: Fitted | Averaged, batch: Table, objective: str) -> NDArray[np.float64]:
    """1 − NDCG@10 of each slate under ``rank``; log-loss of each row under ``click``."""
    raw = fitted.raw_scores(batch.vectors)
    if objective == RANK:
        return 1.0 - ndcg(raw, batch.labels, batch.sizes, K)
    return np.logaddexp(0.0, raw) - batch.labels * raw


def _entropy(batch: Table, objective: str) -> float:
    """Log-loss of the batch's own share of clicks, summed over its rows."""
    if objective == RANK:
        return 0.0
    mean = min(1 - 1e-6, max(1e-6, float(batch.labels.mean())))
    return -batch.n_rows * float(mean * np.log(mean) + (1.0 - mean) * np.log1p(-mean))


def _per_slate(losses: NDArray[np.float64], batch: Table, objective: str) -> NDArray[np.float64]:
    if objective == RANK:
        return losses
    firsts = np.cumsum(batch.sizes) - batch.sizes
    of_slate = np.add.reduceat(losses, firsts) / batch.sizes
    return of_slate / (_entropy(batch, objective) / batch.n_rows)
