"""Running an exported model, as the ranker does: one thread, no spinning.

With two threads ONNX Runtime sums trees in another order, and scores differ from the booster's in their last bits.
"""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from eddyline_learning.fold import Vectors
from eddyline_learning.onnx_export import INPUT, OUTPUT


class OnnxScorer:
    """A loaded model."""

    def __init__(self, onnx: bytes) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = ort.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])

    def raw_scores(self, vectors: Vectors) -> NDArray[np.float64]:
        """Scores of rows, shape (N,)."""
        scores: NDArray[np.float64] = self._session.run([OUTPUT], {INPUT: vectors})[0]
        return scores
