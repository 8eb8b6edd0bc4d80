"""``/docs``: an OpenAPI document as one page to read. It needs no script, no font and no other host."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from html import escape
from typing import Any

import msgspec

from eddyline_runtime.docs_style import STYLE
from eddyline_runtime.schema_words import bounds, inline, kind, prose

_BASE = "http://\0"
"""Stands where the service's address is to be."""


class DocsPage:
    """The page; all but the address that its examples call is written once."""

    def __init__(self, text: str) -> None:
        self._text = text

    def at(self, base: str) -> str:
        """The page with examples that call ``base``, as `http://localhost:7441`."""
        # The address comes from the request: it goes into HTML, inside of a shell's quotes.
        return self._text.replace(_BASE, escape(base.replace("'", "")))


def docs_page(document: dict[str, Any]) -> DocsPage:
    """The page of an OpenAPI document of ours."""
    return DocsPage("".join(_page(document)))


def _page(document: dict[str, Any]) -> Iterator[str]:
    info = document["info"]
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])}</title><style>{STYLE}</style></head><body>"
    )
    yield f"<header><h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1>"
    yield prose(info["description"])
    yield '<p>For programs: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).</p></header>'
    groups = [(tag, list(_operations_of(document, tag["name"]))) for tag in document["tags"]]
    groups = [(tag, operations) for tag, operations in groups if operations]
    yield "<nav>"
    for tag, operations in groups:
        yield f"<h2>{escape(tag['name'])}</h2><ul>"
        for method, path, op in operations:
            yield f'<li><a href="#{op["operationId"]}">{_call(method, path)}</a> {inline(op["summary"])}</li>'
        yield "</ul>"
    schemas = document["components"]["schemas"]
    yield '<p><a href="#schemas">The forms of what is sent and answered</a></p></nav><main>'
    for tag, operations in groups:
        yield f'<section><h2>{escape(tag["name"])}</h2><div class="about">{prose(tag["description"])}</div>'
        for method, path, op in operations:
            yield from _operation(method, path, op)
        yield "</section>"
    yield '<section id="schemas"><h2>forms</h2>'
    yield '<div class="about"><p>Members marked with * are required.</p></div>'
    for name in sorted(schemas):
        yield from _schema(name, schemas[name])
    yield "</section></main></body></html>"


def _operations_of(document: dict[str, Any], tag: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, op in methods.items():
            if tag in op["tags"]:
                yield method, path, op


def _call(method: str, path: str) -> str:
    return f'<code class="call"><b class="{method}">{method.upper()}</b> {escape(path)}</code>'


def _operation(method: str, path: str, op: dict[str, Any]) -> Iterator[str]:
    yield f'<article id="{op["operationId"]}"><h3>{_call(method, path)}</h3>'
    yield f'<p class="summary">{inline(op["summary"])}</p>'
    yield prose(op["description"]) if "description" in op else ""
    if op.get("parameters"):
        yield "<h4>Parameters</h4><table><tbody>"
        for told in op["parameters"]:
            star = '<abbr title="required">*</abbr>' if told.get("required") else ""
            yield f"<tr><td><code>{escape(told['name'])}</code>{star}<small>in the {told['in']}</small></td>"
            yield f"<td>{_value_cell(told['schema'], told.get('description', ''))}</td></tr>"
        yield "</tbody></table>"
    yield f"<h4>Try it</h4><pre>{escape(_curl(method, path, op), quote=False)}</pre>"
    body = op.get("requestBody", {}).get("content", {})
    if body:
        media_of: dict[str, list[str]] = {}
        for media, content in body.items():
            schema = content["schema"]
            form = inline(schema["description"]) if "description" in schema else kind(schema)
            media_of.setdefault(form, []).append(f"<code>{escape(media)}</code>")
        forms = (f"{', '.join(media)}: {form}" for form, media in media_of.items())
        yield "<h4>Body</h4><ul>" + "".join(f"<li>{form}</li>" for form in forms) + "</ul>"
    yield "<h4>Answers</h4>"
    for status, answer in op["responses"].items():
        yield from _answer(status, answer)
    yield "</article>"


def _answer(status: str, answer: dict[str, Any]) -> Iterator[str]:
    ((media, content),) = answer["content"].items()
    ok = status.startswith("2")
    yield f'<details{" open" if ok else ""}><summary><b class="{"ok" if ok else "no"}">{status}</b> '
    yield f"{inline(answer['description'])}</summary><p><code>{escape(media)}</code>: {kind(content['schema'])}"
    for name, header in answer.get("headers", {}).items():
        yield f"; header <code>{escape(name)}</code>: {inline(header['description'])}"
    yield "</p>"
    if "example" in content:
        told = content["example"]
        text = told if isinstance(told, str) else _pretty(told)
        yield f"<pre>{escape(text, quote=False)}</pre>"
    yield "</details>"


def _schema(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f'<article id="schema-{escape(name)}"><h3><code>{escape(name)}</code></h3>'
    yield prose(schema["description"]) if "description" in schema else ""
    properties = schema.get("properties", {})
    required = set(schema.get("required", ()))
    if properties:
        yield "<table><tbody>"
        for member, told in properties.items():
            star = '<abbr title="required">*</abbr>' if member in required else ""
            yield f"<tr><td><code>{escape(member)}</code>{star}</td>"
            yield f"<td>{_value_cell(told, told.get('description', ''))}</td></tr>"
        yield "</tbody></table>"
    either = [one["required"][0] for one in schema.get("anyOf", []) if one.get("required")]
    if either:
        yield (
            "<p>At least one is required: "
            + ", ".join(f"<code>{escape(who)}</code>" for who in either)
            + ".</p>"
        )
    yield "</article>"


def _value_cell(schema: dict[str, Any], description: str) -> str:
    limits = bounds(schema)
    told = f'<span class="kind">{", ".join([kind(schema), *limits])}</span>'
    return told + (prose(description) if description else "")


def _curl(method: str, path: str, op: dict[str, Any]) -> str:
    headers = []
    for told in op.get("parameters", ()):
        example = told.get("example")
        if told["in"] == "path":
            path = path.replace(f"{{{told['name']}}}", str(example or told["name"]))
        elif told["in"] == "header" and told.get("required"):
            headers.append(" -H " + shlex.quote(f"{told['name']}: {example}"))
    line = f"curl -s '{_BASE}{path}'" + "".join(headers)
    bodies = op.get("requestBody", {}).get("content", {})
    content = bodies.get("application/json")
    if "application/octet-stream" in bodies:
        name = bodies["application/octet-stream"]["example"]
        return line + " --data-binary " + shlex.quote(f"@{name}")
    if content is None:
        return line if method == "get" else line + f" -X {method.upper()}"
    return line + " -H 'Content-Type: application/json' -d " + shlex.quote(_pretty(content.get("example")))


def _pretty(value: Any) -> str:
    """JSON with what is short on one line, as a person would write it."""
    flat = _spaced(value)
    if len(flat) <= 90 or not isinstance(value, list | dict) or not value:
        return flat
    if isinstance(value, list):
        inner = ",\n".join(_pretty(one) for one in value)
        opening, closing = "[", "]"
    else:
        inner = ",\n".join(f"{_spaced(key)}: {_pretty(one)}" for key, one in value.items())
        opening, closing = "{", "}"
    return opening + "\n" + "\n".join("  " + line for line in inner.splitlines()) + "\n" + closing


def _spaced(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=0).decode()
