"""JSON Schema in words, as HTML: what a reader wants to know of a value in one line, names linked to their tables."""

from __future__ import annotations

import re
from html import escape
from typing import Any

_2_TO_53 = 2**53


def prose(text: str) -> str:
    """Paragraphs, lists and `code` of a docstring or description."""
    blocks = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = block.splitlines()
        if lines[0].startswith("- "):
            items = re.split(r"\n- ", block[2:])
            blocks.append("<ul>" + "".join(f"<li>{inline(item)}</li>" for item in items) + "</ul>")
        else:
            blocks.append(f"<p>{inline(block)}</p>")
    return "".join(blocks)


def inline(text: str) -> str:
    """One run of text with its `code` and **stress**."""
    text = escape(" ".join(text.split()), quote=False)
    text = re.sub(r"(`{1,2})(.+?)\1", r"<code>\2</code>", text)
    return re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)


def kind(schema: dict[str, Any]) -> str:
    """What a value may be: ``text``, ``list of RankItem``, ``integer or null``."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#schema-{escape(name)}">{escape(name)}</a>'
    if "enum" in schema:
        return " or ".join(f"<code>{escape(_value(word))}</code>" for word in schema["enum"])
    told = schema.get("anyOf") or schema.get("oneOf")
    if told and "type" not in schema:
        if len(told) == 2 and told[1] == {"type": "array", "items": told[0]}:
            return f"{kind(told[0])}; or a list of these"
        kinds = list(dict.fromkeys(kind(one) for one in told))
        return " or ".join(kinds)
    match schema.get("type"):
        case "array":
            return f"list of {kind(schema.get('items', {}))}"
        case "string" if schema.get("format") == "date-time":
            return "date and time (RFC 3339)"
        case "string":
            return "text"
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            return f"object of {kind(schema['additionalProperties'])}"
        case None:
            return "anything"
        case other:
            return escape(str(other))


def bounds(schema: dict[str, Any]) -> list[str]:
    """Its limits and default, a phrase each."""
    parts = [schema, *schema.get("anyOf", [])]
    found = [phrase for part in parts for phrase in _limits(part)]
    if "default" in schema and schema["default"] not in (None, {}, []):
        found.append(f"default <code>{escape(_value(schema['default']))}</code>")
    return list(dict.fromkeys(found))


def _limits(schema: dict[str, Any]) -> list[str]:
    found = []
    for least, most, unit in (
        ("minLength", "maxLength", "characters"),
        ("minItems", "maxItems", "items"),
        ("minProperties", "maxProperties", "members"),
    ):
        low, high = schema.get(least), schema.get(most)
        if low and high:
            found.append(f"{low}–{high:,} {unit}")
        elif low or high:
            found.append(f"at least {low} {unit}" if low else f"at most {high:,} {unit}")
    for name, sign in (
        ("minimum", "≥"),
        ("exclusiveMinimum", "&gt;"),
        ("maximum", "≤"),
        ("exclusiveMaximum", "&lt;"),
    ):
        if name in schema:
            bound = schema[name]
            found.append(f"{sign} {'2<sup>53</sup>' if bound == _2_TO_53 else f'{bound:,}'}")
    return found


def _value(value: Any) -> str:
    return value if isinstance(value, str) else {True: "true", False: "false"}.get(value, str(value))
