"""The trees of a model as they serve, read from its ONNX bytes: so what is explained is what was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eddyline_learning.explaining.wire import members, varints

_GRAPH, _NODE, _INITIALIZER = 7, 1, 5
_OP_TYPE, _ATTRIBUTE = 4, 5
_ATTRIBUTE_NAME, _ATTRIBUTE_TENSOR, _ATTRIBUTE_INTS = 1, 5, 8
_TENSOR_TYPE, _TENSOR_NAME, _TENSOR_RAW = 2, 8, 9
_DTYPES = {2: "u1", 7: "<i8", 9: "?", 11: "<f8"}
_ENSEMBLE = b"TreeEnsemble"
_LEQ, _MEMBER = 0, 6

Ints = NDArray[np.int64]
Doubles = NDArray[np.float64]


class NoTrees(ValueError):
    """The model is no ensemble of trees of the form that Eddyline writes."""


@dataclass(frozen=True, slots=True, eq=False)
class ServedTrees:
    """B nodes and L leaves of T trees, in the order of the file."""

    roots: Ints
    """shape (T,): a node each."""
    features: Ints
    """shape (B,): the column that a node asks."""
    splits: Doubles
    """shape (B,): what is not larger goes left; of no account where codes are asked."""
    asks_codes: NDArray[np.bool_]
    """shape (B,): left goes what is one of the node's codes."""
    missing_left: NDArray[np.bool_]
    """shape (B,): whether NaN goes left."""
    children: Ints
    """shape (B, 2), left and right: a node or a leaf."""
    are_leaves: NDArray[np.bool_]
    """shape (B, 2): which of the two."""
    codes: Doubles
    """shape (C,): the codes of all nodes that ask them, node by node."""
    code_starts: Ints
    """shape (nodes that ask codes,): where each one's codes begin."""
    leaves: Doubles
    """shape (L,): what each adds to the score."""
    bias: float
    """Added once."""

    def goes_left(self, vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Of N rows of F columns, at each node: shape (N, B)."""
        asked = vectors.astype(np.float64)[:, self.features]
        left = np.where(np.isnan(asked), self.missing_left, asked <= self.splits)
        if len(self.code_starts):
            nodes = np.flatnonzero(self.asks_codes)
            sizes = np.diff(np.append(self.code_starts, len(self.codes)))
            is_code = np.repeat(np.trunc(asked[:, nodes]), sizes, axis=1) == self.codes
            left[:, nodes] = np.logical_or.reduceat(is_code, self.code_starts, axis=1)
        return left


def read_trees(onnx: bytes) -> ServedTrees:
    """Read a file that `eddyline_learning.onnx_export` has written.

    Raises
    ------
    NoTrees
        If it is another model.
    """
    try:
        return _read(memoryview(onnx))
    except NoTrees:
        raise
    # Of a damaged file lists do not fit together, names are no text, numbers are too large.
    except (ValueError, KeyError, IndexError, OverflowError) as error:
        raise NoTrees(f"the model's trees cannot be read: {error}") from error


def _read(onnx: memoryview) -> ServedTrees:
    ensembles: list[memoryview] = []
    bias = 0.0
    for graph in _inner(onnx, _GRAPH):
        ensembles += [
            node for node in _inner(graph, _NODE) if _ENSEMBLE in map(bytes, _inner(node, _OP_TYPE))
        ]
        for initializer in _inner(graph, _INITIALIZER):
            name, values = _tensor(initializer)
            if name == "bias":
                bias = float(values[0])
    if len(ensembles) != 1:
        raise NoTrees(f"the model has {len(ensembles)} ensembles of trees, and one is expected")
    told = dict(_attribute(attribute) for attribute in _inner(ensembles[0], _ATTRIBUTE))
    modes = told["nodes_modes"]
    if not np.isin(modes, (_LEQ, _MEMBER)).all():
        raise NoTrees("the model's trees ask in a way that Eddyline's do not")
    # Each node's codes end with NaN.
    codes = told.get("membership_values", np.empty(0))
    ends = np.flatnonzero(np.isnan(codes))
    starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
    return ServedTrees(
        roots=told["tree_roots"],
        features=told["nodes_featureids"],
        splits=told["nodes_splits"],
        asks_codes=modes == _MEMBER,
        missing_left=told["nodes_missing_value_tracks_true"].astype(np.bool_),
        children=np.stack([told["nodes_truenodeids"], told["nodes_falsenodeids"]], axis=1),
        are_leaves=np.stack([told["nodes_trueleafs"], told["nodes_falseleafs"]], axis=1).astype(np.bool_),
        # The ends are taken out, so each start moves down by those before it.
        codes=codes[~np.isnan(codes)],
        code_starts=(starts - np.arange(len(starts))).astype(np.int64),
        leaves=told["leaf_weights"],
        bias=bias,
    )


def _inner(message: memoryview, number: int) -> list[memoryview]:
    return [value for found, value in members(message) if found == number and isinstance(value, memoryview)]


def _attribute(message: memoryview) -> tuple[str, NDArray[Any]]:
    """Name and value: a list of whole numbers, or a tensor."""
    name, ints = "", []
    tensor: NDArray[Any] | None = None
    for number, value in members(message):
        if number == _ATTRIBUTE_NAME and isinstance(value, memoryview):
            name = str(value, "utf-8")
        elif number == _ATTRIBUTE_TENSOR and isinstance(value, memoryview):
            tensor = _tensor(value)[1]
        elif number == _ATTRIBUTE_INTS:
            ints += [value] if isinstance(value, int) else list(varints(value))
    return name, np.array(ints, np.int64) if tensor is None else tensor


def _tensor(message: memoryview) -> tuple[str, NDArray[Any]]:
    name, data_type, raw = "", 0, b""
    for number, value in members(message):
        if number == _TENSOR_NAME and isinstance(value, memoryview):
            name = str(value, "utf-8")
        elif number == _TENSOR_TYPE and isinstance(value, int):
            data_type = value
        elif number == _TENSOR_RAW and isinstance(value, memoryview):
            raw = bytes(value)
    if data_type not in _DTYPES:
        raise NoTrees(f"the model holds numbers of type {data_type}, which Eddyline does not write")
    return name, np.frombuffer(raw, _DTYPES[data_type])
