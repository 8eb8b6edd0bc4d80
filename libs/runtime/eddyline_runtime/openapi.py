"""What a service says of its HTTP calls: the declarations that its OpenAPI document and its ``/docs`` are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from eddyline_contracts.api import Health, Problem
from eddyline_runtime.problems import code_of

PROBLEM = "application/problem+json"
SERVICE_TAG = "service"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer other than 200, where a sentence does not tell all of it."""

    when: str
    """When it is given."""
    example: Any = None
    type: Any = Problem
    media_type: str = PROBLEM


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One call of a service, as its document tells it."""

    method: str
    path: str
    summary: str
    description: str = ""
    """What a caller should know beside the summary; paragraphs with `code`."""
    tag: str = ""
    """Group it is shown in; the service's first where none is given."""
    request: Any = None
    """Type of the JSON body, if it has one."""
    other_forms: Sequence[Any] = ()
    """Types that the body may have instead."""
    or_list: bool = False
    """Whether the body may be a list of such objects, of any form each, too."""
    lines: Sequence[str] = ()
    """Media types of bodies that hold one such object a line; the example, a list then, is shown in that form too."""
    example: Any = None
    """A body that is taken."""
    file: str = ""
    """What the body is, where it is the bytes of a file; its name then is the example."""
    not_taken: Mapping[type, Sequence[str]] = field(default_factory=dict)
    """Members of such objects that are not for callers: with any other value than null they are refused."""
    response: Any = None
    """Type of the JSON answer."""
    response_example: Any = None
    """Such an answer: a value, or text where it is no JSON."""
    response_type: str = "application/json"
    parameters: Sequence[dict[str, Any]] = ()
    errors: Mapping[int, str | Answer] = field(default_factory=dict)
    """Status → when it is given; its example is made of that, unless it is told."""

    @property
    def answers(self) -> dict[int, Answer]:
        """``errors``, each with all that is known of it."""
        return {
            status: Answer(when=told, example=_an_example(status, told)) if isinstance(told, str) else told
            for status, told in self.errors.items()
        }


@dataclass(frozen=True, kw_only=True)
class Api:
    """All that a service says of itself."""

    title: str
    description: str
    """What it is for, in some paragraphs."""
    default_port: int
    tags: Mapping[str, str] = field(default_factory=dict)
    """Group of operations → what it is about, in the order in which they are shown."""
    operations: Sequence[Operation] = ()

    @property
    def all_operations(self) -> list[Operation]:
        """Its own, then those that every service has."""
        return [*self.operations, *_COMMON]


def a_problem(
    status: int, detail: str, *, code: str | None = None, title: str | None = None
) -> dict[str, Any]:
    """A problem as it is sent, for an example."""
    return {
        "title": title or HTTPStatus(status).phrase.capitalize(),
        "status": status,
        "detail": detail,
        "code": code or code_of(status),
    }


def _an_example(status: int, when: str) -> dict[str, Any]:
    return a_problem(status, when)


_METRICS = """\
# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 1.72
"""
_COMMON = (
    Operation(
        method="get",
        path="/health/live",
        summary="Is the process alive?",
        description="For whoever restarts processes: it answers as long as the loop turns.",
        tag=SERVICE_TAG,
        response=Health,
        response_example={"status": "live"},
    ),
    Operation(
        method="get",
        path="/health/ready",
        summary="Can it do its work now?",
        description="For whoever sends requests. `details` differ by service.",
        tag=SERVICE_TAG,
        response=Health,
        response_example={
            "status": "ready",
            "details": {"sequence": 1099511628341},
            "version": "0.1.0",
            "now": 1795517858033,
        },
        errors={
            503: Answer(
                when="Not yet; `waiting_for` says what is missing",
                type=Health,
                media_type="application/json",
                example={
                    "status": "waiting",
                    "waiting_for": ["bus"],
                    "version": "0.1.0",
                    "now": 1795517858033,
                },
            )
        },
    ),
    Operation(
        method="get",
        path="/metrics",
        summary="Metrics for Prometheus",
        tag=SERVICE_TAG,
        response=str,
        response_example=_METRICS,
        response_type="text/plain",
    ),
    Operation(
        method="get",
        path="/openapi.json",
        summary="The OpenAPI 3.1 document of this service",
        tag=SERVICE_TAG,
        response=dict[str, Any],
    ),
    Operation(
        method="get",
        path="/docs",
        summary="The same document as a page to read",
        tag=SERVICE_TAG,
        response=str,
        response_type="text/html",
    ),
)
