"""What Schemathesis cannot know of our APIs. Its command loads this file by SCHEMATHESIS_HOOKS."""

from __future__ import annotations

import json
import re
from typing import Any

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData

NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")


@schemathesis.serializer(*NDJSON)
def ndjson(_: Any, value: Any) -> bytes:
    """A document can say of NDJSON only that it is text: text of any kind becomes events that hold it, line by line."""
    if not isinstance(value, str):
        return json.dumps(value).encode()
    return "\n".join(map(_as_event, value.split("\n"))).encode()


def _as_event(line: str) -> str:
    try:
        is_one = isinstance(json.loads(line), dict)
    except ValueError:
        is_one = False
    return line if is_one else json.dumps({"type": "user", "user": "u1", "fields": {"said": line}})


_BEYOND_SCHEMAS = re.compile(
    # To JSON Schema an id, and an object with that id, are different values;
    "occurs twice: send each item once"
    # and 1.0 is an integer, while we take integers as such.
    r"|Expected `int( \| \w+)*`, got `float`"
    # To it any bytes are a file.
    r"|this is no ONNX file"
    # and any text or object a filter, a field that is kept, or a half-life that popularity is kept under.
    r"|`filters|a condition is expected|is not kept: add it to `recommend.fields`"
    r"|popularity is not kept under|`field` and `value` belong together|is not longer than the half-life"
)
"""Refusals by rules that JSON Schema cannot say, so that what it calls valid is rightly refused."""


@schemathesis.hook
def filter_failure(_: Any, failure: Any, case: Any, response: Any) -> bool:
    """Whether it is a failure to us."""
    if isinstance(failure, RejectedPositiveData) and response.status_code == 422:
        return _BEYOND_SCHEMAS.search(response.json()["detail"]) is None
    if isinstance(failure, AcceptedNegativeData) and response.status_code == 200:
        # Of a batch each request has an answer of its own: the wrong one is refused there.
        told = response.json()
        answers = told.get("answers", ()) if isinstance(told, dict) else ()
        return not any("problem" in answer for answer in answers)
    return True
