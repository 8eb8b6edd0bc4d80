"""Errors as RFC 9457 problem JSON, mapped from exceptions in one middleware."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from eddyline_contracts.api import Problem, Rejection
from eddyline_contracts.limits import Refusal

RETRY_AFTER = "Retry-After"
log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Unavailable(Exception):
    """The service cannot do this now; the same call may go through later."""

    def __init__(self, detail: str, retry_after_s: int = 1) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_s = retry_after_s


class Conflict(Exception):
    """The call contradicts what is already there."""


class NotFound(Exception):
    """What the call names does not exist."""

    def __init__(self, detail: str, code: str = "not_found") -> None:
        super().__init__(detail)
        self.code = code


def problem(
    status: int,
    title: str,
    detail: str,
    *,
    code: str = "invalid",
    errors: list[Rejection] | None = None,
    headers: dict[str, str] | None = None,
) -> web.Response:
    """An error response."""
    return _response(Problem(title=title, status=status, detail=detail, code=code, errors=errors), headers)


@web.middleware
async def problem_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn exceptions into problems; a handler only raises."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _of_http(request, error)
    except Exception as error:
        told = problem_of(error, path=request.path, method=request.method)
        headers = {RETRY_AFTER: str(error.retry_after_s)} if isinstance(error, Unavailable) else None
        return _response(told, headers)


def problem_of(error: Exception, **where: str) -> Problem:
    """What is told of an exception; one that nobody foresaw is logged, with what ``where`` says."""
    if isinstance(error, Refusal):
        return Problem(title="Refused", status=422, detail=error.detail, code=error.code)
    if isinstance(error, msgspec.ValidationError):
        detail = str(error)
        if detail.startswith("Object contains unknown field"):
            detail += ": GET /docs shows which there are"
        return Problem(title="Invalid request", status=422, detail=detail, code="invalid")
    if isinstance(error, msgspec.DecodeError | UnicodeDecodeError | RecursionError):
        detail = f"the body is not JSON: {error}"
        return Problem(title="Malformed request", status=400, detail=detail, code="malformed")
    if isinstance(error, NotFound):
        return Problem(title="Not found", status=404, detail=str(error), code=error.code)
    for kind, status, title in _TITLES:
        if isinstance(error, kind):
            return Problem(title=title, status=status, detail=str(error), code=code_of(status))
    log.error("request failed", exc_info=error, extra=where)
    detail = "this is a fault of Eddyline; its log has the trace"
    return Problem(title="Internal error", status=500, detail=detail, code="internal")


_TITLES = (
    (Conflict, 409, "Conflict"),
    (Unavailable, 503, "Unavailable"),
)


def _response(told: Problem, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        status=told.status,
        body=msgspec.json.encode(told),
        content_type="application/problem+json",
        headers=headers,
    )


def code_of(status: int) -> str:
    """The ``code`` of a status that has but one."""
    return _CODES.get(status, "invalid")


_CODES = {
    400: "malformed",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    503: "unavailable",
}


_ELSEWHERE = (
    ("/v1/events/", "ingest (port 7441)"),
    ("/feedback/", "ingest (port 7441)"),
    ("/v1/rank/", "the ranker (port 7440)"),
    ("/rank/", "the ranker (port 7440)"),
    ("/v1/recommend", "the ranker (port 7440)"),
    ("/v1/predict/", "the ranker (port 7440)"),
    ("/v1/items/", "the feature-store (port 7442)"),
    ("/v1/users/", "the feature-store (port 7442)"),
    ("/v1/similar/", "the feature-store (port 7442)"),
    ("/v1/trending/", "the feature-store (port 7442)"),
    ("/v1/models/", "the trainer (port 7443)"),
    ("/v1/columns/", "the trainer (port 7443)"),
    ("/v1/examples/", "the trainer (port 7443)"),
    ("/v1/slates/", "the trainer (port 7443)"),
)
"""Who serves what, for those who ask the wrong service."""
_FOR_A_PERSON = (
    'POST /v1/recommend of the ranker (port 7440) takes who it is for in its body, as {"user": "u1"}'
)
_INSTEAD = (
    ("/v1/recommend/", _FOR_A_PERSON),
    ("/api/recommend/", _FOR_A_PERSON),
    (
        "/recommend/",
        "GET /v1/trending and /v1/similar/{item} of the feature-store (port 7442) are for nobody in particular, "
        "POST /v1/recommend of the ranker (port 7440) for a person",
    ),
)
"""What to ask for paths that other systems have."""


def _of_http(request: web.Request, error: web.HTTPException) -> web.Response:
    """What aiohttp found out before or beside the handlers, in words that help."""
    headers, detail = None, error.text or error.reason
    if isinstance(error, web.HTTPNotFound):
        who = next((who for path, who in _ELSEWHERE if f"{request.path}/".startswith(path)), None)
        served = "" if who is None else f"{who} serves it, unless ports were set otherwise; "
        instead = next((what for path, what in _INSTEAD if request.path.startswith(path)), None)
        served = served if instead is None else f"{instead}; "
        detail = f"there is no {request.path} here: {served}GET /docs shows what there is"
    elif isinstance(error, web.HTTPMethodNotAllowed):
        headers = {"Allow": error.headers["Allow"]}
        detail = (
            f"{request.path} does not take {request.method}, but {headers['Allow'].replace(',', ', ')}: "
            "GET /docs shows how"
        )
    elif isinstance(error, web.HTTPRequestEntityTooLarge):
        detail = f"{detail}: send less at a time"
    return problem(error.status, error.reason, detail, code=code_of(error.status), headers=headers)
