"""HTTP to the predictor and back: parse, call, encode; no decisions."""

from __future__ import annotations

from time import perf_counter

import msgspec
from aiohttp import web

from eddyline_contracts.api_predict import Predictions, PredictRequest
from eddyline_ranker import metrics
from eddyline_ranker.pairs import read_pairs
from eddyline_ranker.predicting import Predictor
from eddyline_ranker.routes import MAX_REQUEST_BYTES
from eddyline_runtime.openapi import Answer, Operation, a_problem

PREDICTOR: web.AppKey[Predictor] = web.AppKey("predictor", Predictor)

_encode = msgspec.json.Encoder().encode
_JSON = {"Content-Type": "application/json"}

OPERATIONS = [
    Operation(
        method="post",
        path="/v1/predict",
        summary="What is to be expected of these people and these items",
        description="""\
At most 1,000 pairs. Under the objective `rating` the value that the person would give, under `click` the probability
that they act on the item once it is shown, both by the model in service. Scores under `rank` only order, so there it
is what the online model expects. `by` and `unit` say of each pair which it is.

The items of one person are looked at together, as one list: only features that compare candidates can tell.
Nothing is shown, and nothing is logged.""",
        request=PredictRequest,
        response=Predictions,
        response_example={
            "predictions": [
                {"item": "i9", "user": "u1", "session": None, "value": 4.1, "unit": "value", "by": "booster"}
            ],
            "model": "98a7d1afdfe998f2873a3d6106f27846cb549cc43f5d9fdbedb3abfed47911a0",
            "view": "shop-ffa6324e",
            "features_sequence": 1099511628341,
            "degraded": [],
            "took_ms": 1.27,
        },
        example={"pairs": [{"user": "u1", "item": "i9"}]},
        errors={
            400: Answer(
                when="The body is not JSON",
                example=a_problem(
                    400, "the body is not JSON: Input data was truncated", title="Malformed request"
                ),
            ),
            413: f"The body has more than {MAX_REQUEST_BYTES:,} bytes: send fewer pairs or fields",
            422: Answer(
                when="The request cannot be taken; `detail` says why",
                example=a_problem(
                    422,
                    "`pairs[0]`: `user` or `session` is required: say of whom",
                    title="Refused",
                    code="invalid",
                ),
            ),
        },
    )
]


async def predict(http: web.Request) -> web.Response:
    """``POST /v1/predict``."""
    started = perf_counter()
    predictions = await http.app[PREDICTOR].predict(read_pairs(await http.read()))
    took = perf_counter() - started
    metrics.PREDICT_SECONDS.observe(took)
    told = msgspec.structs.replace(predictions, took_ms=round(took * 1_000, 3))
    return web.Response(body=_encode(told), headers=_JSON)
