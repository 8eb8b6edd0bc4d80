"""A model from outside, run on rows as they come and as they might come, before it is let into any comparison.

Whoever runs this on a file of a stranger does so in a process of its own, with bounds on memory and time.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from eddyline_learning.fold import Vectors
from eddyline_learning.outside.graph import check_graph
from eddyline_learning.outside.unfit import UnfitModel
from eddyline_learning.scoring import OnnxScorer

LARGE = 1e12
"""Numbers up to this size, as a time in ms, must give finite scores; the fold gives no infinity."""
_ROWS_TIMED = 100
_N_TIMED = 101
_LARGEST_SLATE = 1_000
_TOLERANCE = 1e-4
"""Of the largest score: products of matrices differ by how many rows there are, in float32 about so much at most."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What was found of a model that may be compared."""

    p50_us: int
    """CPU time for 100 rows, in µs: half of the runs took less."""
    n_rows: int
    """Rows of examples that it was run on."""
    producer: str
    """What wrote the file, as it says itself."""
    opset: int
    """Version of the operators of ``ai.onnx``; 0 where it needs none."""


def try_out(onnx: bytes, columns: Sequence[str], rows: Vectors, *, at_most_us: int) -> Tried:
    """Check a file, and how it behaves on ``rows``, shape (R, F), and on what may come beside them.

    Raises
    ------
    UnfitModel
        With what to do about it.
    """
    model = check_graph(onnx, columns)
    try:
        scorer = OnnxScorer(onnx)
    except Exception as error:
        raise UnfitModel(
            f"ONNX Runtime {onnxruntime.__version__} cannot load it: {_short(error)}; "
            "check it with `onnx.checker`, and export it with an opset that this version knows"
        ) from error
    usual = _usual_rows(rows, len(columns))
    _check_numbers(scorer, usual, columns)
    _check_that_rows_stand_alone(scorer, usual)
    p50_us = _time(scorer, usual, at_most_us)
    opsets = [told.version for told in model.opset_import if told.domain in ("", "ai.onnx")]
    producer = f"{model.producer_name} {model.producer_version}".strip()
    return Tried(p50_us, len(rows), producer[:100], max(opsets, default=0))


def _usual_rows(rows: Vectors, n_columns: int) -> Vectors:
    """Examples; where there are none yet, numbers of common sizes with some unknown."""
    if len(rows):
        return rows
    rng = np.random.default_rng(0)
    made = rng.normal(size=(_ROWS_TIMED, n_columns)).astype(np.float32)
    made[rng.random(made.shape) < 0.2] = np.nan
    return made


def _check_numbers(scorer: OnnxScorer, usual: Vectors, columns: Sequence[str]) -> None:
    for what, rows in (("rows of the log", usual), *_odd_rows(usual, columns)):
        scores = _scores(scorer, rows)
        if scores.shape != (len(rows),):
            raise UnfitModel(
                f"{len(rows)} rows give an output of shape {scores.shape}: one score a row is expected, (N,) or (N, 1)"
            )
        if not np.isfinite(scores).all():
            n = int((~np.isfinite(scores)).sum())
            raise UnfitModel(
                f"{n} of {len(rows)} scores are no finite numbers, on {what}: NaN stands for what is unknown, so put "
                "something in its place within the model (Where and IsNaN), and clip what may grow too large"
            )
        if scores.tobytes() != _scores(scorer, rows).tobytes():
            raise UnfitModel("the same rows give other scores the second time: take out what is random")


def _odd_rows(usual: Vectors, columns: Sequence[str]) -> list[tuple[str, Vectors]]:
    n_columns = len(columns)
    found = [("rows where all is unknown (NaN)", np.full((3, n_columns), np.nan, np.float32))]
    for name, value in (("0", 0.0), (f"{LARGE:g}", LARGE), (f"{-LARGE:g}", -LARGE)):
        found.append((f"rows where every column is {name}", np.full((3, n_columns), value, np.float32)))
    # One column at a time, the others as they come.
    for name, value in (
        ("unknown (NaN)", np.nan),
        ("0", 0.0),
        (f"{LARGE:g}", LARGE),
        (f"{-LARGE:g}", -LARGE),
    ):
        rows: Vectors = usual[np.arange(n_columns) % len(usual)].copy()
        np.fill_diagonal(rows, value)
        found.append((f"rows where one column is {name}", rows))
    repeated: Vectors = usual[np.arange(_LARGEST_SLATE) % len(usual)]
    found.append((f"a slate of {_LARGEST_SLATE:,} rows", repeated))
    return found


def _check_that_rows_stand_alone(scorer: OnnxScorer, usual: Vectors) -> None:
    """The ranker scores slates of every length, so a row's score must not depend on the others."""
    some: Vectors = usual[: 2 * _ROWS_TIMED]
    together = _scores(scorer, some)
    near = _TOLERANCE * max(1e-6, float(np.abs(together).max()))
    alone = np.concatenate([_scores(scorer, some[row : row + 1]) for row in range(len(some))])
    backwards = _scores(scorer, np.ascontiguousarray(some[::-1]))[::-1]
    in_pieces = np.concatenate([_scores(scorer, some[at : at + 7]) for at in range(0, len(some), 7)])
    for scores in (alone, backwards, in_pieces):
        if scores.shape != together.shape or (np.abs(scores - together) > near).any():
            raise UnfitModel(
                "a row's score depends on the other rows of its slate: export it in evaluation mode, and let nothing "
                "be averaged or normalised over the first dimension"
            )


def _time(scorer: OnnxScorer, usual: Vectors, at_most_us: int) -> int:
    rows: Vectors = np.ascontiguousarray(usual[np.arange(_ROWS_TIMED) % len(usual)])
    took = []
    for _ in range(_N_TIMED):
        # CPU time: who else runs on the machine is not the model's fault.
        began = time.thread_time_ns()
        scorer.raw_scores(rows)
        took.append(time.thread_time_ns() - began)
    p50_us = sorted(took)[_N_TIMED // 2] // 1_000
    if p50_us > at_most_us:
        raise UnfitModel(
            f"{_ROWS_TIMED} rows take {p50_us / 1_000:.1f} ms of one core, and {at_most_us / 1_000:.1f} ms are "
            "allowed: make it smaller, or allow more (EDDYLINE_ADDED_MODEL_US of the trainer)"
        )
    return p50_us


def _scores(scorer: OnnxScorer, rows: Vectors) -> NDArray[np.float64]:
    try:
        return scorer.raw_scores(rows)
    except Exception as error:
        raise UnfitModel(
            f"it does not run on {len(rows)} rows: {_short(error)}; try it on as many with onnxruntime"
        ) from error


def _short(error: Any) -> str:
    return " ".join(str(error).split())[:300]
