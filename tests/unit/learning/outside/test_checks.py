"""A model from outside is refused for each thing that would go wrong with it later, and told what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from eddyline_learning.outside.graph import check_graph
from eddyline_learning.outside.operators import ALLOWED, REMEDIES
from eddyline_learning.outside.trial import try_out
from eddyline_learning.outside.unfit import UnfitModel
from tests.support.outside_models import a_model, a_network, as_bytes, known

F = 6
COLUMNS = [f"c{n}" for n in range(F)]
ROWS = np.random.default_rng(1).normal(size=(300, F)).astype(np.float32)
ROWS[::7, 2] = np.nan
WEIGHTS = np.arange(F, dtype=np.float32)


def network(**changes: Any) -> ModelProto:
    nodes, constants = known(F)
    nodes.append(helper.make_node("MatMul", ["known", "w"], ["y"]))
    return a_model(nodes, {**constants, "w": WEIGHTS[:, None]}, F, **changes)


def with_nodes(*extra: Any, **constants: Any) -> ModelProto:
    """From ``known`` to ``y`` by these nodes."""
    nodes, weights = known(F)
    return a_model([*nodes, *extra], {**weights, **constants}, F)


def refused(onnx: bytes, **told: Any) -> str:
    with pytest.raises(UnfitModel) as error:
        try_out(onnx, COLUMNS, told.get("rows", ROWS), at_most_us=told.get("at_most_us", 50_000))
    return str(error.value)


@pytest.mark.parametrize("rows", [ROWS, ROWS[:0], ROWS[:1]])
def test_a_small_network_is_taken_whatever_examples_there_are(rows: Any) -> None:
    tried = try_out(as_bytes(a_network(WEIGHTS)), COLUMNS, rows, at_most_us=50_000)
    assert (tried.n_rows, tried.opset, tried.producer) == (len(rows), 21, "a test")
    assert tried.p50_us < 50_000


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (TensorProto.FLOAT, ["N", 1]),
        (TensorProto.DOUBLE, ["N"]),
        (TensorProto.DOUBLE, None),
    ],
)
def test_scores_may_be_a_list_or_a_column_of_either_width(kind: int, shape: Any) -> None:
    nodes, constants = known(F)
    nodes += [
        helper.make_node("Cast", ["known"], ["cast"], to=kind),
        helper.make_node("MatMul", ["cast", "w"], ["y"]),
    ]
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    w = WEIGHTS.astype(dtype) if shape == ["N"] else WEIGHTS.astype(dtype)[:, None]
    model = a_model(nodes, {**constants, "w": w}, F, output_type=kind, output_shape=shape)
    assert try_out(as_bytes(model), COLUMNS, ROWS, at_most_us=50_000).p50_us >= 0


def trees() -> ModelProto:
    """A stump: column 0 at most 0 gives 1, more gives 2."""
    node = helper.make_node(
        "TreeEnsembleRegressor",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        n_targets=1,
        nodes_treeids=[0, 0, 0],
        nodes_nodeids=[0, 1, 2],
        nodes_featureids=[0, 0, 0],
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"],
        nodes_values=[0.0, 0.0, 0.0],
        nodes_truenodeids=[1, 0, 0],
        nodes_falsenodeids=[2, 0, 0],
        nodes_missing_value_tracks_true=[0, 0, 0],
        target_treeids=[0, 0],
        target_nodeids=[1, 2],
        target_ids=[0, 0],
        target_weights=[1.0, 2.0],
    )
    return a_model([node], {}, F)


def test_trees_by_other_exporters_are_taken() -> None:
    model = trees()
    del model.opset_import[:]
    model.opset_import.extend([helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 3)])
    assert try_out(as_bytes(model), COLUMNS, ROWS, at_most_us=50_000).opset == 15


@pytest.mark.parametrize("raw", [b"", b"\x00\xff not a model", b'{"type":"item"}', b"\x08\x0a"])
def test_what_is_no_onnx_file_is_refused(raw: bytes) -> None:
    assert "no ONNX file" in refused(raw)


def renamed_input(model: ModelProto, n: int) -> ModelProto:
    for at in range(n):
        model.graph.input.append(helper.make_tensor_value_info(f"more{at}", TensorProto.FLOAT, ["N", 1]))
    return model


def second_output(model: ModelProto) -> ModelProto:
    model.graph.output.append(helper.make_tensor_value_info("known", TensorProto.FLOAT, ["N", F]))
    return model


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (lambda: renamed_input(network(), 7), "8 inputs (more0, more1, more2, more3, more4, …)"),
        (lambda: second_output(network()), "2 outputs"),
        (lambda: network(rows=32), "takes 32 rows at a time"),
        (lambda: network(input_type=TensorProto.DOUBLE), "input is of double"),
        (lambda: network(output_type=TensorProto.INT64), "output is of int64"),
        (lambda: network(output_shape=["N", 2]), "shape (N, 2)"),
        (lambda: network(output_shape=["N", 1, 1]), "shape (N, 1, 1)"),
        (lambda: network(output_shape=[]), "shape ()"),
    ],
)
def test_another_signature_is_refused(model: Callable[[], ModelProto], says: str) -> None:
    told = refused(as_bytes(model()))
    assert says in told
    assert "expected" in told


def test_a_model_for_other_columns_is_told_where_to_find_those_in_use() -> None:
    with pytest.raises(
        UnfitModel, match=r"takes 6 columns, and the view in use has 3.*eddyline models columns"
    ):
        check_graph(as_bytes(network()), COLUMNS[:3])
    model = network()
    model.graph.input[0].type.tensor_type.shape.dim[1].ClearField("dim_value")
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "columns"
    with pytest.raises(UnfitModel, match="an unknown number of columns"):
        check_graph(as_bytes(model), COLUMNS)


def a_branch() -> ModelProto:
    def graph(name: str, op: str) -> Any:
        made = helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", F])
        return helper.make_graph([helper.make_node(op, ["known"], [name])], name, [], [made])

    node = helper.make_node(
        "If", ["yes"], ["chosen"], then_branch=graph("a", "Abs"), else_branch=graph("b", "Neg")
    )
    return with_nodes(node, yes=np.array(True))


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (a_branch, "If is not taken: export it without branches"),
        (
            lambda: with_nodes(helper.make_node("RandomNormalLike", ["known"], ["y"])),
            "RandomNormalLike is not taken",
        ),
        (lambda: with_nodes(helper.make_node("Dropout", ["known"], ["y"])), r"`model.eval()`"),
        (
            lambda: with_nodes(helper.make_node("FusedMatMul", ["known"], ["y"], domain="com.microsoft")),
            "of the domain 'com.microsoft'",
        ),
        (lambda: with_nodes(helper.make_node("ZipMap", ["known"], ["y"], domain="ai.onnx.ml")), "zipmap"),
    ],
)
def test_operators_beyond_arithmetic_layers_and_trees_are_refused(
    model: Callable[[], ModelProto], says: str
) -> None:
    assert says in refused(as_bytes(model()))


def test_a_graph_hidden_in_an_operator_that_is_taken_is_found() -> None:
    model = network()
    hidden = helper.make_graph([], "hidden", [], [])
    model.graph.node[-1].attribute.append(helper.make_attribute("body", hidden))
    assert "holds a graph of its own" in refused(as_bytes(model))


def test_operators_of_the_files_own_are_refused() -> None:
    model = network()
    made = helper.make_function(
        "mine",
        "Twice",
        ["a"],
        ["b"],
        [helper.make_node("Add", ["a", "a"], ["b"])],
        [helper.make_opsetid("", 21)],
    )
    model.functions.append(made)
    assert "operators of its own (Twice)" in refused(as_bytes(model))


def test_a_graph_for_training_is_refused() -> None:
    model = network()
    model.training_info.add()
    assert "for training" in refused(as_bytes(model))


def test_weights_in_another_file_are_refused_wherever_they_stand() -> None:
    def outside(tensor: TensorProto) -> None:
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="../../etc/passwd")

    by_name = network()
    outside(by_name.graph.initializer[0])
    constant = numpy_helper.from_array(WEIGHTS[:, None], "hidden")
    outside(constant)
    of_a_node = with_nodes(
        helper.make_node("Constant", [], ["w"], value=constant),
        helper.make_node("MatMul", ["known", "w"], ["y"]),
    )
    for model in (by_name, of_a_node):
        assert "in another file" in refused(as_bytes(model))


def test_what_the_runtime_cannot_load_is_refused_with_its_reason() -> None:
    assert "cannot load it" in refused(as_bytes(network(opset=9_999)))
    nodes, constants = known(F)
    nodes.append(helper.make_node("MatMul", ["known", "nowhere"], ["y"]))
    assert "cannot load it" in refused(as_bytes(a_model(nodes, constants, F)))


def test_a_model_that_does_not_know_what_to_do_with_the_unknown_is_refused() -> None:
    plain = a_model([helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": WEIGHTS[:, None]}, F)
    told = refused(as_bytes(plain))
    assert "no finite numbers" in told
    assert "IsNaN" in told
    # Rows that happen to be complete do not hide it.
    assert "unknown (NaN)" in refused(as_bytes(plain), rows=np.nan_to_num(ROWS))


def test_a_model_that_overflows_is_refused() -> None:
    nodes, constants = known(F)
    nodes = [
        *nodes[:-1],
        helper.make_node("MatMul", ["filled", "w"], ["sum"]),
        helper.make_node("Exp", ["sum"], ["y"]),
    ]
    model = a_model(nodes, {**constants, "w": WEIGHTS[:, None]}, F)
    assert "every column is 1e+12" in refused(as_bytes(model))


@pytest.mark.parametrize("axis", [0, 1])
def test_only_what_is_normalised_over_the_rows_of_a_slate_is_refused(axis: int) -> None:
    model = with_nodes(
        helper.make_node("Softmax", ["known"], ["shares"], axis=axis),
        helper.make_node("MatMul", ["shares", "w"], ["y"]),
        w=WEIGHTS[:, None],
    )
    if axis == 0:
        assert "depends on the other rows" in refused(as_bytes(model))
    else:
        try_out(as_bytes(model), COLUMNS, ROWS, at_most_us=50_000)


def test_more_or_fewer_scores_than_rows_are_refused() -> None:
    model = with_nodes(helper.make_node("ReduceSum", ["known"], ["y"], keepdims=0))
    model.graph.output[0].type.tensor_type.ClearField("shape")
    assert "output of shape ()" in refused(as_bytes(model))


def test_a_slow_model_is_refused_with_the_time_it_took() -> None:
    told = refused(as_bytes(a_network(WEIGHTS, hidden=512)), at_most_us=1)
    assert "ms of one core" in told
    assert "EDDYLINE_ADDED_MODEL_US" in told


def test_remedies_are_for_operators_that_are_not_taken() -> None:
    assert not set(REMEDIES) & set().union(*ALLOWED.values())


def test_the_page_lists_the_operators_that_are_taken() -> None:
    page = (Path(__file__).parents[4] / "docs" / "outside-models.md").read_text()
    _, _, listed = page.partition("<!-- operators")
    listed = listed.partition("-->")[2].partition("## ")[0]
    for domain, names in ALLOWED.items():
        told = listed.partition(f"`{domain or 'ai.onnx'}`:")[2].partition("\n- ")[0]
        assert {name.strip() for name in told.split(",")} == names


def test_every_operator_that_is_taken_is_one() -> None:
    from onnx import defs

    for domain, names in ALLOWED.items():
        assert names <= {schema.name for schema in defs.get_all_schemas() if schema.domain == domain}
