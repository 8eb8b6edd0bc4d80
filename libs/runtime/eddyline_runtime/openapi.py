"""OpenAPI 3.1 documents, generated from the same types that validate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from eddyline_contracts.api import Health, Problem

_REFS = "#/components/schemas/{name}"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One call of a service, as its document tells it."""

    method: str
    path: str
    summary: str
    request: Any = None
    """Type of the JSON body, if it has one."""
    other_forms: Sequence[Any] = ()
    """Types that the body may have instead."""
    or_list: bool = False
    """Whether the body may be a list of such objects, of any form each, too."""
    lines: Sequence[str] = ()
    """Media types of bodies that hold one such object a line; the example, a list then, is shown in that form too."""
    response: Any = None
    """Type of the JSON answer."""
    example: Any = None
    parameters: Sequence[dict[str, Any]] = ()
    errors: dict[int, str] = field(default_factory=dict)
    """Status → when it is given."""
    response_type: str = "application/json"


def common_operations() -> list[Operation]:
    """What every service answers."""
    return [
        Operation(method="get", path="/health/live", summary="Is the process alive?", response=Health),
        Operation(
            method="get",
            path="/health/ready",
            summary="Can it do its work now?",
            response=Health,
            errors={503: "not yet; the answer says what it waits for"},
        ),
        Operation(
            method="get",
            path="/metrics",
            summary="Metrics for Prometheus",
            response=str,
            response_type="text/plain",
        ),
        Operation(method="get", path="/openapi.json", summary="This document", response=dict[str, Any]),
    ]


def _bodies(op: Operation, forms: list[dict[str, Any]]) -> dict[str, Any]:
    """What may be sent, by media type."""
    one: dict[str, Any] = forms[0] if len(forms) == 1 else {"anyOf": forms}
    content: dict[str, Any] = {
        "schema": {"anyOf": [one, {"type": "array", "items": one}]} if op.or_list else one
    }
    # JSON Schema knows no text of many documents.
    lines: dict[str, Any] = {
        "schema": {
            "type": "string",
            "description": "One object a line, each as in an array of `application/json`",
        }
    }
    if op.example is not None:
        content["example"] = op.example
        if op.lines:
            lines["example"] = "\n".join(msgspec.json.encode(told).decode() for told in op.example)
    return {"application/json": content, **dict.fromkeys(op.lines, lines)}


def document(title: str, description: str, operations: Sequence[Operation]) -> dict[str, Any]:
    """The OpenAPI document of a service."""
    operations = [*operations, *common_operations()]
    types = [t for op in operations for t in (op.request, *op.other_forms, op.response) if t is not None]
    schemas, components = msgspec.json.schema_components([*types, Problem], ref_template=_REFS)
    by_type = {id(t): s for t, s in zip(types, schemas, strict=False)}
    problem_schema = schemas[-1]
    paths: dict[str, Any] = {}
    for op in operations:
        entry: dict[str, Any] = {
            "summary": op.summary,
            "operationId": f"{op.method}{op.path}".replace("/", "_").replace("{", "").replace("}", ""),
            "responses": {
                "200": {
                    "description": "Done",
                    "content": {op.response_type: {"schema": by_type.get(id(op.response), {})}},
                }
            },
        }
        if op.parameters:
            entry["parameters"] = list(op.parameters)
        if op.request is not None:
            forms = [by_type[id(form)] for form in (op.request, *op.other_forms)]
            entry["requestBody"] = {"required": True, "content": _bodies(op, forms)}
        for status, when in op.errors.items():
            entry["responses"][str(status)] = {
                "description": when,
                "content": {"application/problem+json": {"schema": problem_schema}},
            }
        paths.setdefault(op.path, {})[op.method] = entry
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "0.1.0", "description": description},
        "paths": paths,
        "components": {"schemas": components},
    }
