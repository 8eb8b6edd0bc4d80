"""No model leaves unless its ONNX form equals its booster to the bit, on rows made to find where they might differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_learning.boosters import Fitted
from eddyline_learning.fold import Vectors
from eddyline_learning.scoring import OnnxScorer

_ODD = np.array(
    [
        np.nan,
        np.inf,
        -np.inf,
        0.0,
        -0.0,
        1e-45,
        -1e-45,
        1e-38,
        3.4e38,
        -3.4e38,
        -1.0,
        -0.5,
        0.5,
        1.5,
        2.0**31,
        2.0**32 + 512,
    ],
    np.float32,
)


class InexactModel(ValueError):
    """The exported model gives other scores than the booster: it must not be served."""


def verify_export(fitted: Fitted, onnx: bytes, rows: Vectors) -> None:
    """Compare the raw scores of the booster and its ONNX form on ``rows``, shape (N, F).

    Raises
    ------
    InexactModel
        If any differs in any bit, with the first row that does.
    """
    expected, got = fitted.raw_scores(rows), OnnxScorer(onnx).raw_scores(rows)
    if expected.tobytes() == got.tobytes():
        return
    differing = np.flatnonzero(expected.view(np.int64) != got.view(np.int64))
    first = int(differing[0])
    raise InexactModel(
        f"{len(differing)} of {len(rows)} rows differ; row {first}: booster {expected[first]!r}, "
        f"ONNX {got[first]!r}, vector {rows[first].tolist()}"
    )


def edge_rows(fitted: Fitted, rows: Vectors, n: int, seed: int) -> Vectors:
    """Rows where a wrong comparison would show, shape (n, F).

    Real rows in which every threshold and its two float32 neighbours, NaN, infinities, zeros of both signs, subnormal
    numbers and codes that training has not seen are put in the places of their columns, each at least once if n allows.
    """
    rng = np.random.default_rng(seed)
    n_features = rows.shape[1]
    edges = _edges(fitted.booster.dump_model(), n_features)
    made: Vectors = rows[rng.integers(0, len(rows), n)].copy()
    # Each edge once, one a row; then more of them at random, so that they also meet each other.
    singly = [(column, value) for column, values in enumerate(edges) for value in values]
    order = rng.permutation(len(singly))[:n]
    for row, index in enumerate(order):
        column, value = singly[index]
        made[row, column] = value
    for column, values in enumerate(edges):
        chosen = np.flatnonzero(rng.random(n) < 0.2)
        kept = chosen[chosen >= len(order)]
        made[kept, column] = rng.choice(values, len(kept))
    return made


def _edges(dump: dict[str, Any], n_features: int) -> list[NDArray[np.float32]]:
    thresholds: list[set[float]] = [set() for _ in range(n_features)]
    for tree in dump["tree_info"]:
        for node in _splits(tree["tree_structure"]):
            told = node["threshold"]
            codes = told.split("||") if isinstance(told, str) else [told]
            thresholds[node["split_feature"]].update(float(code) for code in codes)
    found = []
    for of_column in thresholds:
        # An infinite threshold is dumped as 1e300, which float32 cannot hold.
        with np.errstate(over="ignore"):
            at = np.array(sorted(of_column), np.float64).astype(np.float32)
        around = [
            at,
            np.nextafter(at, np.float32(-np.inf)),
            np.nextafter(at, np.float32(np.inf)),
            at + np.float32(0.5),
        ]
        found.append(np.concatenate([*around, _ODD]))
    return found


def _splits(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    stack = [node]
    while stack:
        node = stack.pop()
        if "split_feature" in node:
            yield node
            stack += [node["left_child"], node["right_child"]]
