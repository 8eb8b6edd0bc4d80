"""JSON Schema of eddyline.yaml, for editors: derived from the readers, so that it cannot say anything else.

It says less than `load_view`: what several keys have to do with each other is checked there only. So what is valid here
may still be refused there, with a remedy.
"""

from __future__ import annotations

import json
from functools import cache
from inspect import cleandoc
from typing import Any

import yaml

from eddyline_features import view
from eddyline_features.content_settings import read_content
from eddyline_features.declarations import forms
from eddyline_features.declarations.declaration import Reader
from eddyline_features.declarations.online import read_online
from eddyline_features.declarations.registry import READERS
from eddyline_features.durations import _FORM
from eddyline_features.explanation_settings import (
    _WORD,
    HIGH,
    LOW,
    MAX_CHARS,
    REASONS,
    Explanations,
    read_explanations,
)
from eddyline_features.exploration_settings import read_exploration
from eddyline_features.learning_settings import (
    Breaker,
    Gate,
    Learning,
    read_breaker,
    read_gate,
    read_learning,
)
from eddyline_features.listening import AN_ACTION, Heard, Read, listen
from eddyline_features.policy_settings import Policy, read_policy
from eddyline_features.recommend_settings import SOURCES, Recommend, read_recommend
from eddyline_features.yaml_reader import Problems, Section

Schema = dict[str, Any]
_A_NAME = "zzz"
_SPELT_NUMBER: Schema = {"$ref": "#/$defs/spelt-number"}
"""Of ``200_000`` and ``1e-3``: numbers to us, strings to editors, which read a later version of YAML."""
_SENTENCE: Schema = {"type": "string", "pattern": r"\S", "maxLength": MAX_CHARS}
_STARTS = ("item", "user", "slate", "context", "column")
_PATTERNS = {
    **{f"{start}.zzz": rf"{start}\..+" for start in _STARTS},
    "7d": _FORM.pattern,
    '"+01:00"': r"[-+]\d\d:[0-5]\d",
}
"""Of the samples that stand for many."""


@cache
def view_schema() -> Schema:
    """The schema, as JSON Schema 2020-12."""
    kinds = {kind: _kind(reader) for kind, reader in READERS.items()}
    name = {"type": "string", "pattern": f"^{forms._NAME.pattern}$"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "eddyline.yaml",
        "description": "Which features are computed from events, how they are bounded, and how a booster learns.",
        "type": "object",
        "additionalProperties": False,
        "required": ["view", "actions", "label_window", "features"],
        "properties": {
            "view": {"description": "Name of the feature view.", **name},
            "actions": _actions(),
            "label_window": {
                "description": "How long after a slate its interactions are still awaited.",
                "type": "string",
                "pattern": f"^{_FORM.pattern}$",
                "examples": ["30m"],
            },
            "prior": _part(view.Prior, lambda section: view._read_prior(_Holding(section))),
            "limits": _part(view.Limits, lambda section: view._read_limits(_Holding(section))),
            "learning": _learning(),
            "exploration": _part(None, lambda section: read_exploration(_Holding(section))),
            "recommend": _recommend(),
            "explanations": _explanations(),
            "content": _part(None, lambda section: read_content(_Holding(section))),
            "online": _part(None, lambda section: read_online(_Holding(section), None)),
            "features": {
                "description": "The columns that a booster sees.",
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["name", "kind"],
                    "properties": {"name": name, "kind": {"enum": list(kinds)}},
                    "allOf": [
                        {
                            "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                            "then": {"$ref": f"#/$defs/feature-{kind}"},
                        }
                        for kind in kinds
                    ],
                },
            },
        },
        "$defs": {
            "spelt-number": {"type": "string", "pattern": r"^[-+]?\d[\d_]*(\.[\d_]*)?(e[-+]?\d+)?$"},
            "sentences": {"anyOf": [_SENTENCE, {"type": "array", "minItems": 1, "items": _SENTENCE}]},
            **{f"feature-{kind}": schema for kind, schema in kinds.items()},
        },
    }


def encoded_schema() -> str:
    """As ``docs/eddyline.schema.json`` has it."""
    return json.dumps(view_schema(), indent=2, ensure_ascii=False) + "\n"


class _Holding(Section):
    """A root that has one section, whatever it is asked for."""

    def __init__(self, held: Section) -> None:
        super().__init__(held.node, "", Problems())
        self._held = held

    def section(self, key: str) -> Section | None:
        return self._held


def _kind(reader: Reader) -> Schema:
    declared: list[object] = []

    def read(section: Section) -> None:
        declared.append(reader(section, _A_NAME, (AN_ACTION,)))

    schema = _object(listen(read), _first_paragraph(type(declared[0])))
    # Asked for by the reader of all kinds, and checked beside these.
    schema["properties"] = {"name": {}, "kind": {}, **schema["properties"]}
    return schema


def _part(of: type | None, read: Read) -> Schema:
    declared: list[object] = []

    def heard(section: Section) -> None:
        declared.append(read(section))

    found = listen(heard)
    return _object(found, _first_paragraph(of or type(declared[0])))


def _learning() -> Schema:
    schema = _part(Learning, lambda section: read_learning(_Holding(section)))
    schema["properties"]["gate"] = _part(Gate, lambda section: read_gate(_Holding(section)))
    schema["properties"]["policy"] = _part(Policy, lambda section: read_policy(_Holding(section)))
    schema["properties"]["breaker"] = _part(Breaker, lambda section: read_breaker(_Holding(section)))
    return schema


