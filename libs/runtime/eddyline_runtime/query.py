"""What a ``GET`` asks for: its query read into a struct, which is also what the OpenAPI document shows of it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from eddyline_contracts.field_docs import field_docs
from eddyline_contracts.limits import Refusal

if TYPE_CHECKING:
    from multidict import MultiMapping

_T = TypeVar("_T", bound=msgspec.Struct)


class InvalidQuery(Refusal):
    """The query cannot be taken."""


def read_query(query: MultiMapping[str], form: type[_T]) -> _T:
    """The query in its form; a member that is a list takes its name as often as there are values.

    Raises
    ------
    InvalidQuery
        For a name that is not known or stands there twice, and for a value that does not fit.
    """
    hints = get_type_hints(form)
    told: dict[str, Any] = {}
    for name in dict.fromkeys(query):
        if name not in hints:
            near = difflib.get_close_matches(name, hints, n=1)
            remedy = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(hints)}"
            raise InvalidQuery(f"`{name[:60]}` is no parameter of this call: {remedy}")
        values = query.getall(name)
        if get_origin(hints[name]) is list:
            told[name] = values
        elif len(values) > 1:
            raise InvalidQuery(f"`{name}` stands there {len(values)} times: say it once")
        else:
            told[name] = values[0]
    try:
        return msgspec.convert(told, form, strict=False)
    except msgspec.ValidationError as error:
        said = str(error).replace("$.", "")
        raise InvalidQuery(f"the query does not fit: {said}{_choices(said, hints)}") from error


def _choices(said: str, hints: Mapping[str, Any]) -> str:
    """What there is to choose from, where a member is one of so many words."""
    if not said.startswith("Invalid enum value"):
        return ""
    hint = hints.get(said.rpartition("`")[0].rpartition("`")[2].partition("[")[0])
    words = get_args(get_args(hint)[0] if get_origin(hint) is list else hint)
    return f": there are {', '.join(map(str, words))}"


def query_parameters(form: type[msgspec.Struct], examples: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Its members as OpenAPI parameters, each described by the sentence under it."""
    _, components = msgspec.json.schema_components([form], ref_template="{name}")
    docs = field_docs(form)
    found = []
    for name, schema in components[form.__name__]["properties"].items():
        parameter = {
            "name": name,
            "in": "query",
            "required": False,
            "schema": _without_null(schema),
            "description": docs[name],
        }
        if name in examples:
            parameter["example"] = examples[name]
        found.append(parameter)
    return found


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query cannot say null: what may be null is what may be left out."""
    if "anyOf" not in schema:
        return schema
    kinds = [kind for kind in schema["anyOf"] if kind != {"type": "null"}]
    assert len(kinds) == 1
    return dict(kinds[0])
