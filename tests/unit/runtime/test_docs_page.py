"""The page at /docs: it tells all that the document tells, needs nothing from elsewhere, and holds no one's markup."""

from __future__ import annotations

import re
import shlex
from html import unescape
from html.parser import HTMLParser

import aiohttp
import pytest
from aiohttp import web

from eddyline_contracts.api import RankRequest, Slate
from eddyline_runtime.docs_page import docs_page
from eddyline_runtime.health import Readiness
from eddyline_runtime.openapi import Api, Operation
from eddyline_runtime.openapi_document import document
from eddyline_runtime.web_app import make_app, serving

_VOID = {"meta", "br", "img", "hr", "input", "link"}
BODY = {"user": "o'brien <b>", "items": ["i1", "i2"]}
API = Api(
    title="Shop & <Co>",
    description="Orders `items`.\n\n- fast\n- **sure**",
    default_port=7440,
    tags={"ranking": "Items in, items out."},
    operations=[
        Operation(
            method="post",
            path="/v1/rank/{model}",
            summary="Order items",
            request=RankRequest,
            example=BODY,
            response=Slate,
            parameters=[
                {
                    "name": "model",
                    "in": "path",
                    "required": True,
                    "description": "Its name",
                    "schema": {"type": "string"},
                    "example": "m1",
                }
            ],
            errors={422: "the request cannot be taken"},
        )
    ],
)


class Reader(HTMLParser):
    """Checks that what is opened is closed, and remembers anchors, links and code blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.blocks: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        told = dict(attrs)
        self.ids |= {told["id"] or ""} if "id" in told else set()
        self.links |= {told["href"] or ""} if "href" in told else set()
        assert not {"src", "onclick", "onload"} & told.keys()
        if tag not in _VOID:
            self.open.append(tag)
        if tag == "pre":
            self.blocks.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "pre" in self.open:
            self.blocks[-1] += data


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


def test_it_is_well_formed_and_every_link_leads_somewhere() -> None:
    reader = read(docs_page(document(API)).at("http://localhost:7440"))
    assert {link[1:] for link in reader.links if link.startswith("#")} <= reader.ids
    assert {link for link in reader.links if not link.startswith("#")} == {"/openapi.json"}


def test_it_needs_no_script_and_no_other_host() -> None:
    text = docs_page(document(API)).at("http://localhost:7440")
    reader = read(text)
    assert not {"script", "link", "img", "iframe"} & reader.tags
    assert not re.search(r"url\(|@import", text)


def test_it_tells_of_every_operation_error_and_form() -> None:
    told = document(API)
    text = docs_page(told).at("http://localhost:7440")
    for path, methods in told["paths"].items():
        for op in methods.values():
            assert path in text
            assert f'id="{op["operationId"]}"' in text
    for name, schema in told["components"]["schemas"].items():
        assert f'id="schema-{name}"' in text
        assert all(f"<code>{member}</code>" in text for member in schema["properties"])
    assert "the request cannot be taken" in text
    assert "Shop &amp; &lt;Co&gt;" in text
    assert "<strong>sure</strong>" in text


def test_the_example_is_a_command_that_a_shell_reads_as_meant() -> None:
    reader = read(docs_page(document(API)).at("http://localhost:7440"))
    command = next(block for block in reader.blocks if "/v1/rank" in block)
    words = shlex.split(command)
    assert words[:3] == ["curl", "-s", "http://localhost:7440/v1/rank/m1"]
    assert "o'brien <b>" in words[words.index("-d") + 1]


@pytest.mark.parametrize("host", ["<script>alert(1)</script>", "x' ; rm -rf ~ #", '"><b>'])
def test_an_address_from_the_request_stays_text(host: str) -> None:
    reader = read(docs_page(document(API)).at(f"http://{host}"))
    assert "script" not in reader.tags
    words = shlex.split(next(block for block in reader.blocks if "/v1/rank" in block))
    assert words[0] == "curl"
    assert words[2].endswith("/v1/rank/m1")


async def test_it_is_served_with_the_address_that_was_asked() -> None:
    app = make_app(API, readiness=Readiness())
    async with serving(app, "127.0.0.1", 0) as url, aiohttp.ClientSession(url) as client:
        async with client.get("/docs") as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert f"curl -s '{url}/health/live'" in unescape(await answer.text())
        # A browser that opens the bare address arrives there.
        async with client.get("/") as answer:
            assert (answer.status, answer.url.path) == (200, "/docs")


async def test_who_takes_a_wrong_turn_is_told_of_it() -> None:
    app = make_app(API, readiness=Readiness())

    async def rank(_: web.Request) -> web.Response:
        return web.Response()

    app.router.add_post("/v1/rank/{model}", rank)
    async with serving(app, "127.0.0.1", 0) as url, aiohttp.ClientSession(url) as client:
        async with client.get("/v1/nothing") as answer:
            told = await answer.json(content_type=None)
            assert (answer.status, told["code"]) == (404, "not_found")
            assert "/v1/nothing" in told["detail"]
            assert "/docs" in told["detail"]
        async with client.get("/v1/rank/m1") as answer:
            told = await answer.json(content_type=None)
            assert (answer.status, told["code"], answer.headers["Allow"]) == (
                405,
                "method_not_allowed",
                "POST",
            )
            assert "GET" in told["detail"]
            assert "POST" in told["detail"]
