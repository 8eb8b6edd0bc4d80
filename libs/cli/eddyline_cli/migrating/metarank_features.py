"""Metarank's feature extractors to ours: one function for each kind, and a reason for each that has none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from eddyline_cli.migrating.mapped import NEAR, NOT_YET, SAME, Mapped
from eddyline_cli.migrating.metarank_counters import COUNTER_READERS
from eddyline_cli.migrating.metarank_fields import FIELD_READERS
from eddyline_cli.migrating.metarank_paths import Raw, Unmappable, field_paths
from eddyline_cli.migrating.metarank_text import duration, number, word, words
from eddyline_features.durations import spell
from eddyline_features.view import Limits
from eddyline_features.yaml_writer import flow_list
from eddyline_features.yaml_writer import word as quoted

_DEFAULT_COUNT = 10
_DEFAULT_DURATION = 86_400_000
_HOLDS = "what the field holds"
"""Stands beside an extractor's own members."""


def map_feature(raw: Raw, beside: Sequence[Raw] = ()) -> Mapped:
    """What becomes of one extractor; those ``beside`` it may tell what a field holds."""
    name, kind = word(raw, "name", default="nameless"), word(raw, "type", default="no type")
    what = f"{name} ({kind})"
    if kind in _NOT_YET:
        return Mapped(what=what, verdict=NOT_YET, note=_NOT_YET[kind])
    reader = _READERS.get(kind)
    if kind == "diversity":
        raw = {**raw, _HOLDS: _holds(raw, beside)}
    if reader is None:
        return Mapped(what=what, verdict=NOT_YET, note=f"{kind!r} is no extractor that is known here")
    try:
        features, note = reader(raw, name)
    except Unmappable as error:
        return Mapped(what=what, verdict=NOT_YET, note=str(error))
    return Mapped(what=what, verdict=NEAR if note else SAME, features=tuple(features), note=note)


def _interacted_with(raw: Raw, name: str) -> tuple[list[Raw], str]:
    scope = word(raw, "scope", default="user")
    if scope not in ("user", "session"):
        raise Unmappable(f"what a `{scope}` interacted with is not there: use scope user or session")
    action = word(raw, "interaction", default="click")
    if action == "impression":
        raise Unmappable("what was only shown is in the output `passed` of an affinity: add it by hand")
    fields = [text.partition(" //")[0].partition(".") for text in words(raw, "field", "source")]
    found = [field for source, _, field in fields if source in ("item", "metadata") and field]
    if not found:
        raise Unmappable("it names no field of items: write `field: item.<name>` and migrate again")
    count = number(word(raw, "count"))
    last = _DEFAULT_COUNT if count is None else max(1, round(min(count, 1e5)))
    notes = ["`last` counts actions, not their values; an item without the field is unknown, not 0"]
    if last > Limits.acted:
        notes.append(f"for more than {Limits.acted} set `limits.acted` and `last`")
    feature = {
        "name": name,
        "kind": "interacted_with",
        "by": scope,
        "fields": flow_list([quoted(f"item.{field}") for field in dict.fromkeys(found)]),
        "actions": quoted(action),
        "last": str(min(last, Limits.acted)),
        "within": spell(duration(word(raw, "duration")) or _DEFAULT_DURATION),
    }
    return [feature], "; ".join(notes)


def _holds(raw: Raw, beside: Sequence[Raw]) -> str:
    """What a field holds, by what other extractors make of it: ``number``, ``values``, or nothing that is known."""
    field = word(raw, "field", "source").partition(".")[2]
    for other in beside:
        if field and word(other, "field", "source").partition(".")[2] == field:
            kind = word(other, "type")
            if kind in ("number", "relative_number"):
                return "number"
            if kind in ("string", "interacted_with"):
                return "values"
    return ""


def _diversity(raw: Raw, name: str) -> tuple[list[Raw], str]:
    path = field_paths(raw)[0]
    if not path.startswith("item."):
        raise Unmappable("it compares a field of items: its `source` must be item.<field>")
    holds = word(raw, _HOLDS)
    notes = (
        []
        if holds != "values"
        else ["1 less the share of others that are alike: the same order, turned round"]
    )
    if word(raw, "top"):
        notes.append("of all candidates, not of the `top` ones")
    members = {"kind": "diversity", "field": quoted(path)}
    if holds:
        return [{"name": name, **members, "compare": holds}], "; ".join(notes)
    notes.append("twice: as number and as words; remove the one that the field does not hold")
    return [
        {"name": name, **members, "compare": "number"},
        {"name": f"{name}_values", **members, "compare": "values"},
    ], "; ".join(notes)


def _position(raw: Raw, name: str) -> tuple[list[Raw], str]:
    at = number(word(raw, "position")) or 0.0
    return [{"name": name, "kind": "position", "serving": f"{min(max(at, 0.0), 1e6):g}"}], ""


def _item_age(raw: Raw, name: str) -> tuple[list[Raw], str]:
    path = field_paths(raw)[0]
    if not path.startswith("item."):
        raise Unmappable("an age is that of an item: its `source` must be item.<field>")
    if path == "item.timestamp":
        return [{"name": name, "kind": "item_age"}], "since the item's first event, in days"
    feature = {"name": name, "kind": "item_age", "field": quoted(path)}
    return [feature], "in days; a time as digits in a string is unknown: send a number or a date"


_READERS: dict[str, Callable[[Raw, str], tuple[list[Raw], str]]] = {
    **FIELD_READERS,
    "relative_number": lambda raw, name: (
        FIELD_READERS["number"](raw, name)[0],
        "not scaled: trees see the same in any scale",
    ),
    **COUNTER_READERS,
    "interacted_with": _interacted_with,
    "diversity": _diversity,
    "position": _position,
    "item_age": _item_age,
}
_SEND = "compute it where you send events, and send it as a field"
_NOT_YET = {
    "list_size": f"{_SEND} of the item (`kind: number`); of numbers, `kind: vector` with `reduce: size` has it",
    "time_diff": f"{_SEND} of the ranking; for items, `kind: item_age` tells a time's age",
    "biencoder": "`kind: content_similarity` with the output `query` has it, of `content.fields`; write it by hand",
    "cross_encoder": "send the similarity with each item (`field: slate.<name>`)",
}
EXTRACTORS = (*_READERS, *_NOT_YET)
