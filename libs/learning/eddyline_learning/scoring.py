"""Running an exported model, as the ranker does: one thread, no spinning.

With two threads ONNX Runtime sums trees in another order, and scores differ from the booster's in their last bits.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from eddyline_learning.fold import Vectors

_LARGEST = 1e12
"""Of a score by a model that was made elsewhere: larger ones count as this, since sums of their squares must stay
finite, and be written down as they are."""


class OnnxScorer:
    """A loaded model."""

    def __init__(self, onnx: bytes) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Otherwise it writes to the process's error output what it also raises.
        options.log_severity_level = 4
        self._session = ort.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
        # Of models that were made elsewhere the names are theirs.
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name

    def raw_scores(self, vectors: Vectors) -> NDArray[np.float64]:
        """Scores of rows, shape (N,)."""
        scores = np.asarray(self._session.run([self._output], {self._input: vectors})[0], np.float64)
        # A column is taken for a list; any other shape is the caller's to find out.
        return scores[:, 0] if scores.ndim == 2 and scores.shape[1] == 1 else scores


class Unreadable:
    """Stands for a model from elsewhere that ONNX Runtime does not load any more: it has nothing to say of any row."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        """In one line."""

    def raw_scores(self, vectors: Vectors) -> NDArray[np.float64]:
        """No numbers."""
        return np.full(len(vectors), np.nan)


def load_outside(onnx: bytes) -> OnnxScorer | Unreadable:
    """A model that was made elsewhere; it was tried when it was added, by the ONNX Runtime of that time."""
    try:
        return OnnxScorer(onnx)
    except Exception as error:
        # Its errors share no class of their own.
        return Unreadable(str(error).strip().split("\n")[0][:200] or type(error).__name__)


def slate_by_slate(scorer: OnnxScorer | Unreadable, slates: Iterable[Vectors]) -> NDArray[np.float64]:
    """Scores of a model that was made elsewhere, shape (R,), of slates with R rows in all.

    A product of matrices may differ in its last bits by how many rows there are, and how many slates come at once is
    not decided by the log. Where such a model fails, or gives what is no number, it says nothing: 0 for the whole
    slate, which counts against it, since everybody else's numbers must not be lost with it.
    """
    return np.concatenate([_of_slate(scorer, vectors) for vectors in slates])


def _of_slate(scorer: OnnxScorer | Unreadable, vectors: Vectors) -> NDArray[np.float64]:
    nothing = np.zeros(len(vectors))
    try:
        scores = scorer.raw_scores(vectors)
    except Exception:
        # ONNX Runtime's errors share no class of their own: an index that is outside of a table, a form that does not
        # fit. No trial can foresee all rows, and a trainer that ended here would end here again.
        return nothing
    if scores.shape != nothing.shape or not np.isfinite(scores).all():
        return nothing
    return np.clip(scores, -_LARGEST, _LARGEST)
