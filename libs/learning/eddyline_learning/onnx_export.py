"""A booster as an ONNX graph of our own that gives its raw scores bit for bit.

One `ai.onnx.ml` 5 `TreeEnsemble` with double thresholds and leaves; vectors come in as float32 and are widened in the
graph. The same booster gives the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

_LEQ, _MEMBER = 0, 6
_SUM, _NO_TRANSFORM = 1, 0
_CLAMPED = 1e300
"""LightGBM writes an infinite threshold into its dump as ±1e300, but predicts with infinity."""
_ZERO = float(np.float32(1e-35))
"""LightGBM reads values up to this size, of either sign, as 0."""

INPUT, OUTPUT = "vectors", "scores"


class ExportError(ValueError):
    """The booster uses something that has no exact form here."""


def to_onnx(
    booster: lgb.Booster,
    n_features: int,
    bias: float = 0.0,
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    """As `export`, the graph alone."""
    return export(booster, n_features, bias, metadata)[0]


def export(
    booster: lgb.Booster,
    n_features: int,
    bias: float = 0.0,
    metadata: Mapping[str, str] | None = None,
) -> tuple[bytes, NDArray[np.int32]]:
    """Write a booster as ONNX: ``vectors`` (N, F) float32 → ``scores`` (N,) float64, raw.

    Beside it: of each of its L leaves, in the order of the graph, how many training rows came there, shape (L,), for
    whoever wants to explain a score. They are no part of the graph, and so none of the model's name.

    ``metadata`` is kept in the model's properties and so part of its bytes, and of its name.

    Raises
    ------
    ExportError
        For boosters with linear trees, zero as missing, averaged output, or several classes.
    """
    dump = booster.dump_model()
    _refuse_the_inexact(booster, dump)
    trees = _Trees()
    for tree in dump["tree_info"]:
        trees.add(tree["tree_structure"])
    nodes = [helper.make_node("Cast", [INPUT], ["wide"], to=TensorProto.DOUBLE)]
    constants: list[TensorProto] = []
    rows = "wide"
    if trees.categorical:
        rows = "coded"
        nodes += _codes_cut_to_whole_numbers(constants, sorted(trees.categorical), n_features)
    nodes.append(trees.node(rows, "summed"))
    constants.append(_constant("flat", [-1], np.int64))
    nodes.append(helper.make_node("Reshape", ["summed", "flat"], ["trees" if bias else OUTPUT]))
    if bias:
        constants.append(_constant("bias", [bias], np.float64))
        nodes.append(helper.make_node("Add", ["trees", "bias"], [OUTPUT]))
    model = _model(nodes, constants, n_features)
    helper.set_model_props(model, dict(metadata or {}))
    onnx: bytes = model.SerializeToString(deterministic=True)
    return onnx, np.array(trees.covers, np.int32)


def _refuse_the_inexact(booster: lgb.Booster, dump: dict[str, Any]) -> None:
    if dump.get("average_output"):
        raise ExportError("random forests average their trees: train with boosting=gbdt")
    if dump["num_tree_per_iteration"] != 1:
        raise ExportError("a booster of several classes gives no single score")
    if "[linear_tree: 1]" in booster.model_to_string(num_iteration=1):
        raise ExportError("linear trees have no exact form: train with linear_tree=false")


def _model(nodes: list[NodeProto], constants: list[TensorProto], n_features: int) -> ModelProto:
    graph = helper.make_graph(
        nodes,
        "booster",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", n_features])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.DOUBLE, ["N"])],
        constants,
    )
    # Versions are written out: a newer onnx package must not change the bytes, and with them the model's name.
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 5)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="eddyline")
    checker.check_model(model)
    return model


def _constant(name: str, values: Sequence[float] | Sequence[bool], dtype: type[np.generic]) -> TensorProto:
    return numpy_helper.from_array(np.array(values, dtype), name)


def _codes_cut_to_whole_numbers(
    constants: list[TensorProto], categorical: list[int], n_features: int
) -> list[NodeProto]:
    """LightGBM cuts a category to a whole number towards zero before it looks it up; a set in ONNX does not."""
    is_code = np.zeros(n_features, bool)
    is_code[categorical] = True
    constants += [_constant("is_code", is_code.tolist(), np.bool_), _constant("zero", [0.0], np.float64)]
    return [
        helper.make_node("Less", ["wide", "zero"], ["negative"]),
        helper.make_node("Ceil", ["wide"], ["ceiling"]),
        helper.make_node("Floor", ["wide"], ["floor"]),
        helper.make_node("Where", ["negative", "ceiling", "floor"], ["whole"]),
        helper.make_node("Where", ["is_code", "whole", "wide"], ["coded"]),
    ]


@dataclass
class _Trees:
    """The parallel lists that describe all nodes and leaves of the ensemble."""

    categorical: set[int] = field(default_factory=set)
    roots: list[int] = field(default_factory=list)
    features: list[int] = field(default_factory=list)
    modes: list[int] = field(default_factory=list)
    splits: list[float] = field(default_factory=list)
    missing_left: list[int] = field(default_factory=list)
    children: dict[str, list[int]] = field(default_factory=lambda: {"left": [], "right": []})
    are_leaves: dict[str, list[int]] = field(default_factory=lambda: {"left": [], "right": []})
    members: list[float] = field(default_factory=list)
    leaves: list[float] = field(default_factory=list)
    covers: list[int] = field(default_factory=list)
    """Training rows of each leaf; a tree of one leaf does not tell."""

    def add(self, root: dict[str, Any]) -> None:
        """Add a tree."""
        self.roots.append(len(self.features))
        if "leaf_value" in root:
            # A tree of one leaf: a node whose branches both lead there.
            index = self._new_node(0, _LEQ, 0.0, missing_left=False)
            leaf = self._new_leaf(root)
            for side in ("left", "right"):
                self.children[side][index], self.are_leaves[side][index] = leaf, 1
            return
        stack: list[tuple[dict[str, Any], int, str]] = []
        self._add_split(root, stack)
        while stack:
            node, parent, side = stack.pop()
            if "leaf_value" in node:
                self.children[side][parent], self.are_leaves[side][parent] = self._new_leaf(node), 1
            else:
                self.children[side][parent] = self._add_split(node, stack)

    def _add_split(self, node: dict[str, Any], stack: list[tuple[dict[str, Any], int, str]]) -> int:
        feature = node["split_feature"]
        if node["decision_type"] == "==":
            # NaN, negative and unseen codes are in no set: they go right, as LightGBM sends them.
            self.categorical.add(feature)
            self.members += [float(code) for code in node["threshold"].split("||")]
            self.members.append(math.nan)
            index = self._new_node(feature, _MEMBER, 0.0, missing_left=False)
        else:
            threshold = _threshold(node["threshold"])
            if node["missing_type"] == "Zero":
                raise ExportError("zero as missing has no exact form: train with zero_as_missing=false")
            # Without missing values in training, LightGBM reads NaN as 0.
            left = node["default_left"] if node["missing_type"] == "NaN" else threshold >= 0.0
            index = self._new_node(feature, _LEQ, _around_zero(threshold), missing_left=left)
        stack.append((node["right_child"], index, "right"))
        stack.append((node["left_child"], index, "left"))
        return index

    def _new_node(self, feature: int, mode: int, split: float, *, missing_left: bool) -> int:
        self.features.append(feature)
        self.modes.append(mode)
        self.splits.append(split)
        self.missing_left.append(int(missing_left))
        for side in ("left", "right"):
            self.children[side].append(0)
            self.are_leaves[side].append(0)
        return len(self.features) - 1

    def _new_leaf(self, node: dict[str, Any]) -> int:
        self.leaves.append(float(node["leaf_value"]))
        self.covers.append(int(node.get("leaf_count", 0)))
        return len(self.leaves) - 1

    def node(self, rows: str, output: str) -> NodeProto:
        """The operator."""
        attributes: dict[str, Any] = {
            "n_targets": 1,
            "aggregate_function": _SUM,
            "post_transform": _NO_TRANSFORM,
            "tree_roots": self.roots,
            "nodes_featureids": self.features,
            "nodes_modes": _constant("modes", self.modes, np.uint8),
            "nodes_splits": _constant("splits", self.splits, np.float64),
            "nodes_missing_value_tracks_true": self.missing_left,
            "nodes_truenodeids": self.children["left"],
            "nodes_trueleafs": self.are_leaves["left"],
            "nodes_falsenodeids": self.children["right"],
            "nodes_falseleafs": self.are_leaves["right"],
            "leaf_targetids": [0] * len(self.leaves),
            "leaf_weights": _constant("weights", self.leaves, np.float64),
        }
        if self.members:
            attributes["membership_values"] = _constant("members", self.members, np.float64)
        return helper.make_node("TreeEnsemble", [rows], [output], domain="ai.onnx.ml", **attributes)


def _threshold(told: float) -> float:
    return math.copysign(math.inf, told) if abs(told) >= _CLAMPED else told


def _around_zero(threshold: float) -> float:
    """The threshold that decides on a value as ``threshold`` does on the same value with tiny ones read as 0."""
    if 0.0 <= threshold < _ZERO:
        return _ZERO
    if -_ZERO <= threshold < 0.0:
        return math.nextafter(-_ZERO, -math.inf)
    return threshold
