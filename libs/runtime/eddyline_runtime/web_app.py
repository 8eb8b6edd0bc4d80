"""The HTTP side of a service: its own routes, and those that every service has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import msgspec
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from eddyline_contracts.api import Health
from eddyline_runtime.clock import system_clock
from eddyline_runtime.docs_page import docs_page
from eddyline_runtime.health import Readiness
from eddyline_runtime.openapi import Api
from eddyline_runtime.openapi_document import document
from eddyline_runtime.problems import problem_middleware

MAX_BODY_BYTES = 64 * 1024 * 1024
VERSION = version("eddyline")
MAX_LINE_BYTES = 256 * 1024
"""Of an address with its query, which may hold many ids, each byte as three."""
_KEEPALIVE_S = 75.0
_DRAIN_S = 10.0
_PAGE_HEADERS = {
    # The page needs nothing but its own style, and shall stay as harmless as that.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


def make_app(
    api: Api,
    *,
    readiness: Readiness,
    details: Callable[[], dict[str, Any]] = dict,
    max_body_bytes: int = MAX_BODY_BYTES,
) -> web.Application:
    """An application with health, metrics, OpenAPI, its page, and problem JSON; the service adds its routes.

    ``details`` is what ``/health/ready`` tells beside the verdict.
    """
    app = web.Application(middlewares=[problem_middleware], client_max_size=max_body_bytes)
    told = document(api)
    spec, page = msgspec.json.encode(told), docs_page(told)

    async def live(_: web.Request) -> web.Response:
        return json_response(Health(status="live"))

    async def ready(_: web.Request) -> web.Response:
        waiting = readiness.waiting_for
        health = Health(
            status="waiting" if waiting else "ready",
            waiting_for=waiting,
            details=details(),
            version=VERSION,
            now=system_clock(),
        )
        return json_response(health, status=503 if waiting else 200)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def openapi(_: web.Request) -> web.Response:
        return web.Response(body=spec, content_type="application/json")

    async def docs(request: web.Request) -> web.Response:
        text = page.at(f"{request.scheme}://{request.host}")
        return web.Response(text=text, content_type="text/html", headers=_PAGE_HEADERS)

    async def root(_: web.Request) -> web.Response:
        raise web.HTTPFound("/docs")

    app.router.add_get("/health/live", live)
    app.router.add_get("/health/ready", ready)
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/openapi.json", openapi)
    app.router.add_get("/docs", docs)
    # Who opens the address in a browser wants to know what this is.
    app.router.add_get("/", root)
    return app


def json_response(value: Any, *, status: int = 200) -> web.Response:
    """``value`` as JSON by msgspec."""
    return web.Response(status=status, body=msgspec.json.encode(value), content_type="application/json")


@asynccontextmanager
async def serving(app: web.Application, host: str, port: int) -> AsyncIterator[str]:
    """Listen while the block runs and yield the real URL.

    Leaving stops taking requests, then lets those under way end.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        keepalive_timeout=_KEEPALIVE_S,
        shutdown_timeout=_DRAIN_S,
        handle_signals=False,
        max_line_size=MAX_LINE_BYTES,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=1024)
        await site.start()
        bound = runner.addresses[0]
        yield f"http://{bound[0]}:{bound[1]}"
    finally:
        await runner.cleanup()
