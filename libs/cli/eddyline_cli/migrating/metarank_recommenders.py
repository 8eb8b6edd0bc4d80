"""Metarank's models that recommend, to the sections that let Eddyline do so: `recommend`, `online` and `content`."""

from __future__ import annotations

import math
from typing import Any

from eddyline_cli.migrating.mapped import NEAR, Mapped
from eddyline_cli.migrating.metarank_text import duration, mappings, number, word, words
from eddyline_features.durations import spell
from eddyline_features.yaml_writer import flow_list
from eddyline_features.yaml_writer import word as quoted

RECOMMENDERS = ("trending", "als", "semantic")
_HOUR_MS, _DAY_MS, _MONTH_MS = 3_600_000, 86_400_000, 30 * 86_400_000
_MOST_MS = 3_650 * _DAY_MS
_ASK = "not in the form of /recommend, so clients change"


def recommender(name: str, kind: str, model: dict[str, Any]) -> Mapped:
    """What becomes of one model of `RECOMMENDERS`."""
    if kind == "trending":
        note = (
            f"GET /v1/trending?half_life={flow_list([spell(half_lives(model)[0])])}: actions count by their `weight` "
            f"and half after that time; {_ASK}"
        )
    elif kind == "als":
        note = f"GET /v1/similar/<item>?by=taste, by the online model, live; POST /v1/recommend for a person; {_ASK}"
    else:
        note = (
            "GET /v1/similar/<item>?by=content, and a source of POST /v1/recommend: what an encoder reads of "
            f"`content.fields` (docs/content.md); {_ASK}"
        )
    return Mapped(what=f"model {name} ({kind})", verdict=NEAR, note=note)


def half_lives(model: dict[str, Any]) -> list[int]:
    """Of the interactions of a `trending` model, in ms and whole hours: of its decay, else like its window."""
    found = set()
    for told in mappings(model.get("weights")):
        decay = number(word(told, "decay"))
        if decay is not None and 0.0 < decay < 1.0:
            length = _DAY_MS * math.log(2.0) / -math.log(decay)
        else:
            # A count that decays with this half-life has the same sum.
            length = (duration(word(told, "window")) or _MONTH_MS) * math.log(2.0)
        found.add(min(max(1, round(length / _HOUR_MS)) * _HOUR_MS, _MOST_MS))
    return sorted(found) or [round(_MONTH_MS * math.log(2.0) / _HOUR_MS) * _HOUR_MS]


def sections(models: dict[str, dict[str, Any]], matched: list[str]) -> list[str]:
    """Lines of eddyline.yaml for the models that recommend; none where there are none.

    Parameters
    ----------
    matched
        Item fields that are matched by what they say, which the encoder has to read too.
    """
    kinds = {word(model, "type") for model in models.values()}
    lines = []
    if "als" in kinds:
        lines += ["online: {rule: sgd}", ""]
    fields = [*matched]
    for model in models.values():
        if word(model, "type") == "semantic":
            fields += [field.rpartition(".")[2] for field in words(model, "itemFields")]
    fields = [quoted(field) for field in dict.fromkeys(fields) if field]
    if fields:
        lines += ["content:", f"  fields: [{', '.join(fields)}]", ""]
    if not kinds.isdisjoint(RECOMMENDERS):
        lengths = {ms for m in models.values() if word(m, "type") == "trending" for ms in half_lives(m)}
        told = [spell(ms) for ms in sorted(lengths)]
        lines += ["recommend:", f"  half_lives: [{', '.join(told)}]", ""] if told else ["recommend: {}", ""]
    return lines
