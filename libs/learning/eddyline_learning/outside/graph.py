"""What can be seen of an ONNX file without running it: signature, operators, and that it holds all of itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

from eddyline_learning.outside.operators import ALLOWED, DEFAULT, REMEDIES
from eddyline_learning.outside.unfit import UnfitModel

_SPELT_OUT = "ai.onnx"
_INPUTS = (TensorProto.FLOAT,)
_OUTPUTS = (TensorProto.FLOAT, TensorProto.DOUBLE)
_NAMED = 5
"""So many names are told where there are more."""


def check_graph(onnx: bytes, columns: Sequence[str]) -> ModelProto:
    """Read the file, and refuse it unless it takes these F columns and gives one score a row.

    Raises
    ------
    UnfitModel
        With what to do about it.
    """
    model = ModelProto()
    try:
        model.ParseFromString(onnx)
    except DecodeError as error:
        raise UnfitModel(f"this is no ONNX file ({error}): give the file that the exporter wrote") from error
    if not model.HasField("graph") or not model.graph.node:
        raise UnfitModel("this is no ONNX file, or an empty one: give the file that the exporter wrote")
    _check_operators(model)
    _check_that_all_is_inside(model.graph)
    _check_input(model.graph, columns)
    _check_output(model.graph)
    return model


def _check_operators(model: ModelProto) -> None:
    if model.functions:
        names = _few({function.name for function in model.functions})
        raise UnfitModel(
            f"it defines operators of its own ({names}): export it with functions inlined "
            "(`onnx.inliner.inline_local_functions`), so that it can be seen what it does"
        )
    if model.training_info:
        raise UnfitModel("it holds a graph for training: export it for inference")
    for node in model.graph.node:
        domain = DEFAULT if node.domain == _SPELT_OUT else node.domain
        if domain not in ALLOWED:
            raise UnfitModel(
                f"the operator {node.op_type} is of the domain {node.domain!r}: only operators of ai.onnx and "
                "ai.onnx.ml are taken, which every ranker has. Export it before it is optimised for one runtime"
            )
        if node.op_type not in ALLOWED[domain]:
            remedy = REMEDIES.get(node.op_type, "write it by arithmetic, layers or trees")
            raise UnfitModel(
                f"the operator {node.op_type} is not taken: {remedy}; "
                "docs/outside-models.md lists the operators that are"
            )
        if any(_holds_a_graph(attribute) for attribute in node.attribute):
            raise UnfitModel(
                f"a node {node.op_type} holds a graph of its own: export it without control flow"
            )


def _holds_a_graph(attribute: AttributeProto) -> bool:
    return attribute.HasField("g") or bool(attribute.graphs)


def _check_that_all_is_inside(graph: GraphProto) -> None:
    for tensor in _tensors(graph):
        if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
            raise UnfitModel(
                f"the weights {tensor.name or 'of a node'} are in another file: export them into the model itself "
                "(PyTorch: `external_data=False`; else load it with `onnx.load` and `onnx.save` it)"
            )


def _tensors(graph: GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield sparse.values
        yield sparse.indices
    for node in graph.node:
        yield from _tensors_of(node)


def _tensors_of(node: NodeProto) -> Iterator[TensorProto]:
    for attribute in node.attribute:
        yield attribute.t
        yield from attribute.tensors
        for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
            yield sparse.values
            yield sparse.indices


def _check_input(graph: GraphProto, columns: Sequence[str]) -> None:
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [told for told in graph.input if told.name not in weights]
    expected = f"one input (N, {len(columns)}) of float32 with N left open is expected"
    if len(inputs) != 1:
        raise UnfitModel(
            f"it has {len(inputs)} inputs ({_few(told.name for told in inputs)}): {expected}; "
            "join the columns into one, in the order of `eddyline models columns`"
        )
    (told,) = inputs
    if told.type.tensor_type.elem_type not in _INPUTS:
        raise UnfitModel(f"its input is of {_kind(told)}: {expected}; begin the model with a cast if need be")
    shape = told.type.tensor_type.shape.dim
    if len(shape) != 2:
        raise UnfitModel(f"its input has {len(shape)} dimensions: {expected}")
    if shape[0].HasField("dim_value"):
        raise UnfitModel(
            f"it takes {shape[0].dim_value} rows at a time: slates differ in length, so {expected} "
            "(PyTorch: `dynamic_axes` or `dynamic_shapes`)"
        )
    if not shape[1].HasField("dim_value") or shape[1].dim_value != len(columns):
        given = shape[1].dim_value if shape[1].HasField("dim_value") else "an unknown number of"
        raise UnfitModel(
            f"it takes {given} columns, and the view in use has {len(columns)}: {expected}; "
            "`eddyline models columns` lists them in their order"
        )


def _check_output(graph: GraphProto) -> None:
    expected = "one output (N,) or (N, 1) of float32 or float64 is expected: the score"
    if len(graph.output) != 1:
        raise UnfitModel(
            f"it has {len(graph.output)} outputs ({_few(told.name for told in graph.output)}): {expected}. "
            "Of a classifier keep the raw score of the positive class only"
        )
    (told,) = graph.output
    if told.type.tensor_type.elem_type not in _OUTPUTS:
        raise UnfitModel(f"its output is of {_kind(told)}: {expected}")
    shape = told.type.tensor_type.shape.dim
    if told.type.tensor_type.HasField("shape") and (
        len(shape) not in (1, 2)
        or (len(shape) == 2 and shape[1].HasField("dim_value") and shape[1].dim_value != 1)
    ):
        dims = ", ".join(
            str(dim.dim_value) if dim.HasField("dim_value") else dim.dim_param or "?" for dim in shape
        )
        raise UnfitModel(f"its output has the shape ({dims}): {expected}")


def _kind(told: ValueInfoProto) -> str:
    if not told.type.HasField("tensor_type"):
        return "a kind that is no tensor"
    kind = told.type.tensor_type.elem_type
    return (
        str(TensorProto.DataType.Name(kind)).lower()
        if kind in TensorProto.DataType.values()
        else "an unknown kind"
    )


def _few(names: Iterator[str] | set[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:_NAMED]) + (", …" if len(listed) > _NAMED else "")
