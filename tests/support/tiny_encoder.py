"""A sentence encoder of a few hundred bytes: a table with a vector for each word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

WORDS = {"red": (1.0, 0.0, 0.0), "socks": (0.0, 1.0, 0.0), "lamp": (0.0, 0.0, 1.0)}
"""All that it knows; other words are `[UNK]`, whose vector is 0."""


def tiny_encoder(
    folder: Path,
    *,
    words: dict[str, tuple[float, ...]] = WORDS,
    pools: bool = False,
    as_one: bool = False,
    apart: bool = False,
) -> Path:
    """Write ``model.onnx`` and ``tokenizer.json``.

    ``pools``: the model gives one vector a text, the sum; ``as_one``: one number a word, as no encoder does; ``apart``:
    its weights lie in ``model.weights``.
    """
    dims = len(next(iter(words.values())))
    table = np.array([(0.0,) * dims, *words.values()], np.float32)
    tokenizer = Tokenizer(
        WordLevel({"[UNK]": 0, **{word: n for n, word in enumerate(words, 1)}}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = Whitespace()
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    shape = ["texts", "tokens"]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, shape)
        for name in ("input_ids", "attention_mask")
    ]
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["hidden"])]
    out, of = "hidden", [*shape, dims]
    initializers = [numpy_helper.from_array(table, "table")]
    if pools:
        nodes.append(helper.make_node("ReduceSum", ["hidden", "axes"], ["pooled"], keepdims=0))
        initializers.append(numpy_helper.from_array(np.array([1], np.int64), "axes"))
        out, of = "pooled", ["texts", dims]
    if as_one:
        nodes.append(helper.make_node("ReduceSum", ["hidden", "axes"], ["all"], keepdims=0))
        initializers.append(numpy_helper.from_array(np.array([0, 1, 2], np.int64), "axes"))
        out, of = "all", []
    graph = helper.make_graph(
        nodes, "tiny", inputs, [helper.make_tensor_value_info(out, TensorProto.FLOAT, of)], initializers
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    beside = (
        {"save_as_external_data": True, "location": "model.weights", "size_threshold": 0} if apart else {}
    )
    onnx.save_model(model, str(folder / "model.onnx"), **beside)
    return folder
