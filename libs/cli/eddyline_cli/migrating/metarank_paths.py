"""Where a field of Metarank's is with us."""

from __future__ import annotations

from typing import Any

from eddyline_cli.migrating.metarank_text import duration, word
from eddyline_features.durations import spell
from eddyline_features.yaml_writer import word as quoted

Raw = dict[str, Any]


class Unmappable(Exception):
    """This one has no place here; the text says why and what to do."""


def field_paths(raw: Raw, *keys: str) -> list[str]:
    """Where a field is with us; one of a ranking may be that of the ranking or of its items.

    Raises
    ------
    Unmappable
        If there is no such place.
    """
    text = word(raw, *(keys or ("field", "source")))
    scope, dot, field = text.partition(".")
    if not dot and text and word(raw, "source") in ("item", "metadata", "user", "ranking"):
        scope, field = word(raw, "source"), text
    if not field:
        raise Unmappable("it names no field: write `field: item.<name>` and migrate again")
    if scope in ("item", "metadata"):
        # Relevancy came with the ranking's items under either name.
        return ["slate.relevancy"] if field == "relevancy" else [f"item.{field}"]
    if scope == "user":
        return [f"user.{field}"]
    if scope == "ranking":
        return ["slate.relevancy"] if field == "relevancy" else [f"context.{field}", f"slate.{field}"]
    raise Unmappable(f"fields of `{scope}` are not features here: send it as a field of the ranking")


def request_path(raw: Raw, *keys: str) -> str:
    """Where a field of the ranking (or the user) is with us.

    Raises
    ------
    Unmappable
        If it is none of them.
    """
    path = field_paths(raw, *keys)[0]
    if not path.startswith(("context.", "user.")):
        raise Unmappable(f"`{path}` is not a field of who asks: write ranking.<field>, and migrate again")
    return path


def each_path(raw: Raw, name: str, members: dict[str, str], note: str = "") -> tuple[list[Raw], str]:
    """A feature for each place where the field may be, with the ``ttl`` where it makes sense."""
    paths = field_paths(raw)
    found = [{"name": name, "field": quoted(paths[0]), **members, **lifetime(raw, paths[0])}]
    if len(paths) > 1:
        found.append({"name": f"{name}_of_item", "field": quoted(paths[1]), **members})
        note = f"{note}{'; ' if note else ''}twice: of the ranking, and of its items; remove the one you never send"
    return found, note


def lifetime(raw: Raw, path: str) -> dict[str, str]:
    """``ttl`` of a field that is stored."""
    ttl = duration(word(raw, "ttl"))
    return {"ttl": spell(ttl)} if ttl and path.startswith(("item.", "user.")) else {}
