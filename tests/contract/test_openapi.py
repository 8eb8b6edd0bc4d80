"""The published OpenAPI documents: up to date, valid, complete, and their examples are what they say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31

from eddyline_runtime.openapi_document import document
from tests.support.openapi_files import APIS, FOLDER, encoded

DOCUMENTS = {name: json.loads(json.dumps(document(api))) for name, api in APIS.items()}
OPERATIONS = [
    pytest.param(service, path, method, id=f"{service} {method} {path}")
    for service, told in DOCUMENTS.items()
    for path, methods in told["paths"].items()
    for method in methods
]


def examples(operation: dict[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Each example beside its schema."""
    for told in operation.get("parameters", ()):
        if "example" in told or told["in"] == "path":
            yield told["example"], told["schema"]
    answers = operation["responses"].values()
    for holder in (operation.get("requestBody", {}), *answers):
        for content in holder.get("content", {}).values():
            if "example" in content:
                yield content["example"], content["schema"]


@pytest.mark.parametrize("service", APIS)
def test_the_published_document_is_up_to_date(service: str) -> None:
    assert (FOLDER / f"{service}.json").read_bytes() == encoded(service), "run make openapi"


@pytest.mark.parametrize("service", APIS)
def test_the_document_is_openapi_3_1(service: str) -> None:
    validator = jsonschema_rs.validator_for(OPENAPI_31)
    assert [str(error) for error in validator.iter_errors(DOCUMENTS[service])] == []
    assert not validator.is_valid({**DOCUMENTS[service], "paths": {"no-slash": {}}})


@pytest.mark.parametrize(("service", "path", "method"), OPERATIONS)
def test_every_example_is_of_its_schema(service: str, path: str, method: str) -> None:
    told = DOCUMENTS[service]
    for example, schema in examples(told["paths"][path][method]):
        rooted = {**schema, "components": told["components"]}
        assert [str(error) for error in jsonschema_rs.Draft202012Validator(rooted).iter_errors(example)] == []


@pytest.mark.parametrize(("service", "path", "method"), OPERATIONS)
def test_every_operation_is_told_completely(service: str, path: str, method: str) -> None:
    operation = DOCUMENTS[service]["paths"][path][method]
    assert operation["summary"]
    assert operation["tags"][0] in [tag["name"] for tag in DOCUMENTS[service]["tags"]]
    for told in operation.get("parameters", ()):
        assert told["description"], told
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        assert content["example"], media
    for status, answer in operation["responses"].items():
        ((media, content),) = answer["content"].items()
        assert content["schema"], status
        # The document need not hold itself, nor its page.
        if path not in ("/openapi.json", "/docs"):
            assert content["example"], status


@pytest.mark.parametrize("service", APIS)
def test_forms_and_their_members_are_described(service: str) -> None:
    plain = {"type", "event", "item", "user", "fields", "model", "view", "sequence", "title", "value", "name"}
    for name, schema in DOCUMENTS[service]["components"]["schemas"].items():
        assert schema.get("description"), name
        if name.startswith("Metarank"):
            # Metarank's own documents tell of its members.
            continue
        bare = {
            member for member, told in schema.get("properties", {}).items() if not told.get("description")
        }
        assert bare <= plain, (name, bare - plain)
