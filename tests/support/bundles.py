"""Bundles for tests: a small ONNX graph that scores like no other, and the trainer's way of making it the champion."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
import numpy as np
import onnxruntime
from nats.aio.client import Client
from nats.js import api
from nats.js.errors import NotFoundError
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from eddyline_contracts.bundle import Bundle, Champion, encode_bundle, model_name
from eddyline_contracts.subjects import BUNDLES_BUCKET, CHAMPION_KEY, MODELS_BUCKET


def linear_onnx(n_features: int, seed: int) -> bytes:
    """(N, F) float32 → (N,) float64: a weighted sum that takes NaN as 0; another seed is another model."""
    weights = np.random.default_rng(seed).normal(size=(n_features, 1))
    nodes = [
        helper.make_node("Cast", ["vectors"], ["wide"], to=TensorProto.DOUBLE),
        helper.make_node("IsNaN", ["wide"], ["unknown"]),
        helper.make_node("Where", ["unknown", "zero", "wide"], ["known"]),
        helper.make_node("MatMul", ["known", "weights"], ["column"]),
        helper.make_node("Reshape", ["column", "flat"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["N", n_features])],
        [helper.make_tensor_value_info("scores", TensorProto.DOUBLE, ["N"])],
        [
            numpy_helper.from_array(np.array(0.0), "zero"),
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array([-1]), "flat"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx: bytes = model.SerializeToString(deterministic=True)
    return onnx


def a_bundle(
    view: str,
    columns: Sequence[str],
    *,
    seed: int = 0,
    onnx: bytes | None = None,
    priors: dict[str, float] | None = None,
) -> Bundle:
    """A bundle of this view; ``priors`` by item, 0.5 for all others."""
    onnx = linear_onnx(len(columns), seed) if onnx is None else onnx
    priors = priors or {}
    return Bundle(
        model=model_name(onnx),
        view=view,
        features=list(columns),
        objective="rank",
        onnx=onnx,
        prior_items=list(priors),
        prior_scores=np.array(list(priors.values()), "<f4").tobytes(),
        prior_default=0.5,
        first_sequence=1,
        last_sequence=2,
        n_slates=1,
        n_examples=2,
    )


def scores_by(bundle: Bundle, vectors: NDArray[np.float32]) -> list[float]:
    """What a bundle's model gives for these vectors, computed apart from the ranker."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(bundle.onnx, options, providers=["CPUExecutionProvider"])
    (scores,) = session.run(None, {"vectors": vectors})
    told: list[float] = scores.tolist()
    return told


async def put_bundle(client: Client, bundle: Bundle, *, raw: bytes | None = None) -> None:
    """Store a bundle, or other bytes under its name."""
    js = client.jetstream()
    try:
        store = await js.object_store(BUNDLES_BUCKET)
    except NotFoundError:
        store = await js.create_object_store(BUNDLES_BUCKET)
    await store.put(bundle.model, encode_bundle(bundle) if raw is None else raw)


async def crown(client: Client, bundle: Bundle) -> None:
    """Point the champion key at a bundle."""
    js = client.jetstream()
    try:
        models = await js.key_value(MODELS_BUCKET)
    except NotFoundError:
        models = await js.create_key_value(api.KeyValueConfig(bucket=MODELS_BUCKET))
    champion = Champion(
        model=bundle.model, view=bundle.view, promoted_at=int(time.time() * 1000), last_sequence=2
    )
    await models.put(CHAMPION_KEY, msgspec.json.encode(champion))


async def promote(client: Client, bundle: Bundle) -> None:
    """Store a bundle and make it the champion, as the trainer does."""
    await put_bundle(client, bundle)
    await crown(client, bundle)