def _recommend() -> Schema:
    schema = _part(Recommend, lambda section: read_recommend(_Holding(section)))
    share = {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, _SPELT_NUMBER]}
    schema["properties"]["sources"] = {
        "description": "Share of the candidates by source.",
        "type": "object",
        "additionalProperties": False,
        "properties": dict.fromkeys(SOURCES, share),
        "minProperties": 1,
    }
    # Which names are right depends on what `fields` says, which a schema cannot tell.
    schema["properties"]["diversity_by"] = schema["properties"]["fields"]
    schema["properties"]["caps"] = {
        "description": "At most so many items of a slate with the same value of a field.",
        "type": "object",
        "additionalProperties": {
            "anyOf": [{"type": "integer", "minimum": 1, "maximum": 1_000}, _SPELT_NUMBER]
        },
    }
    return schema


def _explanations() -> Schema:
    schema = _part(Explanations, lambda section: read_explanations(_Holding(section), {}))
    language = {"type": "string", "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$"}
    schema["properties"]["language"] = {**language, "default": Explanations.language}
    schema["properties"]["reasons"] = {
        "description": "What features say, by where their value lies, in words that `sentences` has sentences for.",
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "additionalProperties": False,
            "properties": {side: {"type": "string", "pattern": f"^{_WORD.pattern}$"} for side in (LOW, HIGH)},
        },
    }
    schema["properties"]["sentences"] = {
        "description": "By language, as `fr`, and reason.",
        "type": "object",
        "propertyNames": language,
        "additionalProperties": {
            "description": "A sentence, or several of which the first is said whose words in braces are known.",
            "type": "object",
            "properties": {reason: {"$ref": "#/$defs/sentences"} for reason in REASONS},
            "additionalProperties": {"$ref": "#/$defs/sentences"},
        },
    }
    return schema


def _actions() -> Schema:
    number = {"anyOf": [{"type": "number"}, _SPELT_NUMBER]}
    one = {
        "description": "`weight` in features, and `gain` as a label (by default the weight, if it is above 0).",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "weight": number,
            "gain": number,
            "values": {
                "description": "The worst and the best value, where it says how much something was liked.",
                "type": "array",
                "items": number,
                "minItems": 2,
                "maxItems": 2,
            },
        },
    }
    return {
        "description": "What people do; other actions are kept in the log and count for nothing.",
        "type": "object",
        "minProperties": 1,
        "maxProperties": view.MAX_ACTIONS,
        "propertyNames": {"not": {"const": "impression"}},
        "additionalProperties": {"anyOf": [{"type": "number"}, _SPELT_NUMBER, one]},
    }


def _object(heard: dict[str, Heard], description: str) -> Schema:
    required = [key for key, one in heard.items() if one.required]
    return {
        "description": description,
        "type": "object",
        **({"required": required} if required else {}),
        "additionalProperties": False,
        "properties": {key: _value(one) for key, one in heard.items()},
    }


def _value(one: Heard) -> Schema:
    """The schema of one key: every form that its reader takes."""
    if one.lengths:
        bounds = {"minItems": min(one.lengths), "maxItems": max(one.lengths)}
        return {"type": "array", "items": {"type": "string", "minLength": 1}, **bounds}
    single = _any_of([*_numbers(one), *_booleans(one), *_strings(one)])
    found = _any_of([single, {"type": "array", "items": single, "minItems": 1}]) if one.many else single
    default = yaml.safe_load(one.default) if isinstance(one.default, str) else one.default
    least, _ = one.integer or one.number or (None, None)
    # Where it is below all that may be written, it stands for the key's absence.
    if default is not None and (least is None or default >= least):
        found = {**found, "default": default}
    return found


def _numbers(one: Heard) -> list[Schema]:
    if one.number is not None:
        least, most = one.number
        return [{"type": "number", "minimum": least, "maximum": most}, _SPELT_NUMBER]
    if one.integer is not None:
        return [{"type": "integer", "minimum": one.integer[0], "maximum": one.integer[1]}, _SPELT_NUMBER]
    if "0.5" in one.accepted:
        return [{"type": "number"}]
    return [{"type": "integer"}] if "1" in one.accepted else []


def _booleans(one: Heard) -> list[Schema]:
    said = any(isinstance(yaml.safe_load(word), bool) for word in one.options)
    return [{"type": "boolean"}] if said or "true" in one.accepted else []


def _strings(one: Heard) -> list[Schema]:
    if AN_ACTION in one.options or '"two words"' in one.accepted:
        return [{"type": "string", "minLength": 1}]
    if _A_NAME in one.accepted:
        return [{"type": "string", "pattern": r"^\S+$"}]
    if "zzz.example" in one.accepted:
        return [{"type": "string", "pattern": r"^\S+\.\S+$"}]
    words = [word for word in one.options if not isinstance(yaml.safe_load(word), bool)]
    patterns = [pattern for sample, pattern in _PATTERNS.items() if sample in one.accepted]
    if one.duration and _PATTERNS["7d"] not in patterns:
        patterns.append(_PATTERNS["7d"])
    for sample in one.accepted:
        if sample.isalpha() and sample != "true":
            words.append(sample)
        elif sample not in _PATTERNS and sample.endswith("3"):
            # One of many words that end in a number.
            patterns.append(rf"{sample[:-1]}\d+")
    if one.forever:
        words.append("forever")
    words = list(dict.fromkeys(words))
    found: list[Schema] = [{"enum": words}] if words else []
    if patterns:
        found.append({"type": "string", "pattern": f"^({'|'.join(patterns)})$"})
    return found


def _any_of(schemas: list[Schema]) -> Schema:
    different = [schema for at, schema in enumerate(schemas) if schema not in schemas[:at]]
    return different[0] if len(different) == 1 else {"anyOf": different}


def _first_paragraph(of: type) -> str:
    return " ".join(cleandoc(of.__doc__ or "").split("\n\n")[0].split())
