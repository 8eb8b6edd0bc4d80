from __future__ import annotations

import time
from importlib.metadata import version

import aiohttp
import msgspec
import pytest
from aiohttp import web

from eddyline_contracts.api import Health, RankRequest, Slate
from eddyline_contracts.limits import TooManyItems
from eddyline_runtime.health import Readiness
from eddyline_runtime.openapi import Api, Operation
from eddyline_runtime.problems import Conflict, NotFound, Unavailable
from eddyline_runtime.web_app import make_app, serving

OPERATIONS = [
    Operation(
        method="post",
        path="/v1/rank",
        summary="Order items",
        request=RankRequest,
        response=Slate,
        errors={422: "the request cannot be taken"},
        example={"user": "u1", "items": ["i1"]},
    )
]
API = Api(title="Test", description="A service", default_port=7440, operations=OPERATIONS)


def an_app(readiness: Readiness, fault: Exception | None = None) -> web.Application:
    app = make_app(API, readiness=readiness)

    async def fail(request: web.Request) -> web.Response:
        msgspec.json.decode(await request.read(), type=RankRequest)
        assert fault is not None
        raise fault

    app.router.add_post("/v1/rank", fail)
    return app


async def test_ready_names_what_it_waits_for() -> None:
    readiness = Readiness("bus", "log")
    readiness.set("bus")
    async with serving(an_app(readiness), "127.0.0.1", 0) as url, aiohttp.ClientSession(url) as client:
        async with client.get("/health/ready") as answer:
            assert answer.status == 503
            assert (await answer.json())["waiting_for"] == ["log"]
        readiness.set("log")
        async with client.get("/health/ready") as answer:
            assert answer.status == 200
        async with client.get("/health/live") as answer:
            assert answer.status == 200


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (TooManyItems("split it"), 422, "too_many_items"),
        (NotFound("no such item"), 404, "not_found"),
        (Conflict("other body"), 409, "conflict"),
        (Unavailable("the bus is down", retry_after_s=2), 503, "unavailable"),
        (RuntimeError("a bug"), 500, "internal"),
    ],
)
async def test_exceptions_become_problems(fault: Exception, status: int, code: str) -> None:
    async with (
        serving(an_app(Readiness(), fault), "127.0.0.1", 0) as url,
        aiohttp.ClientSession(url) as client,
    ):
        async with client.post("/v1/rank", json={"items": ["a"]}) as answer:
            assert answer.status == status
            assert answer.content_type == "application/problem+json"
            told = await answer.json(content_type=None)
            assert (told["status"], told["code"]) == (status, code)
            if status == 503:
                assert answer.headers["Retry-After"] == "2"
            if status == 500:
                assert "a bug" not in told["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"\xff", 400), (b"[" * 100_000, 422), (b'{"items": 3}', 422), (b"{}", 422)],
)
async def test_bad_bodies_are_problems_that_say_where(body: bytes, status: int) -> None:
    app = an_app(Readiness(), RuntimeError())
    async with serving(app, "127.0.0.1", 0) as url, aiohttp.ClientSession(url) as client:
        async with client.post("/v1/rank", data=body) as answer:
            assert answer.status == status
            assert (await answer.json(content_type=None))["detail"]


async def test_unknown_paths_and_methods_are_problems_too() -> None:
    async with serving(an_app(Readiness()), "127.0.0.1", 0) as url, aiohttp.ClientSession(url) as client:
        async with client.get("/nowhere") as answer:
            assert (answer.status, answer.content_type) == (404, "application/problem+json")
        async with client.get("/v1/rank") as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "POST")


async def test_the_openapi_document_is_made_of_the_types_that_validate() -> None:
    async with serving(an_app(Readiness()), "127.0.0.1", 0) as url, aiohttp.ClientSession(url) as client:
        async with client.get("/openapi.json") as answer:
            document = await answer.json()
    assert document["openapi"].startswith("3.1")
    body = document["paths"]["/v1/rank"]["post"]["requestBody"]["content"]["application/json"]
    assert body["example"] == {"user": "u1", "items": ["i1"]}
    assert document["components"]["schemas"]["RankRequest"]["properties"]["items"]["maxItems"] == 1000
    assert {"/health/live", "/health/ready", "/metrics", "/openapi.json"} <= document["paths"].keys()


async def test_what_is_not_ready_answers_as_its_document_says() -> None:
    async with serving(an_app(Readiness("bus")), "127.0.0.1", 0) as url, aiohttp.ClientSession(url) as client:
        async with client.get("/openapi.json") as answer:
            told = (await answer.json())["paths"]["/health/ready"]["get"]["responses"]["503"]
        async with client.get("/health/ready") as answer:
            assert answer.status == 503
            assert answer.content_type in told["content"]
            assert msgspec.json.decode(await answer.read(), type=Health).waiting_for == ["bus"]
    assert told["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Health"}


async def test_who_asks_the_wrong_service_or_path_is_told_where_to_look() -> None:
    async with serving(an_app(Readiness()), "127.0.0.1", 0) as url, aiohttp.ClientSession(url) as client:
        for method, path, said in [
            ("POST", "/v1/events", "ingest (port 7441) serves it"),
            ("GET", "/v1/items/i1", "the feature-store (port 7442) serves it"),
            ("GET", "/v1/recommend:batch", "the ranker (port 7440) serves it"),
            ("GET", "/v1/recommend/u1", "takes who it is for in its body"),
            ("GET", "/api/recommend/u1", "takes who it is for in its body"),
            ("POST", "/recommend/trending", "GET /v1/trending"),
            ("GET", "/nowhere", "no /nowhere here: GET /docs shows what there is"),
            ("GET", "/v1/rank", "/v1/rank does not take GET, but POST: GET /docs shows how"),
        ]:
            async with client.request(method, path) as answer:
                assert said in (await answer.json(content_type=None))["detail"]


async def test_ready_tells_version_and_clock() -> None:
    async with serving(an_app(Readiness()), "127.0.0.1", 0) as url, aiohttp.ClientSession(url) as client:
        before = time.time_ns() // 1_000_000
        async with client.get("/health/ready") as answer:
            told = await answer.json()
    assert before <= told["now"] <= time.time_ns() // 1_000_000
    assert told["version"] == version("eddyline")
