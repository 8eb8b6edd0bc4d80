"""Models that were made elsewhere: small ones, written by hand with `onnx.helper`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper


def a_model(
    nodes: Sequence[NodeProto],
    weights: dict[str, NDArray[Any]],
    n_columns: int,
    *,
    rows: Any = "N",
    input_type: int = TensorProto.FLOAT,
    output_type: int = TensorProto.FLOAT,
    output_shape: Sequence[Any] | None = ("N", 1),
    opset: int = 21,
) -> ModelProto:
    """A graph from ``x`` (N, F) to ``y``."""
    graph = helper.make_graph(
        list(nodes),
        "made elsewhere",
        [helper.make_tensor_value_info("x", input_type, [rows, n_columns])],
        [helper.make_tensor_value_info("y", output_type, output_shape)],
        [numpy_helper.from_array(values, name) for name, values in weights.items()],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 5)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="a test")


def known(n_columns: int) -> tuple[list[NodeProto], dict[str, NDArray[Any]]]:
    """Nodes from ``x`` to ``known``: 0 in place of what is unknown, and no number beyond ±100."""
    nodes = [
        helper.make_node("IsNaN", ["x"], ["unknown"]),
        helper.make_node("Where", ["unknown", "zero", "x"], ["filled"]),
        helper.make_node("Clip", ["filled", "low", "high"], ["known"]),
    ]
    zero = np.zeros((1, n_columns), np.float32)
    return nodes, {"zero": zero, "low": np.array(-100, np.float32), "high": np.array(100, np.float32)}


def a_network(weights: NDArray[np.float32], *, hidden: int = 8, seed: int = 0) -> ModelProto:
    """A perceptron with one hidden layer whose score grows with ``x @ weights``, shape (F,)."""
    rng = np.random.default_rng(seed)
    n_columns = len(weights)
    nodes, constants = known(n_columns)
    # Each hidden unit looks at the same sum from another place; together they rise with it.
    first = np.repeat(weights[:, None].astype(np.float32), hidden, axis=1)
    nodes += [
        helper.make_node("Gemm", ["known", "w1", "b1"], ["wide"]),
        helper.make_node("Tanh", ["wide"], ["bent"]),
        helper.make_node("Gemm", ["bent", "w2", "b2"], ["y"]),
    ]
    constants |= {
        "w1": first,
        "b1": np.linspace(-2, 2, hidden).astype(np.float32),
        "w2": (0.5 + rng.random((hidden, 1))).astype(np.float32),
        "b2": np.zeros(1, np.float32),
    }
    return a_model(nodes, constants, n_columns)


def a_short_table(n_columns: int, column: int) -> ModelProto:
    """Looks a column up in a table of two: all is well until a larger number comes."""
    nodes, constants = known(n_columns)
    nodes += [
        helper.make_node("Gather", ["known", "column"], ["number"], axis=1),
        helper.make_node("Cast", ["number"], ["place"], to=TensorProto.INT64),
        helper.make_node("Gather", ["table", "place"], ["y"]),
    ]
    constants |= {"column": np.array(column, np.int64), "table": np.zeros(2, np.float32)}
    return a_model(nodes, constants, n_columns, output_shape=("N",))


def as_bytes(model: ModelProto) -> bytes:
    """The file."""
    onnx: bytes = model.SerializeToString(deterministic=True)
    return onnx


def of_another_time(n_columns: int) -> bytes:
    """What ONNX Runtime refuses to load: a graph by rules that it does not know."""
    model = a_model(
        [helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": np.ones((n_columns, 1), np.float32)}, n_columns
    )
    model.opset_import[0].version = 999
    return as_bytes(model)
