"""OpenAPI 3.1 documents, generated from the types that validate, so that they cannot tell anything else."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from typing import Any

import msgspec

from eddyline_contracts.api import Problem
from eddyline_contracts.schema import complete
from eddyline_runtime.openapi import SERVICE_TAG, Answer, Api, Operation
from eddyline_runtime.problems import RETRY_AFTER

_REFS = "#/components/schemas/{name}"
_BYTES = "application/octet-stream"
_NOT_TAKEN = {"type": "null", "description": "Written by Eddyline itself: leave it out."}
_ERRORS = """

Every error is a problem by RFC 9457 (`application/problem+json`): `detail` says what is wrong and what to do, `code`
is for programs. An unknown path gives 404, a method that a path does not take 405 with `Allow`; a 503 with
`Retry-After` may be tried again. No authentication: keep the port private, or put a proxy in front of it."""


def document(api: Api) -> dict[str, Any]:
    """The OpenAPI document of a service."""
    operations = api.all_operations
    types = [Problem]
    for op in operations:
        types += [op.request, *op.other_forms, op.response, *(answer.type for answer in op.answers.values())]
    types = [told for told in types if told is not None]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REFS)
    complete(components, types)
    for op in operations:
        for cls, members in op.not_taken.items():
            for member in members:
                components[cls.__name__]["properties"][member] = dict(_NOT_TAKEN)
    # Types are told apart by identity, since not all of them can be hashed.
    by_type = {id(told): schema for told, schema in zip(types, schemas, strict=True)}
    first_tag = next(iter(api.tags), SERVICE_TAG)
    paths: dict[str, Any] = {}
    for op in operations:
        paths.setdefault(op.path, {})[op.method] = _operation(op, op.tag or first_tag, by_type)
    tags = {**api.tags, SERVICE_TAG: "Health, metrics and these descriptions, as every service has them."}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": api.title,
            "version": importlib.metadata.version("eddyline"),
            "description": api.description.strip() + _ERRORS,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {
                "url": "/",
                "description": f"Where this document comes from: by default http://127.0.0.1:{api.default_port}",
            }
        ],
        "security": [],
        "tags": [{"name": name, "description": about} for name, about in tags.items()],
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(op: Operation, tag: str, by_type: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {} if op.response is None else by_type[id(op.response)]}
    if op.response_example is not None:
        content["example"] = op.response_example
    entry: dict[str, Any] = {
        "tags": [tag],
        "summary": op.summary,
        "operationId": f"{op.method}{op.path}".replace("/", "_")
        .replace("{", "")
        .replace("}", "")
        .replace(".", "_"),
        "responses": {"200": {"description": "Done", "content": {op.response_type: content}}},
    }
    if op.description:
        entry["description"] = op.description
    if op.parameters:
        entry["parameters"] = list(op.parameters)
    if op.request is not None:
        forms = [by_type[id(form)] for form in (op.request, *op.other_forms)]
        entry["requestBody"] = {"required": True, "content": _bodies(op, forms)}
    elif op.file:
        schema = {"type": "string", "contentMediaType": _BYTES, "description": op.file}
        entry["requestBody"] = {
            "required": True,
            "content": {_BYTES: {"schema": schema, "example": op.example}},
        }
    for status, answer in op.answers.items():
        entry["responses"][str(status)] = _answer(status, answer, by_type[id(answer.type)])
    return entry


def _answer(status: int, answer: Answer, schema: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": schema}
    if answer.example is not None:
        content["example"] = answer.example
    told: dict[str, Any] = {"description": answer.when, "content": {answer.media_type: content}}
    if status == 503 and answer.type is Problem:
        told["headers"] = {
            RETRY_AFTER: {
                "required": True,
                "description": "Seconds after which to try again",
                "schema": {"type": "integer", "minimum": 0},
                "example": 1,
            }
        }
    return told


def _bodies(op: Operation, forms: list[dict[str, Any]]) -> dict[str, Any]:
    """What may be sent, by media type."""
    one: dict[str, Any] = forms[0] if len(forms) == 1 else {"anyOf": forms}
    # An empty list is taken where lists are: a batch of nothing is no fault.
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
